package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"
)

func efsKinds() []kind {
	return []kind{
		kindOf("efs.file-system", regional, "elasticfilesystem:DescribeFileSystems", readFileSystems),
		kindOf("efs.access-point", regional, "elasticfilesystem:DescribeAccessPoints", readAccessPoints),
		kindOf("efs.mount-target", regional, "elasticfilesystem:DescribeFileSystems,elasticfilesystem:DescribeMountTargets", readMountTargets),
	}
}

func (r *reader) efs() *efs.Client { return efs.NewFromConfig(r.config) }

func (r *reader) fileSystems(ctx context.Context) ([]types.FileSystemDescription, error) {
	return once(r, "efs:DescribeFileSystems", func() ([]types.FileSystemDescription, error) {
		return gather(ctx, r.efs().DescribeFileSystems, &efs.DescribeFileSystemsInput{},
			func(page *efs.DescribeFileSystemsOutput) []types.FileSystemDescription { return page.FileSystems })
	})
}

func readFileSystems(ctx context.Context, r *reader, emit emit[types.FileSystemDescription]) error {
	all, err := r.fileSystems(ctx)
	if err != nil {
		return err
	}
	for _, f := range all {
		if err := emit(aws.ToString(f.FileSystemArn), f); err != nil {
			return err
		}
	}
	return nil
}

func readAccessPoints(ctx context.Context, r *reader, emit emit[types.AccessPointDescription]) error {
	return pages(ctx, r.efs().DescribeAccessPoints, &efs.DescribeAccessPointsInput{}, func(page *efs.DescribeAccessPointsOutput) error {
		for _, a := range page.AccessPoints {
			if err := emit(aws.ToString(a.AccessPointArn), a); err != nil {
				return err
			}
		}
		return nil
	})
}

func readMountTargets(ctx context.Context, r *reader, emit emit[types.MountTargetDescription]) error {
	all, err := r.fileSystems(ctx)
	if err != nil {
		return err
	}
	return forEach(ctx, all, func(ctx context.Context, f types.FileSystemDescription) error {
		input := &efs.DescribeMountTargetsInput{FileSystemId: f.FileSystemId}
		err := pages(ctx, r.efs().DescribeMountTargets, input, func(page *efs.DescribeMountTargetsOutput) error {
			for _, m := range page.MountTargets {
				if err := emit(r.arn("elasticfilesystem", "mount-target/"+aws.ToString(m.MountTargetId)), m); err != nil {
					return err
				}
			}
			return nil
		})
		if hasCode(err, "FileSystemNotFound") {
			return nil
		}
		return err
	})
}
