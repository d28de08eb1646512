package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// MetricDay is the value of a metric on a day that has one.
type MetricDay struct {
	DaysAgo int `doc:"0 is the 24 hours before the collection, 1 those before, and so on."`
	Value   float64
}

// DBInstanceMetrics are metrics of a DB instance in CloudWatch, the oldest day
// first. A metric without a datapoint has no days.
type DBInstanceMetrics struct {
	DBInstanceArn        string
	DBInstanceIdentifier string
	DatabaseConnections  []MetricDay `part:"cloudwatch:GetMetricData" doc:"The most connections at a time, on each of 14 days."`
	DiskQueueDepth       []MetricDay `part:"cloudwatch:GetMetricData" doc:"Requests that wait for the disk on average, on each of 7 days."`
	FreeStorageSpace     []MetricDay `part:"cloudwatch:GetMetricData" doc:"The least free space in bytes, on the last day."`
	ReplicaLag           []MetricDay `part:"cloudwatch:GetMetricData" doc:"The most seconds that a read replica was behind, on each of 7 days."`
}

func readDBInstanceMetrics(ctx context.Context, r *reader, emit emit[DBInstanceMetrics]) error {
	instances, err := r.dbInstances(ctx)
	if err != nil {
		return err
	}
	all := make([]DBInstanceMetrics, len(instances))
	for i, instance := range instances {
		all[i] = DBInstanceMetrics{
			DBInstanceArn:        aws.ToString(instance.DBInstanceArn),
			DBInstanceIdentifier: aws.ToString(instance.DBInstanceIdentifier),
		}
	}
	read := func(name, stat string, days int, field func(*DBInstanceMetrics) *[]MetricDay) {
		r.part(name, func() error {
			metrics := make([]metric, len(all))
			for i, m := range all {
				metrics[i] = metric{"AWS/RDS", name, stat, map[string]string{"DBInstanceIdentifier": m.DBInstanceIdentifier}}
			}
			values, err := r.metricDays(ctx, days, metrics)
			for i := range values {
				*field(&all[i]) = values[i]
			}
			return err
		})
	}
	read("DatabaseConnections", "Maximum", 14, func(m *DBInstanceMetrics) *[]MetricDay { return &m.DatabaseConnections })
	read("DiskQueueDepth", "Average", 7, func(m *DBInstanceMetrics) *[]MetricDay { return &m.DiskQueueDepth })
	read("FreeStorageSpace", "Minimum", 1, func(m *DBInstanceMetrics) *[]MetricDay { return &m.FreeStorageSpace })
	read("ReplicaLag", "Maximum", 7, func(m *DBInstanceMetrics) *[]MetricDay { return &m.ReplicaLag })
	for _, m := range all {
		if err := emit(m.DBInstanceArn, m); err != nil {
			return err
		}
	}
	return nil
}

// metricDays is daily without the days that have no datapoint.
func (r *reader) metricDays(ctx context.Context, days int, metrics []metric) ([][]MetricDay, error) {
	daily, err := r.daily(ctx, days, metrics)
	if err != nil {
		return nil, err
	}
	all := make([][]MetricDay, len(metrics))
	for i, values := range daily {
		for day, value := range values {
			if value != nil {
				all[i] = append(all[i], MetricDay{DaysAgo: days - 1 - day, Value: *value})
			}
		}
	}
	return all, nil
}
