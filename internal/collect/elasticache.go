package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

func elasticacheKinds() []kind {
	return []kind{
		kindOf("elasticache.cache-cluster", regional, "elasticache:DescribeCacheClusters", readCacheClusters),
		kindOf("elasticache.replication-group", regional, "elasticache:DescribeReplicationGroups", readReplicationGroups),
	}
}

func (r *reader) elasticache() *elasticache.Client { return elasticache.NewFromConfig(r.config) }

func readCacheClusters(ctx context.Context, r *reader, emit emit[types.CacheCluster]) error {
	input := &elasticache.DescribeCacheClustersInput{}
	return pages(ctx, r.elasticache().DescribeCacheClusters, input, func(page *elasticache.DescribeCacheClustersOutput) error {
		for _, c := range page.CacheClusters {
			if err := emit(aws.ToString(c.ARN), c); err != nil {
				return err
			}
		}
		return nil
	})
}

func readReplicationGroups(ctx context.Context, r *reader, emit emit[types.ReplicationGroup]) error {
	input := &elasticache.DescribeReplicationGroupsInput{}
	return pages(ctx, r.elasticache().DescribeReplicationGroups, input, func(page *elasticache.DescribeReplicationGroupsOutput) error {
		for _, g := range page.ReplicationGroups {
			if err := emit(aws.ToString(g.ARN), g); err != nil {
				return err
			}
		}
		return nil
	})
}
