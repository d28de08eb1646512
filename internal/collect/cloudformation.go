package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func cloudformationKinds() []kind {
	return []kind{
		kindOf("cloudformation.stack", regional, "cloudformation:DescribeStacks", readStacks),
		kindOf("cloudformation.account-limit", regional, "cloudformation:DescribeAccountLimits", readStackLimits),
	}
}

func readStacks(ctx context.Context, r *reader, emit emit[types.Stack]) error {
	input := &cloudformation.DescribeStacksInput{}
	return pages(ctx, cloudformation.NewFromConfig(r.config).DescribeStacks, input, func(page *cloudformation.DescribeStacksOutput) error {
		for _, s := range page.Stacks {
			s.Parameters, s.Outputs = nil, nil // may contain secrets
			if err := emit(aws.ToString(s.StackId), s); err != nil {
				return err
			}
		}
		return nil
	})
}

func readStackLimits(ctx context.Context, r *reader, emit emit[types.AccountLimit]) error {
	input := &cloudformation.DescribeAccountLimitsInput{}
	return pages(ctx, cloudformation.NewFromConfig(r.config).DescribeAccountLimits, input, func(page *cloudformation.DescribeAccountLimitsOutput) error {
		for _, l := range page.AccountLimits {
			if err := emit(aws.ToString(l.Name), l); err != nil {
				return err
			}
		}
		return nil
	})
}
