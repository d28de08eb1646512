package collect

import (
	"context"
	"strings"

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
	Options map[string]string `part:"elasticbeanstalk:DescribeConfigurationSettings" doc:"Its configuration by namespace and option, such as aws:elasticbeanstalk:managedactions/ManagedActionsEnabled. Environment variables and passwords are left out."`
}

func readEnvironments(ctx context.Context, r *reader, emit emit[BeanstalkEnvironment]) error {
	client := elasticbeanstalk.NewFromConfig(r.config)
	return byToken(func(token *string) (*string, error) {
		out, err := client.DescribeEnvironments(ctx, &elasticbeanstalk.DescribeEnvironmentsInput{
			IncludeDeleted: aws.Bool(false), MaxRecords: aws.Int32(100), NextToken: token,
		})
		if err != nil {
			return nil, err
		}
		return out.NextToken, forEach(ctx, out.Environments, func(ctx context.Context, description types.EnvironmentDescription) error {
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
		for _, s := range settings.OptionSettings {
			if mayBeSecret(s) {
				continue
			}
			options[aws.ToString(s.Namespace)+"/"+aws.ToString(s.OptionName)] = aws.ToString(s.Value)
		}
	}
	return options, nil
}

func mayBeSecret(s types.ConfigurationOptionSetting) bool {
	return aws.ToString(s.Namespace) == "aws:elasticbeanstalk:application:environment" ||
		strings.Contains(aws.ToString(s.OptionName), "Password")
}
