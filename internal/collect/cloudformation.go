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
	p := cloudformation.NewDescribeStacksPaginator(cloudformation.NewFromConfig(r.config), &cloudformation.DescribeStacksInput{})
	return pages(ctx, p, func(page *cloudformation.DescribeStacksOutput) error {
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
	p := cloudformation.NewDescribeAccountLimitsPaginator(cloudformation.NewFromConfig(r.config), &cloudformation.DescribeAccountLimitsInput{})
	return pages(ctx, p, func(page *cloudformation.DescribeAccountLimitsOutput) error {
		for _, l := range page.AccountLimits {
			if err := emit(aws.ToString(l.Name), l); err != nil {
				return err
			}
		}
		return nil
	})
}
