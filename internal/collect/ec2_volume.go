package collect

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (r *reader) volumePages(ctx context.Context, f func([]types.Volume) error, filters ...types.Filter) error {
	input := &ec2.DescribeVolumesInput{MaxResults: aws.Int32(500), Filters: filters}
	return pages(ctx, r.ec2().DescribeVolumes, input, func(page *ec2.DescribeVolumesOutput) error { return f(page.Volumes) })
}

func readVolumes(ctx context.Context, r *reader, emit emit[types.Volume]) error {
	return r.volumePages(ctx, func(volumes []types.Volume) error {
		for _, v := range volumes {
			if err := emit(r.ec2ARN("volume", v.VolumeId), v); err != nil {
				return err
			}
		}
		return nil
	})
}

// VolumeMetrics is how an attached volume was used.
type VolumeMetrics struct {
	VolumeId string      `doc:"The volume."`
	Days     []VolumeDay `doc:"The last 7 spans of 24 hours, the oldest first."`
}

// VolumeDay is a day of a volume. What CloudWatch has no datapoint of is left out.
type VolumeDay struct {
	Operations *float64 `doc:"How often it was read or written."`
}

// volumeDays is over how many days attached volumes are measured.
const volumeDays = 7

func readVolumeMetrics(ctx context.Context, r *reader, emit emit[VolumeMetrics]) error {
	return r.volumePages(ctx, func(volumes []types.Volume) error {
		r.wantVolumePrices(ctx, volumes)
		attached := slices.DeleteFunc(volumes, func(v types.Volume) bool { return v.State != types.VolumeStateInUse })
		values, err := r.daily(ctx, volumeDays, volumeOperations(attached))
		if err != nil {
			return err
		}
		for n, v := range attached {
			m := VolumeMetrics{VolumeId: aws.ToString(v.VolumeId)}
			for _, operations := range total(values[2*n : 2*n+2]...) {
				m.Days = append(m.Days, VolumeDay{Operations: operations})
			}
			if err := emit(r.ec2ARN("volume", v.VolumeId), m); err != nil {
				return err
			}
		}
		return nil
	})
}

// volumeOperations returns two metrics of each volume.
func volumeOperations(volumes []types.Volume) (metrics []metric) {
	for _, v := range volumes {
		of := map[string]string{"VolumeId": aws.ToString(v.VolumeId)}
		metrics = append(metrics, metric{"AWS/EBS", "VolumeReadOps", "Sum", of}, metric{"AWS/EBS", "VolumeWriteOps", "Sum", of})
	}
	return metrics
}

// MagneticVolumeMetrics is how a magnetic volume that is attached was used, hour
// by hour.
type MagneticVolumeMetrics struct {
	VolumeId    string                   `doc:"The volume."`
	Attachments []types.VolumeAttachment `doc:"What it is attached to."`
	Tags        []types.Tag              `doc:"The tags of the volume."`
	Days        []MagneticVolumeDay      `doc:"The last 14 days, UTC, the oldest first and none of today."`
}

// MagneticVolumeDay is a day of a magnetic volume.
type MagneticVolumeDay struct {
	IOPS []float64 `doc:"Operations a second of every hour that CloudWatch has datapoints of, in ascending order."`
}

// magneticVolumeDays is over how many days magnetic volumes are measured.
const magneticVolumeDays = 14

func readMagneticVolumeMetrics(ctx context.Context, r *reader, emit emit[MagneticVolumeMetrics]) error {
	hours := span{begin: r.now.UTC().Truncate(24 * time.Hour).Add(-magneticVolumeDays * 24 * time.Hour), period: time.Hour, count: magneticVolumeDays * 24}
	filters := []types.Filter{
		{Name: aws.String("status"), Values: []string{"in-use"}},
		{Name: aws.String("volume-type"), Values: []string{"standard"}},
	}
	return r.volumePages(ctx, func(volumes []types.Volume) error {
		values, err := r.series(ctx, hours, volumeOperations(volumes))
		if err != nil {
			return err
		}
		for n, v := range volumes {
			m := MagneticVolumeMetrics{VolumeId: aws.ToString(v.VolumeId), Attachments: v.Attachments, Tags: v.Tags}
			for day := range slices.Chunk(total(values[2*n:2*n+2]...), 24) {
				var d MagneticVolumeDay
				for _, operations := range known(day) {
					d.IOPS = append(d.IOPS, operations/hours.period.Seconds())
				}
				slices.Sort(d.IOPS)
				m.Days = append(m.Days, d)
			}
			if err := emit(r.ec2ARN("volume", v.VolumeId), m); err != nil {
				return err
			}
		}
		return nil
	}, filters...)
}

// Snapshot is a snapshot of the account's own.
type Snapshot struct {
	types.Snapshot
	Public bool `part:"ec2:DescribeSnapshots,ec2:DescribeSnapshotAttribute" doc:"Whether everybody may make volumes of it."`
}

func readSnapshots(ctx context.Context, r *reader, emit emit[Snapshot]) error {
	client := r.ec2()
	var candidates map[string]bool
	r.part("Public", func() (err error) {
		candidates, err = publicSnapshots(ctx, client)
		return err
	})
	input := &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, MaxResults: aws.Int32(1000)}
	return pages(ctx, client.DescribeSnapshots, input, func(page *ec2.DescribeSnapshotsOutput) error {
		return forEach(ctx, page.Snapshots, func(ctx context.Context, s types.Snapshot) error {
			snapshot := Snapshot{Snapshot: s}
			if candidates[aws.ToString(s.SnapshotId)] {
				r.part("Public", func() (err error) {
					snapshot.Public, err = isPublic(ctx, client, s.SnapshotId)
					return err
				}, "InvalidSnapshot.NotFound")
			}
			return emit(r.ec2ARN("snapshot", s.SnapshotId), snapshot)
		})
	})
}

// publicSnapshots returns the account's snapshots that everybody may restore.
// Endpoints that do not know the condition return more.
func publicSnapshots(ctx context.Context, client *ec2.Client) (map[string]bool, error) {
	all := map[string]bool{}
	err := eachItem(ctx, client.DescribeSnapshots, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, RestorableByUserIds: []string{"all"}},
		func(page *ec2.DescribeSnapshotsOutput) []types.Snapshot { return page.Snapshots },
		func(s types.Snapshot) error {
			all[aws.ToString(s.SnapshotId)] = true
			return nil
		})
	return all, err
}

func isPublic(ctx context.Context, client *ec2.Client, id *string) (bool, error) {
	out, err := client.DescribeSnapshotAttribute(ctx, &ec2.DescribeSnapshotAttributeInput{
		SnapshotId: id, Attribute: types.SnapshotAttributeNameCreateVolumePermission,
	})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(out.CreateVolumePermissions, func(p types.CreateVolumePermission) bool {
		return p.Group == types.PermissionGroupAll
	}), nil
}
