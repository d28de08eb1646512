package collect

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshift/types"
)

func redshiftKinds() []kind {
	return []kind{
		kindOf("redshift.cluster", regional, "redshift:DescribeClusters", readRedshiftClusters),
		kindOf("redshift.cluster-metrics", regional, "redshift:DescribeClusters", readRedshiftMetrics),
	}
}

func (r *reader) redshift() *redshift.Client { return redshift.NewFromConfig(r.config) }

func (r *reader) redshiftClusters(ctx context.Context) ([]types.Cluster, error) {
	return once(r, "redshift:DescribeClusters", func() ([]types.Cluster, error) {
		clusters, err := gather(ctx, r.redshift().DescribeClusters, &redshift.DescribeClustersInput{},
			func(page *redshift.DescribeClustersOutput) []types.Cluster { return page.Clusters })
		for _, c := range clusters {
			if c.PendingModifiedValues != nil {
				c.PendingModifiedValues.MasterUserPassword = nil
			}
		}
		return clusters, err
	})
}

func (r *reader) redshiftARN(cluster *string) string {
	return r.arn("redshift", "cluster:"+aws.ToString(cluster))
}

// RedshiftCluster is a provisioned cluster.
type RedshiftCluster struct {
	types.Cluster
	LoggingStatus *redshift.DescribeLoggingStatusOutput `part:"redshift:DescribeLoggingStatus" doc:"Where the audit log goes to."`
	Parameters    map[string]string                     `part:"redshift:DescribeClusterParameters" doc:"The values of the cluster's parameter groups by name."`
}

func readRedshiftClusters(ctx context.Context, r *reader, emit emit[RedshiftCluster]) error {
	clusters, err := r.redshiftClusters(ctx)
	if err != nil {
		return err
	}
	return forEach(ctx, clusters, func(ctx context.Context, c types.Cluster) error {
		cluster := RedshiftCluster{Cluster: c}
		parts := parts{reader: r, codes: []string{"ClusterNotFound"}}
		parts.read("LoggingStatus", func() (err error) {
			cluster.LoggingStatus, err = r.redshift().DescribeLoggingStatus(ctx, &redshift.DescribeLoggingStatusInput{ClusterIdentifier: c.ClusterIdentifier})
			return err
		})
		parts.read("Parameters", func() (err error) {
			cluster.Parameters, err = r.redshiftParameters(ctx, c.ClusterParameterGroups)
			return err
		})
		if parts.gone {
			return nil
		}
		return emit(r.redshiftARN(c.ClusterIdentifier), cluster)
	})
}

func (r *reader) redshiftParameters(ctx context.Context, groups []types.ClusterParameterGroupStatus) (map[string]string, error) {
	values := map[string]string{}
	for _, group := range groups {
		parameters, err := once(r, "redshift:DescribeClusterParameters "+aws.ToString(group.ParameterGroupName), func() ([]types.Parameter, error) {
			input := &redshift.DescribeClusterParametersInput{ParameterGroupName: group.ParameterGroupName}
			return gather(ctx, r.redshift().DescribeClusterParameters, input,
				func(page *redshift.DescribeClusterParametersOutput) []types.Parameter { return page.Parameters })
		})
		if err != nil {
			return nil, err
		}
		for _, parameter := range parameters {
			if parameter.ParameterValue != nil {
				values[aws.ToString(parameter.ParameterName)] = *parameter.ParameterValue
			}
		}
	}
	return values, nil
}

// RedshiftClusterMetrics are metrics of a cluster in CloudWatch over 7 days.
type RedshiftClusterMetrics struct {
	ClusterIdentifier    string
	DatabaseConnections  []MetricDay `part:"cloudwatch:GetMetricData" doc:"The most connections at a time, on each day that has a datapoint, the oldest first."`
	HourlyCPUUtilization []float64   `part:"cloudwatch:GetMetricData" doc:"The average of all nodes in percent, in each hour that has a datapoint."`
}

const redshiftMetricDays = 7

func readRedshiftMetrics(ctx context.Context, r *reader, emit emit[RedshiftClusterMetrics]) error {
	clusters, err := r.redshiftClusters(ctx)
	if err != nil {
		return err
	}
	all := make([]RedshiftClusterMetrics, len(clusters))
	for i, c := range clusters {
		all[i].ClusterIdentifier = aws.ToString(c.ClusterIdentifier)
	}
	metrics := func(name, stat string) (metrics []metric) {
		for _, m := range all {
			metrics = append(metrics, metric{"AWS/Redshift", name, stat, map[string]string{"ClusterIdentifier": m.ClusterIdentifier}})
		}
		return metrics
	}
	r.part("DatabaseConnections", func() error {
		values, err := r.metricDays(ctx, redshiftMetricDays, metrics("DatabaseConnections", "Maximum"))
		for i := range values {
			all[i].DatabaseConnections = values[i]
		}
		return err
	})
	r.part("HourlyCPUUtilization", func() error {
		values, err := r.hourly(ctx, redshiftMetricDays*24, metrics("CPUUtilization", "Average"))
		for i := range values {
			all[i].HourlyCPUUtilization = values[i]
		}
		return err
	})
	for i, m := range all {
		if err := emit(r.redshiftARN(clusters[i].ClusterIdentifier), m); err != nil {
			return err
		}
	}
	return nil
}

// hourly returns the values of each metric in the hours before the collection.
// Hours without a datapoint are left out.
func (r *reader) hourly(ctx context.Context, hours int, metrics []metric) ([][]float64, error) {
	end := r.now.UTC().Truncate(time.Hour)
	s := span{begin: end.Add(-time.Duration(hours) * time.Hour), period: time.Hour, count: hours}
	values, err := r.series(ctx, s, metrics)
	if err != nil {
		return nil, err
	}
	all := make([][]float64, len(metrics))
	for i := range all {
		all[i] = known(values[i])
	}
	return all, nil
}
