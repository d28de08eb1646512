package collect

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/inventory"
)

func pointers(values ...float64) (all []*float64) {
	for _, v := range values {
		if v < 0 {
			all = append(all, nil)
			continue
		}
		all = append(all, &v)
	}
	return all
}

// datapoints answers GetMetricData with the values of metrics by id, each on a
// day that began so many days before now.
func datapoints(w io.Writer, next string, metrics map[string]map[int]float64) {
	fmt.Fprint(w, `<GetMetricDataResponse><GetMetricDataResult><MetricDataResults>`)
	for id, days := range metrics {
		var times, values strings.Builder
		for ago, v := range days {
			fmt.Fprintf(&times, `<member>%s</member>`, at().Add(-time.Duration(ago)*24*time.Hour).Format(time.RFC3339))
			fmt.Fprintf(&values, `<member>%v</member>`, v)
		}
		fmt.Fprintf(w, `<member><Id>%s</Id><Timestamps>%s</Timestamps><Values>%s</Values></member>`, id, &times, &values)
	}
	fmt.Fprint(w, `</MetricDataResults>`)
	if next != "" {
		fmt.Fprintf(w, `<NextToken>%s</NextToken>`, next)
	}
	fmt.Fprint(w, `</GetMetricDataResult></GetMetricDataResponse>`)
}

// asked reads the ids of the metrics that GetMetricData was asked for, and the
// token of the page.
func asked(t *testing.T, r *http.Request) (ids []string, token string) {
	t.Helper()
	if err := r.ParseForm(); err != nil {
		t.Error(err)
	}
	for n := 1; r.Form.Has(fmt.Sprintf("MetricDataQueries.member.%d.Id", n)); n++ {
		ids = append(ids, r.Form.Get(fmt.Sprintf("MetricDataQueries.member.%d.Id", n)))
	}
	return ids, r.Form.Get("NextToken")
}

func instances(w io.Writer, ids ...string) {
	fmt.Fprint(w, `<DescribeInstancesResponse><reservationSet><item><instancesSet>`)
	for _, id := range ids {
		fmt.Fprintf(w, `<item><instanceId>%s</instanceId><instanceType>m5.large</instanceType><instanceState><name>running</name></instanceState></item>`, id)
	}
	fmt.Fprint(w, `</instancesSet></item></reservationSet></DescribeInstancesResponse>`)
}

func TestDaysWithoutDatapointsAreUnknown(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, call string) bool {
		switch {
		case call == "ec2:DescribeInstances":
			instances(w, "i-1")
		case strings.HasPrefix(call, "monitoring:"):
			if _, token := asked(t, r); token == "" {
				datapoints(w, "more", map[string]map[int]float64{"m0": {14: 3, 1: 7, 15: 99}, "m1": {1: 5}})
				return true
			}
			datapoints(w, "", map[string]map[int]float64{"m0": {2: 0}})
		default:
			return false
		}
		return true
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"ec2.instance-metrics": nil})
	if len(got.Resources) != 1 {
		t.Fatalf("resources are %v, failures %v, want one resource", got.Resources, got.failures())
	}
	days := make([]any, instanceDays)
	for i := range days {
		days[i] = map[string]any{}
	}
	days[0] = map[string]any{"CPUUtilization": 3.0}
	days[12] = map[string]any{"CPUUtilization": 0.0}
	days[13] = map[string]any{"CPUUtilization": 7.0, "NetworkIn": 5.0}
	if diff := cmp.Diff(days, got.Resources[0].Attributes["Days"]); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
}

func TestMetricsAreAskedForFiveHundredAtATime(t *testing.T) {
	t.Parallel()
	var ids []string
	for n := range 200 {
		ids = append(ids, fmt.Sprintf("i-%03d", n))
	}
	var mu sync.Mutex
	var calls []int
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, call string) bool {
		switch {
		case call == "ec2:DescribeInstances":
			instances(w, ids...)
		case strings.HasPrefix(call, "monitoring:"):
			metrics, _ := asked(t, r)
			mu.Lock()
			calls = append(calls, len(metrics))
			mu.Unlock()
			answer := map[string]map[int]float64{}
			for _, id := range metrics {
				answer[id] = map[int]float64{1: 1}
			}
			datapoints(w, "", answer)
		default:
			return false
		}
		return true
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"ec2.instance-metrics": nil})
	// The SDK may repeat a call whose answer broke off.
	if diff := cmp.Diff([]int{500, 100}, slices.Compact(calls)); diff != "" {
		t.Errorf("metrics of the calls (-want +got):\n%s", diff)
	}
	for _, r := range got.Resources {
		if diff := cmp.Diff(map[string]any{"CPUUtilization": 1.0, "NetworkIn": 1.0, "NetworkOut": 1.0}, r.Attributes["Days"].([]any)[13]); diff != "" {
			t.Errorf("%s: last day (-want +got):\n%s", r.ID, diff)
		}
	}
	if len(got.Resources) != len(ids) {
		t.Errorf("%d resources, want %d", len(got.Resources), len(ids))
	}
}

func TestASpanRefusesMetricsThatWereNotAskedFor(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "m", "m1", "m-1", "e0"} {
		s := span{begin: at(), period: time.Hour, count: 1}
		if err := s.add(make([][]*float64, 1), []types.MetricDataResult{{Id: &id}}); err == nil {
			t.Errorf("add of a result %q = nil, want an error", id)
		}
	}
}

func TestAMetricThatCannotBeReadIsNotWithoutDatapoints(t *testing.T) {
	t.Parallel()
	for code, refused := range map[types.StatusCode]bool{
		"": false, types.StatusCodeComplete: false, types.StatusCodePartialData: false, types.StatusCodeInternalError: true, types.StatusCodeForbidden: true,
	} {
		id := "m0"
		s := span{begin: at(), period: time.Hour, count: 1}
		if err := s.add(make([][]*float64, 1), []types.MetricDataResult{{Id: &id, StatusCode: code}}); (err != nil) != refused {
			t.Errorf("add of a result with status %q = %v, want an error: %t", code, err, refused)
		}
	}
}

func TestTotalsAreUnknownWhereNothingIsKnown(t *testing.T) {
	t.Parallel()
	got := total(pointers(1, -1, -1, 0), pointers(2, 5, -1, -1))
	if diff := cmp.Diff(pointers(3, 5, -1, 0), got); diff != "" {
		t.Errorf("total (-want +got):\n%s", diff)
	}
	if got := known(got); !slices.Equal(got, []float64{3, 5, 0}) {
		t.Errorf("known = %v, want the three that are", got)
	}
	if got := sum(pointers(-1, -1)); got != nil {
		t.Errorf("sum of nothing known = %v, want nil", *got)
	}
}
