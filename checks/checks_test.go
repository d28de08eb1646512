package checks_test

import (
	"testing"

	"github.com/supportd/supportd/checks"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/collect"
)

func TestEveryCheckComesOutAsItsExamplesSay(t *testing.T) {
	pack, err := check.Load(collect.Kinds(), checks.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range pack.Checks() {
		t.Run(c.Path, func(t *testing.T) {
			if err := c.Test(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
