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

// metric is a metric of one resource.
type metric struct {
	namespace, name string
	stat            string // Average, Sum, Maximum
	dimensions      map[string]string
}

// queriesPerCall is how many metrics GetMetricData takes at once.
const queriesPerCall = 500

// daily returns the value of each metric on each of the last days, the oldest
// first. The days are spans of 24 hours that end with the last full hour before
// the collection. A day without a datapoint is nil.
func (r *reader) daily(ctx context.Context, days int, metrics []metric) ([][]*float64, error) {
	end := r.now.UTC().Truncate(time.Hour)
	begin := end.Add(-time.Duration(days) * 24 * time.Hour)
	values := make([][]*float64, len(metrics))
	for i := range values {
		values[i] = make([]*float64, days)
	}
	client := cloudwatch.NewFromConfig(r.config)
	for first := 0; first < len(metrics); first += queriesPerCall {
		input := &cloudwatch.GetMetricDataInput{StartTime: &begin, EndTime: &end}
		for i, m := range metrics[first:min(first+queriesPerCall, len(metrics))] {
			input.MetricDataQueries = append(input.MetricDataQueries, m.query(first+i))
		}
		err := pages(ctx, cloudwatch.NewGetMetricDataPaginator(client, input), func(page *cloudwatch.GetMetricDataOutput) error {
			return addValues(values, page.MetricDataResults, begin)
		})
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (m metric) query(number int) types.MetricDataQuery {
	q := types.MetricDataQuery{
		Id: aws.String("m" + strconv.Itoa(number)),
		MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: &m.namespace, MetricName: &m.name},
			Period: aws.Int32(24 * 60 * 60), Stat: &m.stat,
		},
	}
	for _, name := range slices.Sorted(maps.Keys(m.dimensions)) {
		q.MetricStat.Metric.Dimensions = append(q.MetricStat.Metric.Dimensions,
			types.Dimension{Name: aws.String(name), Value: aws.String(m.dimensions[name])})
	}
	return q
}

func addValues(values [][]*float64, results []types.MetricDataResult, begin time.Time) error {
	for _, result := range results {
		number, err := strconv.Atoi(strings.TrimPrefix(aws.ToString(result.Id), "m"))
		if err != nil || number >= len(values) {
			return fmt.Errorf("cloudwatch answered an unknown id %q", aws.ToString(result.Id))
		}
		for i, at := range result.Timestamps {
			day := int(at.Sub(begin) / (24 * time.Hour))
			if day >= 0 && day < len(values[number]) && i < len(result.Values) {
				values[number][day] = &result.Values[i]
			}
		}
	}
	return nil
}
