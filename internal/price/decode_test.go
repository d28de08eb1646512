package price

import "testing"

func TestATableThatIsWrongIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"us-east-1/ebs/ gp2",
		"us-east-1/ebs/ gp2 0.1 gp3",
		"us-east-1/ebs/ gp2 cheap",
		"us-east-1/ebs/ gp2 0.1\nus-east-1/ebs/ gp2 0.2",
	} {
		if prices, err := decode(text); err == nil {
			t.Errorf("decode(%q) = %v, want an error", text, prices)
		}
	}
}
