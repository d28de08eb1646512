package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/supportd/supportd/internal/fault"
)

func TestErrorsAreComparedByCode(t *testing.T) {
	missing := fault.New(fault.NotFound, "case_not_found", "no such case")
	expired := fault.New(fault.Expired, "set_expired", "the set has expired")
	wrapped := fmt.Errorf("resolve: %w", missing.With("no case %q", "case-1"))

	if !errors.Is(wrapped, missing) {
		t.Errorf("errors.Is(%v, missing) = false, want true", wrapped)
	}
	if errors.Is(wrapped, expired) {
		t.Errorf("errors.Is(%v, expired) = true, want false", wrapped)
	}
	f, ok := errors.AsType[*fault.Error](wrapped)
	if !ok || f.Text != `no case "case-1"` || f.Kind != fault.NotFound {
		t.Errorf("AsType(%v) = %+v, %v; want the fault with its own text", wrapped, f, ok)
	}
}
