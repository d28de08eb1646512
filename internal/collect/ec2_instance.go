package collect

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// instancePages calls f with the instances of every page. Filters are those of
// DescribeInstances.
func (r *reader) instancePages(ctx context.Context, f func([]types.Instance) error, filters ...types.Filter) error {
	input := &ec2.DescribeInstancesInput{MaxResults: aws.Int32(1000), Filters: filters}
	return pages(ctx, r.ec2().DescribeInstances, input, func(page *ec2.DescribeInstancesOutput) error {
		var all []types.Instance
		for _, reservation := range page.Reservations {
			all = append(all, reservation.Instances...)
		}
		return f(all)
	})
}

// running is the filter for instances that run.
func running() types.Filter {
	return types.Filter{Name: aws.String("instance-state-name"), Values: []string{"running"}}
}

func readInstances(ctx context.Context, r *reader, emit emit[types.Instance]) error {
	return r.instancePages(ctx, func(instances []types.Instance) error {
		for _, i := range instances {
			if err := emit(r.ec2ARN("instance", i.InstanceId), i); err != nil {
				return err
			}
		}
		return nil
	})
}

// instanceDays is over how many days instances are measured.
const instanceDays = 14

// InstanceMetrics is how a running instance was used.
type InstanceMetrics struct {
	InstanceId        string        `doc:"The instance."`
	InstanceType      string        `doc:"Such as m5.large."`
	AvailabilityZone  string        `doc:"Such as eu-west-1a."`
	PlatformDetails   string        `doc:"As the instance has it: Linux/UNIX, Windows."`
	InstanceLifecycle string        `doc:"As the instance has it: spot, scheduled, or nothing."`
	Tags              []types.Tag   `doc:"The tags of the instance."`
	Days              []InstanceDay `doc:"The last 14 spans of 24 hours, the oldest first."`
}

// InstanceDay is a day of an instance. What CloudWatch has no datapoint of is
// left out.
type InstanceDay struct {
	CPUUtilization *float64 `doc:"The average, in percent."`
	NetworkIn      *float64 `doc:"Bytes."`
	NetworkOut     *float64 `doc:"Bytes."`
}

func readInstanceMetrics(ctx context.Context, r *reader, emit emit[InstanceMetrics]) error {
	return r.instancePages(ctx, func(instances []types.Instance) error {
		var metrics []metric
		for _, i := range instances {
			of := map[string]string{"InstanceId": aws.ToString(i.InstanceId)}
			metrics = append(metrics,
				metric{"AWS/EC2", "CPUUtilization", "Average", of},
				metric{"AWS/EC2", "NetworkIn", "Sum", of},
				metric{"AWS/EC2", "NetworkOut", "Sum", of})
		}
		values, err := r.daily(ctx, instanceDays, metrics)
		if err != nil {
			return err
		}
		for n, i := range instances {
			r.wantInstancePrice(ctx, string(i.InstanceType))
			m := newInstanceMetrics(i, values[3*n:3*n+3])
			if err := emit(r.ec2ARN("instance", i.InstanceId), m); err != nil {
				return err
			}
		}
		return nil
	}, running())
}

// newInstanceMetrics takes the values of CPUUtilization, NetworkIn and NetworkOut.
func newInstanceMetrics(i types.Instance, values [][]*float64) InstanceMetrics {
	m := InstanceMetrics{
		InstanceId: aws.ToString(i.InstanceId), InstanceType: string(i.InstanceType),
		PlatformDetails: aws.ToString(i.PlatformDetails), InstanceLifecycle: string(i.InstanceLifecycle), Tags: i.Tags,
	}
	if i.Placement != nil {
		m.AvailabilityZone = aws.ToString(i.Placement.AvailabilityZone)
	}
	for day := range instanceDays {
		m.Days = append(m.Days, InstanceDay{CPUUtilization: values[0][day], NetworkIn: values[1][day], NetworkOut: values[2][day]})
	}
	return m
}

// InstanceThroughput is what went between a running instance and its volumes on
// the day before the collection, UTC.
type InstanceThroughput struct {
	InstanceId   string    `doc:"The instance."`
	InstanceType string    `doc:"Such as m5.large."`
	EbsOptimized bool      `doc:"As the instance has it; types that are always optimized may say false."`
	Megabytes    []float64 `doc:"Millions of bytes a second of all volumes together, of each five minutes that CloudWatch has datapoints of."`
}

// throughputInstances is of how many instances the throughput is asked at once:
// each has several volumes, and each of them 576 values a day.
const throughputInstances = 50

func readInstanceThroughput(ctx context.Context, r *reader, emit emit[InstanceThroughput]) error {
	return r.instancePages(ctx, func(instances []types.Instance) error {
		for len(instances) > 0 {
			n := min(throughputInstances, len(instances))
			if err := r.throughput(ctx, instances[:n], emit); err != nil {
				return err
			}
			instances = instances[n:]
		}
		return nil
	}, running())
}

func (r *reader) throughput(ctx context.Context, instances []types.Instance, emit emit[InstanceThroughput]) error {
	yesterday := span{begin: r.now.UTC().Truncate(24 * time.Hour).Add(-24 * time.Hour), period: 5 * time.Minute, count: 288}
	var metrics []metric
	var of []int // the instance of a metric
	for n, i := range instances {
		for _, device := range i.BlockDeviceMappings {
			if device.Ebs == nil {
				continue
			}
			volume := map[string]string{"VolumeId": aws.ToString(device.Ebs.VolumeId)}
			metrics = append(metrics,
				metric{"AWS/EBS", "VolumeReadBytes", "Sum", volume},
				metric{"AWS/EBS", "VolumeWriteBytes", "Sum", volume})
			of = append(of, n, n)
		}
	}
	values, err := r.series(ctx, yesterday, metrics)
	if err != nil {
		return err
	}
	for n, i := range instances {
		var own [][]*float64
		for m := range metrics {
			if of[m] == n {
				own = append(own, values[m])
			}
		}
		t := InstanceThroughput{
			InstanceId: aws.ToString(i.InstanceId), InstanceType: string(i.InstanceType), EbsOptimized: aws.ToBool(i.EbsOptimized),
		}
		for _, bytes := range known(total(own...)) {
			t.Megabytes = append(t.Megabytes, bytes/yesterday.period.Seconds()/1e6)
		}
		if err := emit(r.ec2ARN("instance", i.InstanceId), t); err != nil {
			return err
		}
	}
	return nil
}

func readInstanceTypes(ctx context.Context, r *reader, emit emit[types.InstanceTypeInfo]) error {
	return eachItem(ctx, r.ec2().DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{},
		func(page *ec2.DescribeInstanceTypesOutput) []types.InstanceTypeInfo { return page.InstanceTypes },
		func(t types.InstanceTypeInfo) error { return emit(string(t.InstanceType), t) })
}

func readReservedInstances(ctx context.Context, r *reader, emit emit[types.ReservedInstances]) error {
	out, err := r.ec2().DescribeReservedInstances(ctx, &ec2.DescribeReservedInstancesInput{})
	if err != nil {
		return err
	}
	for _, reserved := range out.ReservedInstances {
		r.wantInstancePrice(ctx, string(reserved.InstanceType))
		if err := emit(r.ec2ARN("reserved-instances", reserved.ReservedInstancesId), reserved); err != nil {
			return err
		}
	}
	return nil
}

func readImages(ctx context.Context, r *reader, emit emit[types.Image]) error {
	return eachItem(ctx, r.ec2().DescribeImages, &ec2.DescribeImagesInput{Owners: []string{"self"}},
		func(page *ec2.DescribeImagesOutput) []types.Image { return page.Images },
		func(i types.Image) error { return emit(r.ec2ARN("image", i.ImageId), i) })
}

// LaunchTemplate is a launch template with what two of its versions say.
type LaunchTemplate struct {
	types.LaunchTemplate
	Default types.ResponseLaunchTemplateData `part:"ec2:DescribeLaunchTemplateVersions" doc:"What the default version says, without its user data."`
	Latest  types.ResponseLaunchTemplateData `part:"ec2:DescribeLaunchTemplateVersions" doc:"What the latest version says, without its user data."`
}

func readLaunchTemplates(ctx context.Context, r *reader, emit emit[LaunchTemplate]) error {
	client := r.ec2()
	input := &ec2.DescribeLaunchTemplatesInput{}
	return pages(ctx, client.DescribeLaunchTemplates, input, func(page *ec2.DescribeLaunchTemplatesOutput) error {
		return forEach(ctx, page.LaunchTemplates, func(ctx context.Context, t types.LaunchTemplate) error {
			template := LaunchTemplate{LaunchTemplate: t}
			read := func(version string, data *types.ResponseLaunchTemplateData) func() error {
				return func() error { return readLaunchTemplateVersion(ctx, client, t.LaunchTemplateId, version, data) }
			}
			r.part("Default", read("$Default", &template.Default), "InvalidLaunchTemplateId.NotFound")
			r.part("Latest", read("$Latest", &template.Latest), "InvalidLaunchTemplateId.NotFound")
			return emit(r.ec2ARN("launch-template", t.LaunchTemplateId), template)
		})
	})
}

func readLaunchTemplateVersion(ctx context.Context, client *ec2.Client, id *string, version string, data *types.ResponseLaunchTemplateData) error {
	out, err := client.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: id, Versions: []string{version}})
	if err != nil {
		return err
	}
	for _, v := range out.LaunchTemplateVersions {
		if v.LaunchTemplateData != nil {
			*data = *v.LaunchTemplateData
			data.UserData = nil // it often has passwords
		}
	}
	return nil
}
