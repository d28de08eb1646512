package random

import (
	"strings"
	"testing"
)

func TestBytesAreThoseOfTheSource(t *testing.T) {
	if got := string(Bytes(strings.NewReader("abcdef"), 4)); got != "abcd" {
		t.Errorf("Bytes(4) = %q, want the first four of the source", got)
	}
	if a, b := string(Bytes(nil, 16)), string(Bytes(nil, 16)); len(a) != 16 || a == b {
		t.Errorf("Bytes(16) without a source = %x, and then %x, want two of 16 bytes", a, b)
	}
}

func TestBytesOfASourceThatEndsPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Bytes(4) of three bytes returned, want a panic")
		}
	}()
	Bytes(strings.NewReader("abc"), 4)
}
