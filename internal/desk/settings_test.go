package desk

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestRulesAreKeptForSecondsOfTheRealClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c settingsCache
		if known, _ := c.get(); known != nil {
			t.Fatalf("get() of nothing = %v, want nil", known)
		}
		_, forgot := c.get()
		read := &rules{}
		c.keep(read, forgot)
		time.Sleep(5 * time.Second)
		if known, _ := c.get(); known != read {
			t.Errorf("get() after five seconds = %v, want what was kept", known)
		}
		time.Sleep(time.Microsecond)
		if known, _ := c.get(); known != nil {
			t.Errorf("get() after more than five seconds = %v, want nil", known)
		}
	})
}

func TestRulesThatWereReadBeforeAChangeAreNotKept(t *testing.T) {
	t.Parallel()
	var c settingsCache
	_, forgot := c.get() // and reads the old rules
	c.forget()
	c.keep(&rules{}, forgot)
	if known, _ := c.get(); known != nil {
		t.Errorf("get() = %v, want nil", known)
	}
	_, forgot = c.get()
	c.keep(&rules{}, forgot)
	c.forget()
	if known, _ := c.get(); known != nil {
		t.Errorf("get() after forget() = %v, want nil", known)
	}
}
