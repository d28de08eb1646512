package testmode

import "testing"

func TestChanceIsThatOfTheSeedIfThereIsOne(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) (drawn [64]bool) {
		r := NewRandom(seed)
		for i := range drawn {
			drawn[i] = r.chance(0.5)
		}
		return drawn
	}
	if one, other := draw(0), draw(0); one == other {
		t.Errorf("without a seed chance comes out as %v again", one)
	}
	if one, other := draw(7), draw(7); one != other {
		t.Errorf("of a seed chance comes out as %v and as %v", one, other)
	}
}
