package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func ec2Kinds() []kind {
	return []kind{
		kindOf("ec2.volume", regional, "ec2:DescribeVolumes", readVolumes),
		kindOf("ec2.snapshot", regional, "ec2:DescribeSnapshots", readSnapshots),
	}
}

func (r *reader) ec2() *ec2.Client { return ec2.NewFromConfig(r.config) }

func readVolumes(ctx context.Context, r *reader, emit emit[types.Volume]) error {
	p := ec2.NewDescribeVolumesPaginator(r.ec2(), &ec2.DescribeVolumesInput{})
	return pages(ctx, p, func(page *ec2.DescribeVolumesOutput) error {
		for _, v := range page.Volumes {
			if err := emit(r.arn("ec2", "volume/"+aws.ToString(v.VolumeId)), v); err != nil {
				return err
			}
		}
		return nil
	})
}

// Snapshot is a snapshot of the account's own.
type Snapshot struct {
	types.Snapshot
	CreateVolumePermissions []types.CreateVolumePermission `part:"ec2:DescribeSnapshotAttribute" doc:"Who may make volumes of it; the group all is everybody."`
}

func readSnapshots(ctx context.Context, r *reader, emit emit[Snapshot]) error {
	client := r.ec2()
	p := ec2.NewDescribeSnapshotsPaginator(client, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}})
	return pages(ctx, p, func(page *ec2.DescribeSnapshotsOutput) error {
		return forEach(ctx, page.Snapshots, func(ctx context.Context, s types.Snapshot) error {
			snapshot := Snapshot{Snapshot: s}
			r.part("CreateVolumePermissions", func() error {
				out, err := client.DescribeSnapshotAttribute(ctx, &ec2.DescribeSnapshotAttributeInput{
					SnapshotId: s.SnapshotId, Attribute: types.SnapshotAttributeNameCreateVolumePermission,
				})
				if err == nil {
					snapshot.CreateVolumePermissions = out.CreateVolumePermissions
				}
				return err
			})
			return emit(r.arn("ec2", "snapshot/"+aws.ToString(s.SnapshotId)), snapshot)
		})
	})
}
