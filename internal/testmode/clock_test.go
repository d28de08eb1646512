package testmode_test

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/supportd/supportd/internal/testmode"
)

func TestClockRunsStopsAndGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		c := testmode.NewClock(start, false)
		check := func(what string, want time.Duration, frozen bool) {
			t.Helper()
			if got := c.Now().Sub(start); got != want || c.Frozen() != frozen {
				t.Errorf("%s: %v after the start, frozen %t, want %v, %t", what, got, c.Frozen(), want, frozen)
			}
		}
		check("at the start", 0, false)
		time.Sleep(time.Hour)
		check("after an hour", time.Hour, false)
		c.Freeze()
		time.Sleep(time.Hour)
		check("frozen", time.Hour, true)
		c.Set(start.Add(-24 * time.Hour))
		check("set back", -24*time.Hour, true)
		c.Run()
		time.Sleep(time.Hour)
		check("running again", -23*time.Hour, false)
		c.Set(start)
		time.Sleep(time.Minute)
		check("set while it runs", time.Minute, false)
		c.Freeze()
		c.Restart()
		check("restarted", 0, false)
	})
}

// A difference to the real clock would be more than a time.Duration can tell.
func TestClockRunsInYearsThatAreFarAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		far := time.Date(8999, 1, 1, 0, 0, 0, 0, time.UTC)
		begun := testmode.NewClock(far, false)
		set := testmode.NewClock(time.Time{}, false)
		set.Set(far)
		let := testmode.NewClock(far, true)
		let.Run()
		time.Sleep(time.Hour)
		for what, c := range map[string]*testmode.Clock{"begun": begun, "set": set, "let go": let} {
			if got := c.Now(); !got.Equal(far.Add(time.Hour)) {
				t.Errorf("a clock that was %s in %d is at %v after an hour", what, far.Year(), got)
			}
		}
	})
}

func TestClockThatBeginsFrozenStandsStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c := testmode.NewClock(time.Time{}, true)
		time.Sleep(time.Hour)
		if !c.Now().Equal(begun) {
			t.Errorf("Now() = %v, want %v", c.Now(), begun)
		}
		c.Run()
		time.Sleep(time.Hour)
		c.Restart()
		if !c.Now().Equal(begun) || !c.Frozen() {
			t.Errorf("after Restart: %v, frozen %t, want %v again", c.Now(), c.Frozen(), begun)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		var c testmode.Clock
		time.Sleep(time.Hour)
		c.Set(c.Now().Add(time.Hour))
		c.Restart()
		if !c.Now().Equal(time.Now()) {
			t.Errorf("the zero clock is at %v, want the real time", c.Now())
		}
	})
}

func TestRandomDependsOnSeedAndStreamAlone(t *testing.T) {
	t.Parallel()
	read := func(r io.Reader) []byte {
		b := make([]byte, 16)
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	r := testmode.NewRandom(7)
	one := read(r.Stream("cases"))
	if bytes.Equal(one, read(r.Stream("cases"))) {
		t.Error("the stream repeats itself")
	}
	for range 10 {
		read(r.Stream("desk")) // changes nothing of the other stream
	}
	next := read(r.Stream("cases"))
	again := testmode.NewRandom(7).Stream("cases")
	if got := read(again); !bytes.Equal(got, one) {
		t.Errorf("the same seed gives %x, want %x", got, one)
	}
	read(again)
	if got := read(again); !bytes.Equal(got, next) {
		t.Errorf("beside another stream the third is %x, want %x", next, got)
	}
	if bytes.Equal(read(testmode.NewRandom(8).Stream("cases")), one) {
		t.Error("another seed gives the same")
	}
	r.Restart()
	if got := read(r.Stream("cases")); !bytes.Equal(got, one) {
		t.Errorf("after Restart %x, want %x", got, one)
	}
}
