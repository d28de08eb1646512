package checks_test

import "testing"

func TestEveryCheckComesOutAsItsExamplesSay(t *testing.T) {
	for _, c := range mustPack(t).Checks() {
		t.Run(c.Path, func(t *testing.T) {
			if err := c.Test(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
