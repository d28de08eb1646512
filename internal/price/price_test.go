package price_test

import (
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/price"
)

func TestTableHasPublicPrices(t *testing.T) {
	t.Parallel()
	prices := price.Table()
	for key, want := range map[string]float64{
		"us-east-1/ec2/m5.large":                   0.096,
		"us-east-1/ec2/t3.micro":                   0.0104,
		"us-east-1/ec2/p3.16xlarge":                24.48,
		"us-east-1/ec2/elastic-ip":                 0.005,
		"us-east-1/ebs/gp2":                        0.1,
		"us-east-1/ebs/snapshot":                   0.05,
		"us-east-1/elb/classic":                    0.025,
		"us-east-1/rds/db.m5.large/mysql/multi-az": 0.342,
		"us-east-1/redshift/dc2.large":             0.25,
		"us-east-1/lambda/gb-second":               0.0000166667,
	} {
		if got := prices[key]; got != want {
			t.Errorf("Table()[%q] = %v, want %v", key, got, want)
		}
	}
}

func TestEveryPriceIsOneOfAKnownService(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for key, usd := range price.Table() {
		parts := strings.Split(key, "/")
		if len(parts) < 3 || usd <= 0 || usd > 1000 {
			t.Errorf("Table()[%q] = %v, want <region>/<service>/<name> and a price", key, usd)
			continue
		}
		count[parts[1]]++
	}
	for service, want := range map[string]int{"ec2": 1361 + 4, "ebs": 11, "elb": 4, "lambda": 2, "redshift": 7} {
		if count[service] != want {
			t.Errorf("Table() has %d prices of %s, want %d", count[service], service, want)
		}
	}
}

func TestTableIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	mine := price.Table()
	mine["us-east-1/ebs/gp2"] = 7
	if got := price.Table()["us-east-1/ebs/gp2"]; got != 0.1 {
		t.Errorf("Table() after a change of the map before = %v, want 0.1", got)
	}
}

func TestAsOfIsADay(t *testing.T) {
	t.Parallel()
	if got := price.AsOf(); !got.Equal(got.Truncate(24 * time.Hour)) {
		t.Errorf("AsOf() = %v, want the begin of a day", got)
	}
}
