package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
)

func eksKinds() []kind {
	return []kind{
		kindOf("eks.cluster", regional, "eks:ListClusters,eks:DescribeCluster", readEKSClusters),
		kindOf("eks.cluster-version", regional, "eks:DescribeClusterVersions", readEKSVersions),
	}
}

func (r *reader) eks() *eks.Client { return eks.NewFromConfig(r.config) }

func readEKSClusters(ctx context.Context, r *reader, emit emit[types.Cluster]) error {
	client := r.eks()
	return pages(ctx, client.ListClusters, &eks.ListClustersInput{}, func(page *eks.ListClustersOutput) error {
		return forEach(ctx, page.Clusters, func(ctx context.Context, name string) error {
			out, err := client.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: &name})
			if hasCode(err, "ResourceNotFoundException") {
				return nil
			}
			if err != nil {
				return err
			}
			return emit(aws.ToString(out.Cluster.Arn), *out.Cluster)
		})
	})
}

// readEKSVersions reads the versions of Kubernetes that clusters can have.
func readEKSVersions(ctx context.Context, r *reader, emit emit[types.ClusterVersionInformation]) error {
	input := &eks.DescribeClusterVersionsInput{IncludeAll: aws.Bool(true)}
	return pages(ctx, r.eks().DescribeClusterVersions, input, func(page *eks.DescribeClusterVersionsOutput) error {
		for _, v := range page.ClusterVersions {
			if err := emit(r.arn("eks", "cluster-version/"+aws.ToString(v.ClusterVersion)), v); err != nil {
				return err
			}
		}
		return nil
	})
}
