package collect

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func autoscalingKinds() []kind {
	return []kind{
		kindOf("autoscaling.group", regional, "autoscaling:DescribeAutoScalingGroups", readAutoScalingGroups),
		kindOf("autoscaling.launch-configuration", regional, "autoscaling:DescribeLaunchConfigurations", readLaunchConfigurations),
		kindOf("autoscaling.account-limit", regional, "autoscaling:DescribeAccountLimits", readAutoScalingLimits),
	}
}

func (r *reader) autoscaling() *autoscaling.Client { return autoscaling.NewFromConfig(r.config) }

// AutoScalingGroup is a group with what it launches instances from.
type AutoScalingGroup struct {
	types.AutoScalingGroup
	Launches []Launch `part:"autoscaling:DescribeLaunchConfigurations,ec2:DescribeLaunchTemplateVersions,ec2:DescribeImages" doc:"The launch configuration or the launch templates, with the image of each. A template that is not there is left out."`
}

// Launch is what an Auto Scaling group launches instances from.
type Launch struct {
	Type       string `doc:"Launch Configuration or Launch Template."`
	Name       string `doc:"Of the launch configuration or template."`
	ImageID    string `doc:"Of the AMI; empty when it comes from elsewhere, such as a parameter of Systems Manager."`
	ImageFound bool   `doc:"Whether the AMI is there and available, and the account may use it."`
}

func readAutoScalingGroups(ctx context.Context, r *reader, emit emit[AutoScalingGroup]) error {
	input := &autoscaling.DescribeAutoScalingGroupsInput{}
	return pages(ctx, r.autoscaling().DescribeAutoScalingGroups, input, func(page *autoscaling.DescribeAutoScalingGroupsOutput) error {
		return forEach(ctx, page.AutoScalingGroups, func(ctx context.Context, description types.AutoScalingGroup) error {
			g := AutoScalingGroup{AutoScalingGroup: description}
			r.part("Launches", func() (err error) {
				g.Launches, err = r.launches(ctx, description)
				return err
			})
			return emit(aws.ToString(g.AutoScalingGroupARN), g)
		})
	})
}

func (r *reader) launches(ctx context.Context, g types.AutoScalingGroup) ([]Launch, error) {
	launches, err := r.launchTemplates(ctx, launchTemplates(g))
	if err != nil {
		return nil, err
	}
	if name := aws.ToString(g.LaunchConfigurationName); name != "" {
		configurations, err := r.launchConfigurations(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range configurations {
			if aws.ToString(c.LaunchConfigurationName) == name {
				launches = append(launches, Launch{Type: "Launch Configuration", Name: name, ImageID: aws.ToString(c.ImageId)})
			}
		}
	}
	return launches, r.findImages(ctx, launches)
}

// launchTemplates returns the templates that a group names.
func launchTemplates(g types.AutoScalingGroup) (all []types.LaunchTemplateSpecification) {
	if g.LaunchTemplate != nil {
		all = append(all, *g.LaunchTemplate)
	}
	if g.MixedInstancesPolicy == nil || g.MixedInstancesPolicy.LaunchTemplate == nil {
		return all
	}
	mixed := g.MixedInstancesPolicy.LaunchTemplate
	if mixed.LaunchTemplateSpecification != nil {
		all = append(all, *mixed.LaunchTemplateSpecification)
	}
	for _, o := range mixed.Overrides {
		if o.LaunchTemplateSpecification != nil {
			all = append(all, *o.LaunchTemplateSpecification)
		}
	}
	return all
}

func (r *reader) launchTemplates(ctx context.Context, specifications []types.LaunchTemplateSpecification) (launches []Launch, err error) {
	for _, s := range specifications {
		input := &ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{cmp.Or(aws.ToString(s.Version), "$Default")}}
		if input.LaunchTemplateId = s.LaunchTemplateId; s.LaunchTemplateId == nil {
			input.LaunchTemplateName = s.LaunchTemplateName
		}
		out, err := ec2.NewFromConfig(r.config).DescribeLaunchTemplateVersions(ctx, input)
		if hasCode(err, "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateId.VersionNotFound") {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, v := range out.LaunchTemplateVersions {
			l := Launch{Type: "Launch Template", Name: aws.ToString(v.LaunchTemplateName)}
			if v.LaunchTemplateData != nil {
				l.ImageID = aws.ToString(v.LaunchTemplateData.ImageId)
			}
			launches = append(launches, l)
		}
	}
	return launches, nil
}

// findImages learns which images are there. An image that is not is no error
// when a filter asks for it.
func (r *reader) findImages(ctx context.Context, launches []Launch) error {
	for i := range launches {
		l := &launches[i]
		if !strings.HasPrefix(l.ImageID, "ami-") {
			l.ImageID = ""
			continue
		}
		out, err := once(r, "autoscaling:image:"+l.ImageID, func() (*ec2.DescribeImagesOutput, error) {
			return ec2.NewFromConfig(r.config).DescribeImages(ctx, &ec2.DescribeImagesInput{
				Filters:           []ec2types.Filter{{Name: aws.String("image-id"), Values: []string{l.ImageID}}},
				IncludeDeprecated: aws.Bool(true), IncludeDisabled: aws.Bool(true),
			})
		})
		if err != nil {
			return err
		}
		// A disabled or failed image is listed, but starts no instance.
		l.ImageFound = slices.ContainsFunc(out.Images, func(i ec2types.Image) bool { return i.State == "" || i.State == ec2types.ImageStateAvailable })
	}
	return nil
}

func (r *reader) launchConfigurations(ctx context.Context) ([]types.LaunchConfiguration, error) {
	return once(r, "autoscaling:DescribeLaunchConfigurations", func() ([]types.LaunchConfiguration, error) {
		return gather(ctx, r.autoscaling().DescribeLaunchConfigurations, &autoscaling.DescribeLaunchConfigurationsInput{},
			func(page *autoscaling.DescribeLaunchConfigurationsOutput) []types.LaunchConfiguration {
				return page.LaunchConfigurations
			})
	})
}

func readLaunchConfigurations(ctx context.Context, r *reader, emit emit[types.LaunchConfiguration]) error {
	all, err := r.launchConfigurations(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		c.UserData = nil // may contain secrets
		if err := emit(aws.ToString(c.LaunchConfigurationARN), c); err != nil {
			return err
		}
	}
	return nil
}

func readAutoScalingLimits(ctx context.Context, r *reader, emit emit[autoscaling.DescribeAccountLimitsOutput]) error {
	out, err := r.autoscaling().DescribeAccountLimits(ctx, &autoscaling.DescribeAccountLimitsInput{})
	if err != nil {
		return err
	}
	return emit(r.arn("autoscaling", "account-limit"), *out)
}
