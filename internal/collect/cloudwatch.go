package collect

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func cloudwatchKinds() []kind {
	return []kind{
		kindOf("cloudwatch.alarm", regional, "cloudwatch:DescribeAlarms", readAlarms),
	}
}

func (r *reader) cloudwatch() *cloudwatch.Client { return cloudwatch.NewFromConfig(r.config) }

func readAlarms(ctx context.Context, r *reader, emit emit[types.MetricAlarm]) error {
	return pages(ctx, r.cloudwatch().DescribeAlarms, &cloudwatch.DescribeAlarmsInput{}, func(page *cloudwatch.DescribeAlarmsOutput) error {
		for _, a := range page.MetricAlarms {
			if err := emit(aws.ToString(a.AlarmArn), a); err != nil {
				return err
			}
		}
		return nil
	})
}

// metric is a metric of one resource.
type metric struct {
	namespace, name string
	stat            string // Average, Sum, Maximum
	dimensions      map[string]string
}

// queriesPerCall is how many metrics GetMetricData takes at once.
const queriesPerCall = 500

// span is a stretch of time in periods of one length.
type span struct {
	begin  time.Time
	period time.Duration
	count  int
}

// daily returns the value of each metric on each of the last days, the oldest
// first. The days are spans of 24 hours that end with the last full hour before
// the collection. A day without a datapoint is nil.
func (r *reader) daily(ctx context.Context, days int, metrics []metric) ([][]*float64, error) {
	const day = 24 * time.Hour
	end := r.now.UTC().Truncate(time.Hour)
	return r.series(ctx, span{begin: end.Add(-time.Duration(days) * day), period: day, count: days}, metrics)
}

// series returns the value of each metric in each period of a span. A period
// without a datapoint is nil.
func (r *reader) series(ctx context.Context, s span, metrics []metric) ([][]*float64, error) {
	end := s.begin.Add(time.Duration(s.count) * s.period)
	values := make([][]*float64, len(metrics))
	for i := range values {
		values[i] = make([]*float64, s.count)
	}
	client := r.cloudwatch()
	for first := 0; first < len(metrics); first += queriesPerCall {
		input := &cloudwatch.GetMetricDataInput{StartTime: &s.begin, EndTime: &end}
		for i, m := range metrics[first:min(first+queriesPerCall, len(metrics))] {
			input.MetricDataQueries = append(input.MetricDataQueries, m.query(first+i, s.period))
		}
		err := pages(ctx, client.GetMetricData, input, func(page *cloudwatch.GetMetricDataOutput) error {
			return s.add(values, page.MetricDataResults)
		})
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (m metric) query(number int, period time.Duration) types.MetricDataQuery {
	q := types.MetricDataQuery{
		Id: aws.String("m" + strconv.Itoa(number)),
		MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: &m.namespace, MetricName: &m.name},
			Period: aws.Int32(int32(period.Seconds())), Stat: &m.stat,
		},
	}
	for _, name := range slices.Sorted(maps.Keys(m.dimensions)) {
		q.MetricStat.Metric.Dimensions = append(q.MetricStat.Metric.Dimensions,
			types.Dimension{Name: aws.String(name), Value: aws.String(m.dimensions[name])})
	}
	return q
}

func (s span) add(values [][]*float64, results []types.MetricDataResult) error {
	for _, result := range results {
		number, err := strconv.Atoi(strings.TrimPrefix(aws.ToString(result.Id), "m"))
		if err != nil || number < 0 || number >= len(values) {
			return fmt.Errorf("cloudwatch answered an unknown id %q", aws.ToString(result.Id))
		}
		if code := result.StatusCode; code == types.StatusCodeInternalError || code == types.StatusCodeForbidden {
			return fmt.Errorf("cloudwatch answered %s for a metric", code) // which does not say that it has no datapoints
		}
		for i, at := range result.Timestamps {
			n := int(at.Sub(s.begin) / s.period)
			if !at.Before(s.begin) && n < s.count && i < len(result.Values) {
				values[number][n] = &result.Values[i]
			}
		}
	}
	return nil
}

// total adds up metrics, period by period. A period is nil where none of them
// has a datapoint.
func total(metrics ...[]*float64) []*float64 {
	if len(metrics) == 0 {
		return nil
	}
	all := make([]*float64, len(metrics[0]))
	for i := range all {
		var period []*float64
		for _, m := range metrics {
			period = append(period, m[i])
		}
		all[i] = sum(period)
	}
	return all
}

// sum adds up values. It is nil where all of them are.
func sum(values []*float64) *float64 {
	var all *float64
	for _, v := range values {
		if v != nil {
			all = aws.Float64(aws.ToFloat64(all) + *v)
		}
	}
	return all
}

// known returns the values that are not nil.
func known(values []*float64) (all []float64) {
	for _, v := range values {
		if v != nil {
			all = append(all, *v)
		}
	}
	return all
}
