package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/inventory"
)

// onSale is a product as the price list has it.
func onSale(attributes, terms string) string {
	return fmt.Sprintf(`{"product": {"productFamily": "Compute Instance", "attributes": {%s}, "sku": "S"}, "terms": {"OnDemand": {%s}}}`, attributes, terms)
}

func term(dimensions ...string) string {
	return fmt.Sprintf(`"S.T": {"priceDimensions": {%s}, "sku": "S"}`, strings.Join(dimensions, ", "))
}

func dimension(unit, begin, usd string) string {
	return fmt.Sprintf(`"S.T.%s%s%s": {"unit": %q, "beginRange": %q, "pricePerUnit": {"USD": %q}}`, unit, begin, usd, unit, begin, usd)
}

func TestAnOfferHasOnePriceOrNone(t *testing.T) {
	t.Parallel()
	o := offer{filters: map[string]string{"instanceType": "m5.large"}, usage: "BoxUsage:m5.large", unit: "Hrs"}
	const own = `"instanceType": "m5.large", "usagetype": "EUW1-BoxUsage:m5.large"`
	tests := []struct {
		name     string
		products []string
		want     float64
	}{
		{name: "nothing was found"},
		{name: "one price", products: []string{onSale(own, term(dimension("Hrs", "0", "0.1070000000")))}, want: 0.107},
		{name: "the same price twice", products: []string{
			onSale(own, term(dimension("Hrs", "0", "0.107"))), onSale(own, term(dimension("hrs", "", "0.1070"))),
		}, want: 0.107},
		{name: "two prices", products: []string{onSale(own, term(dimension("Hrs", "0", "0.107"), dimension("Hrs", "0", "0.2")))}},
		{name: "what costs nothing, later tiers and other units", products: []string{
			onSale(own, term(dimension("Hrs", "0", "0.0"), dimension("Hrs", "100", "0.05"), dimension("Quantity", "0", "9"), dimension("Hrs", "0", "0.107"))),
		}, want: 0.107},
		{name: "other products", products: []string{
			onSale(`"instanceType": "m5.xlarge", "usagetype": "EUW1-BoxUsage:m5.large"`, term(dimension("Hrs", "0", "1"))),
			onSale(`"instanceType": "m5.large", "usagetype": "EUW1-UnusedBox:m5.large"`, term(dimension("Hrs", "0", "2"))),
			onSale(own, term(dimension("Hrs", "0", "0.107"))),
		}, want: 0.107},
		{name: "text that is none", products: []string{
			"", "{", "[]", "null", `{"product": 7}`, `{"terms": {"OnDemand": []}}`, onSale(own, term(dimension("Hrs", "0", "cheap"))), onSale(own, term(dimension("Hrs", "0", "-1"))),
			onSale(own, term(dimension("Hrs", "0", "Inf"))), onSale(own, term(dimension("Hrs", "0", "NaN"))),
		}},
	}
	for _, test := range tests {
		got, err := o.price(test.products)
		if got != test.want || (err == nil) != (test.want > 0) || err != nil && !errors.Is(err, errNoPrice) {
			t.Errorf("%s: price = %v, %v, want %v", test.name, got, err, test.want)
		}
	}
}

// shop is an endpoint with two instances, no datapoints, and prices.
func shop(t *testing.T, prices func(w http.ResponseWriter, question string)) *fake {
	t.Helper()
	return newFake(t, func(w http.ResponseWriter, r *http.Request, call string) bool {
		switch {
		case call == "ec2:DescribeInstances":
			instances(w, "i-1", "i-2")
		case strings.HasPrefix(call, "monitoring:"):
			datapoints(w, "", nil)
		case strings.HasPrefix(call, "pricing:"):
			question, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			prices(w, string(question))
		default:
			return false
		}
		return true
	})
}

func TestPricesOfWhatWasSeenComeWithTheInventory(t *testing.T) {
	t.Parallel()
	var questions atomic.Int32
	f := shop(t, func(w http.ResponseWriter, question string) {
		questions.Add(1)
		price := "0.096"
		if strings.Contains(question, "eu-west-1") {
			price = "0.107"
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(map[string]any{"PriceList": []string{onSale(`"instanceType": "m5.large"`, term(dimension("Hrs", "0", price)))}})
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1", "eu-west-1"), inventory.Needs{"ec2.instance-metrics": nil})
	want := map[string]float64{"us-east-1/ec2/m5.large": 0.096, "eu-west-1/ec2/m5.large": 0.107}
	if diff := cmp.Diff(want, got.Summary.Prices); diff != "" {
		t.Errorf("prices (-want +got):\n%s", diff)
	}
	if questions.Load() != 2 || f.called("pricing:") != 2 {
		t.Errorf("%d questions, want one for each key", questions.Load())
	}
}

func TestWithoutThePriceListNothingFails(t *testing.T) {
	t.Parallel()
	f := shop(t, func(w http.ResponseWriter, _ string) {
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type": "AccessDeniedException", "message": "no"}`)
	})
	var log bytes.Buffer
	c := &Collector{Log: slog.New(slog.NewTextHandler(&log, nil))}
	got := mustCollect(t, c, f.source("us-east-1", "eu-west-1"), inventory.Needs{"ec2.instance-metrics": nil})
	if len(got.Resources) != 4 || len(got.Summary.Failures) != 0 || len(got.Summary.Prices) != 0 {
		t.Errorf("%d resources, failures %v, prices %v, want 4 resources and nothing else", len(got.Resources), got.failures(), got.Summary.Prices)
	}
	if calls, lines := f.called("pricing:"), strings.Count(log.String(), "prices are those of the table"); calls != 1 || lines != 1 {
		t.Errorf("%d calls and %d lines in the log, want one of each:\n%s", calls, lines, log.String())
	}
}

// slow answers a question with nothing, after a while.
type slow struct {
	after time.Duration
	asked atomic.Int32
}

func (s *slow) Do(r *http.Request) (*http.Response, error) {
	s.asked.Add(1)
	select {
	case <-time.After(s.after):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(strings.NewReader(`{"PriceList": []}`)), Request: r,
	}, nil
}

// asks is a reader of a run whose calls a client answers.
func asks(client aws.HTTPClient) *reader {
	config := aws.Config{
		Region: "us-east-1", HTTPClient: client, Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}
	return &reader{run: &run{Collector: &Collector{Log: discard()}, prices: map[string]float64{}}, task: task{region: "us-east-1"}, config: config}
}

func TestReadersWaitForPricesForAMinuteTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := &slow{after: 7 * time.Second}
		r := asks(client)
		begun := time.Now()
		var readers sync.WaitGroup
		for n := range 40 {
			readers.Go(func() { r.wantInstancePrice(t.Context(), fmt.Sprintf("m5.%dxlarge", n)) })
		}
		readers.Wait()
		if took := time.Since(begun); took > priceBudget || client.asked.Load() > 9 {
			t.Errorf("40 prices took %v and %d questions, want a minute at most", took, client.asked.Load())
		}
	})
}

func TestAReaderThatIsCancelledDoesNotWaitInLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := asks(&slow{after: 10 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		var first sync.WaitGroup
		first.Go(func() { r.wantInstancePrice(t.Context(), "m5.large") })
		synctest.Wait()
		r.wantInstancePrice(ctx, "m5.xlarge")
		if took := time.Since(begun); took != time.Second {
			t.Errorf("it waited %v, want the second that it has", took)
		}
		first.Wait()
	})
}

func TestOtherPartitionsAreNotAskedForPrices(t *testing.T) {
	t.Parallel()
	client := &slow{}
	r := asks(client)
	r.realm = "aws-cn"
	if r.wantInstancePrice(t.Context(), "m5.large"); client.asked.Load() != 0 {
		t.Errorf("%d questions, want none", client.asked.Load())
	}
}

func TestWhatHasNoPriceDoesNotEndTheQuestions(t *testing.T) {
	t.Parallel()
	f := shop(t, func(w http.ResponseWriter, _ string) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		fmt.Fprint(w, `{"PriceList": []}`)
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1", "eu-west-1"), inventory.Needs{"ec2.instance-metrics": nil})
	if len(got.Summary.Prices) != 0 || len(got.Summary.Failures) != 0 || f.called("pricing:") != 2 {
		t.Errorf("prices %v, failures %v, %d questions, want two questions and nothing else", got.Summary.Prices, got.failures(), f.called("pricing:"))
	}
}

func TestKindsThatNeedNoPricesAskForNone(t *testing.T) {
	t.Parallel()
	f := shop(t, func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusInternalServerError) })
	mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"ec2.instance": nil, "ec2.volume": nil})
	if got := f.called("pricing:"); got != 0 {
		t.Errorf("the price list was asked %d times, want 0", got)
	}
}
