package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/supportd/supportd/internal/seal"
)

func mustBox(t *testing.T, master []byte, purpose string) *seal.Box {
	t.Helper()
	b, err := seal.NewBox(master, purpose)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpenReturnsWhatWasSealed(t *testing.T) {
	b := mustBox(t, seal.NewMasterKey(), "test")
	for _, plain := range [][]byte{{}, []byte("a secret of some length"), bytes.Repeat([]byte("x"), 4096)} {
		sealed := b.Seal(plain, "ctx")
		if len(plain) > 0 && bytes.Contains(sealed, plain) {
			t.Errorf("Seal(%d bytes) shows its content", len(plain))
		}
		got, err := b.Open(sealed, "ctx")
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("Open(Seal(%d bytes)) = %d bytes, %v", len(plain), len(got), err)
		}
	}
}

func TestSealingTwiceDiffers(t *testing.T) {
	b := mustBox(t, seal.NewMasterKey(), "test")
	if bytes.Equal(b.Seal([]byte("a"), ""), b.Seal([]byte("a"), "")) {
		t.Error("two seals of the same value are equal, want fresh nonces")
	}
}

func TestOpenRefusesWhatIsNotItsOwn(t *testing.T) {
	master := seal.NewMasterKey()
	b := mustBox(t, master, "test")
	sealed := b.Seal([]byte("secret"), "ctx")
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)/2] ^= 1
	tests := map[string]struct {
		box     *seal.Box
		sealed  []byte
		context string
	}{
		"other context":    {b, sealed, "other"},
		"other purpose":    {mustBox(t, master, "test2"), sealed, "ctx"},
		"other master key": {mustBox(t, seal.NewMasterKey(), "test"), sealed, "ctx"},
		"changed":          {b, flipped, "ctx"},
		"cut":              {b, sealed[:10], "ctx"},
		"empty":            {b, nil, "ctx"},
	}
	for name, tt := range tests {
		if _, err := tt.box.Open(tt.sealed, tt.context); !errors.Is(err, seal.ErrNotAuthentic) {
			t.Errorf("%s: Open = %v, want ErrNotAuthentic", name, err)
		}
	}
}

func TestMasterKeyOfWrongLengthIsRefused(t *testing.T) {
	if _, err := seal.NewBox([]byte("short"), "test"); err == nil {
		t.Error("NewBox(5 bytes) succeeded")
	}
}
