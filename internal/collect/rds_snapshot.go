package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// DBSnapshot is a snapshot of a DB instance of the account.
type DBSnapshot struct {
	types.DBSnapshot
	RestorableBy []string `part:"rds:DescribeDBSnapshotAttributes" doc:"The accounts that may restore it; all is everybody. Only manual snapshots have any."`
}

func readDBSnapshots(ctx context.Context, r *reader, emit emit[DBSnapshot]) error {
	client := r.rds()
	return pages(ctx, client.DescribeDBSnapshots, &rds.DescribeDBSnapshotsInput{}, func(page *rds.DescribeDBSnapshotsOutput) error {
		return forEach(ctx, page.DBSnapshots, func(ctx context.Context, s types.DBSnapshot) error {
			snapshot := DBSnapshot{DBSnapshot: s}
			if aws.ToString(s.SnapshotType) == "manual" {
				r.part("RestorableBy", func() error {
					out, err := client.DescribeDBSnapshotAttributes(ctx, &rds.DescribeDBSnapshotAttributesInput{
						DBSnapshotIdentifier: s.DBSnapshotIdentifier,
					})
					if err != nil || out.DBSnapshotAttributesResult == nil {
						return err
					}
					for _, a := range out.DBSnapshotAttributesResult.DBSnapshotAttributes {
						if aws.ToString(a.AttributeName) == "restore" {
							snapshot.RestorableBy = append(snapshot.RestorableBy, a.AttributeValues...)
						}
					}
					return nil
				}, "DBSnapshotNotFound")
			}
			return emit(aws.ToString(s.DBSnapshotArn), snapshot)
		})
	})
}

// DBClusterSnapshot is a snapshot of a DB cluster of the account.
type DBClusterSnapshot struct {
	types.DBClusterSnapshot
	RestorableBy []string `part:"rds:DescribeDBClusterSnapshotAttributes" doc:"The accounts that may restore it; all is everybody. Only manual snapshots have any."`
}

func readDBClusterSnapshots(ctx context.Context, r *reader, emit emit[DBClusterSnapshot]) error {
	client := r.rds()
	input := &rds.DescribeDBClusterSnapshotsInput{}
	return pages(ctx, client.DescribeDBClusterSnapshots, input, func(page *rds.DescribeDBClusterSnapshotsOutput) error {
		return forEach(ctx, page.DBClusterSnapshots, func(ctx context.Context, s types.DBClusterSnapshot) error {
			snapshot := DBClusterSnapshot{DBClusterSnapshot: s}
			if aws.ToString(s.SnapshotType) == "manual" {
				r.part("RestorableBy", func() error {
					out, err := client.DescribeDBClusterSnapshotAttributes(ctx, &rds.DescribeDBClusterSnapshotAttributesInput{
						DBClusterSnapshotIdentifier: s.DBClusterSnapshotIdentifier,
					})
					if err != nil || out.DBClusterSnapshotAttributesResult == nil {
						return err
					}
					for _, a := range out.DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes {
						if aws.ToString(a.AttributeName) == "restore" {
							snapshot.RestorableBy = append(snapshot.RestorableBy, a.AttributeValues...)
						}
					}
					return nil
				}, "DBClusterSnapshotNotFoundFault")
			}
			return emit(aws.ToString(s.DBClusterSnapshotArn), snapshot)
		})
	})
}
