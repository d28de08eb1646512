package collect

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

func elasticbeanstalkKinds() []kind {
	return []kind{
		kindOf("elasticbeanstalk.environment", regional, "elasticbeanstalk:DescribeEnvironments", readEnvironments),
	}
}

// BeanstalkEnvironment is an environment that was not terminated.
type BeanstalkEnvironment struct {
	types.EnvironmentDescription
	Options map[string]string `part:"elasticbeanstalk:DescribeConfigurationSettings" doc:"Three options of what is deployed, by namespace and name: aws:elasticbeanstalk:managedactions/ManagedActionsEnabled, aws:elasticbeanstalk:healthreporting:system/SystemType and aws:elasticbeanstalk:cloudwatch:logs/StreamLogs. Others may be secrets and are left out."`
}

func readEnvironments(ctx context.Context, r *reader, emit emit[BeanstalkEnvironment]) error {
	client := elasticbeanstalk.NewFromConfig(r.config)
	input := &elasticbeanstalk.DescribeEnvironmentsInput{IncludeDeleted: aws.Bool(false), MaxRecords: aws.Int32(100)}
	return pages(ctx, client.DescribeEnvironments, input, func(page *elasticbeanstalk.DescribeEnvironmentsOutput) error {
		return forEach(ctx, page.Environments, func(ctx context.Context, description types.EnvironmentDescription) error {
			if description.Status == types.EnvironmentStatusTerminated {
				return nil
			}
			e := BeanstalkEnvironment{EnvironmentDescription: description}
			r.part("Options", func() (err error) {
				e.Options, err = environmentOptions(ctx, client, description)
				return err
			})
			return emit(aws.ToString(e.EnvironmentArn), e)
		})
	})
}

func environmentOptions(ctx context.Context, client *elasticbeanstalk.Client, e types.EnvironmentDescription) (map[string]string, error) {
	out, err := client.DescribeConfigurationSettings(ctx, &elasticbeanstalk.DescribeConfigurationSettingsInput{
		ApplicationName: e.ApplicationName, EnvironmentName: e.EnvironmentName,
	})
	if err != nil {
		return nil, err
	}
	options := map[string]string{}
	for _, settings := range out.ConfigurationSettings {
		if !deployed(settings) {
			continue
		}
		for _, s := range settings.OptionSettings {
			name := aws.ToString(s.Namespace) + "/" + aws.ToString(s.OptionName)
			if slices.Contains(harmlessOptions(), name) {
				options[name] = aws.ToString(s.Value)
			}
		}
	}
	return options, nil
}

// deployed reports whether settings are what an environment runs with: while it
// is updated, there are those of the draft too, and those that failed.
func deployed(s types.ConfigurationSettingsDescription) bool {
	return s.DeploymentStatus == "" || s.DeploymentStatus == types.ConfigurationDeploymentStatusDeployed
}

// harmlessOptions are those that are collected. Environment variables are in
// several namespaces: aws:cloudformation:template:parameter repeats them all.
func harmlessOptions() []string {
	return []string{
		"aws:elasticbeanstalk:cloudwatch:logs/StreamLogs",
		"aws:elasticbeanstalk:healthreporting:system/SystemType",
		"aws:elasticbeanstalk:managedactions/ManagedActionsEnabled",
	}
}
