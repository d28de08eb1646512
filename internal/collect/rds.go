package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// rdsKinds are those of Amazon RDS. Its API has the instances, clusters and
// snapshots of Amazon DocumentDB and Amazon Neptune as well; they differ in
// their engine.
func rdsKinds() []kind {
	return []kind{
		kindOf("rds.db-instance", regional, "rds:DescribeDBInstances", readDBInstances),
		kindOf("rds.db-cluster", regional, "rds:DescribeDBClusters", readDBClusters),
		kindOf("rds.db-snapshot", regional, "rds:DescribeDBSnapshots", readDBSnapshots),
		kindOf("rds.db-cluster-snapshot", regional, "rds:DescribeDBClusterSnapshots", readDBClusterSnapshots),
		kindOf("rds.db-parameter-group", regional, "rds:DescribeDBParameterGroups", readDBParameterGroups),
		kindOf("rds.db-security-group", regional, "rds:DescribeDBSecurityGroups", readDBSecurityGroups),
		kindOf("rds.event-subscription", regional, "rds:DescribeEventSubscriptions", readEventSubscriptions),
		kindOf("rds.account-quota", regional, "rds:DescribeAccountAttributes", readRDSAccountQuotas),
		kindOf("rds.engine-version", regional, "rds:DescribeDBEngineVersions", readDBEngineVersions),
		kindOf("rds.major-engine-version", regional, "rds:DescribeDBMajorEngineVersions", readDBMajorEngineVersions),
		kindOf("rds.instance-metrics", regional, "rds:DescribeDBInstances", readDBInstanceMetrics),
	}
}

func (r *reader) rds() *rds.Client { return rds.NewFromConfig(r.config) }

// dbInstances are the region's, for all kinds that are made from them.
func (r *reader) dbInstances(ctx context.Context) ([]types.DBInstance, error) {
	return once(r, "rds:DescribeDBInstances", func() ([]types.DBInstance, error) {
		instances, err := gather(ctx, r.rds().DescribeDBInstances, &rds.DescribeDBInstancesInput{},
			func(page *rds.DescribeDBInstancesOutput) []types.DBInstance { return page.DBInstances })
		for _, i := range instances {
			if i.PendingModifiedValues != nil {
				i.PendingModifiedValues.MasterUserPassword = nil
			}
		}
		return instances, err
	})
}

func readDBInstances(ctx context.Context, r *reader, emit emit[types.DBInstance]) error {
	instances, err := r.dbInstances(ctx)
	if err != nil {
		return err
	}
	for _, i := range instances {
		if err := emit(aws.ToString(i.DBInstanceArn), i); err != nil {
			return err
		}
	}
	return nil
}

func readDBClusters(ctx context.Context, r *reader, emit emit[types.DBCluster]) error {
	return pages(ctx, r.rds().DescribeDBClusters, &rds.DescribeDBClustersInput{}, func(page *rds.DescribeDBClustersOutput) error {
		for _, c := range page.DBClusters {
			if c.PendingModifiedValues != nil {
				c.PendingModifiedValues.MasterUserPassword = nil
			}
			if err := emit(aws.ToString(c.DBClusterArn), c); err != nil {
				return err
			}
		}
		return nil
	})
}

// DBParameterGroup is a parameter group of DB instances.
type DBParameterGroup struct {
	types.DBParameterGroup
	Parameters map[string]string `part:"rds:DescribeDBParameters" doc:"The values by the names of the parameters. What the group leaves to the engine is not in it."`
}

func readDBParameterGroups(ctx context.Context, r *reader, emit emit[DBParameterGroup]) error {
	input := &rds.DescribeDBParameterGroupsInput{}
	return pages(ctx, r.rds().DescribeDBParameterGroups, input, func(page *rds.DescribeDBParameterGroupsOutput) error {
		return forEach(ctx, page.DBParameterGroups, func(ctx context.Context, g types.DBParameterGroup) error {
			group := DBParameterGroup{DBParameterGroup: g}
			r.part("Parameters", func() (err error) {
				group.Parameters, err = r.dbParameters(ctx, g.DBParameterGroupName)
				return err
			}, "DBParameterGroupNotFound")
			return emit(aws.ToString(g.DBParameterGroupArn), group)
		})
	})
}

func (r *reader) dbParameters(ctx context.Context, group *string) (map[string]string, error) {
	values := map[string]string{}
	input := &rds.DescribeDBParametersInput{DBParameterGroupName: group}
	err := pages(ctx, r.rds().DescribeDBParameters, input, func(page *rds.DescribeDBParametersOutput) error {
		for _, parameter := range page.Parameters {
			if parameter.ParameterValue != nil {
				values[aws.ToString(parameter.ParameterName)] = *parameter.ParameterValue
			}
		}
		return nil
	})
	return values, err
}

func readDBSecurityGroups(ctx context.Context, r *reader, emit emit[types.DBSecurityGroup]) error {
	input := &rds.DescribeDBSecurityGroupsInput{}
	return pages(ctx, r.rds().DescribeDBSecurityGroups, input, func(page *rds.DescribeDBSecurityGroupsOutput) error {
		for _, g := range page.DBSecurityGroups {
			if err := emit(aws.ToString(g.DBSecurityGroupArn), g); err != nil {
				return err
			}
		}
		return nil
	})
}

func readEventSubscriptions(ctx context.Context, r *reader, emit emit[types.EventSubscription]) error {
	input := &rds.DescribeEventSubscriptionsInput{}
	return pages(ctx, r.rds().DescribeEventSubscriptions, input, func(page *rds.DescribeEventSubscriptionsOutput) error {
		for _, s := range page.EventSubscriptionsList {
			if err := emit(aws.ToString(s.EventSubscriptionArn), s); err != nil {
				return err
			}
		}
		return nil
	})
}

// readRDSAccountQuotas reads the quotas that RDS itself tells, with what is used
// of them.
func readRDSAccountQuotas(ctx context.Context, r *reader, emit emit[types.AccountQuota]) error {
	out, err := r.rds().DescribeAccountAttributes(ctx, &rds.DescribeAccountAttributesInput{})
	if err != nil {
		return err
	}
	for _, q := range out.AccountQuotas {
		if err := emit(r.arn("rds", "account-quota:"+aws.ToString(q.AccountQuotaName)), q); err != nil {
			return err
		}
	}
	return nil
}

// readDBEngineVersions reads all versions, those that can no longer be chosen
// for new databases among them.
func readDBEngineVersions(ctx context.Context, r *reader, emit emit[types.DBEngineVersion]) error {
	input := &rds.DescribeDBEngineVersionsInput{IncludeAll: aws.Bool(true)}
	return pages(ctx, r.rds().DescribeDBEngineVersions, input, func(page *rds.DescribeDBEngineVersionsOutput) error {
		for _, v := range page.DBEngineVersions {
			id := r.arn("rds", "engine-version:"+aws.ToString(v.Engine)+"/"+aws.ToString(v.EngineVersion))
			if err := emit(id, v); err != nil {
				return err
			}
		}
		return nil
	})
}

func readDBMajorEngineVersions(ctx context.Context, r *reader, emit emit[types.DBMajorEngineVersion]) error {
	input := &rds.DescribeDBMajorEngineVersionsInput{}
	return pages(ctx, r.rds().DescribeDBMajorEngineVersions, input, func(page *rds.DescribeDBMajorEngineVersionsOutput) error {
		for _, v := range page.DBMajorEngineVersions {
			id := r.arn("rds", "major-engine-version:"+aws.ToString(v.Engine)+"/"+aws.ToString(v.MajorEngineVersion))
			if err := emit(id, v); err != nil {
				return err
			}
		}
		return nil
	})
}
