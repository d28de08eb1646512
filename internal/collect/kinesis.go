package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

func kinesisKinds() []kind {
	return []kind{
		kindOf("kinesis.stream", regional, "kinesis:ListStreams,kinesis:DescribeStreamSummary", readStreams),
		kindOf("kinesis.limits", regional, "kinesis:DescribeLimits", readStreamLimits),
	}
}

func readStreams(ctx context.Context, r *reader, emit emit[types.StreamDescriptionSummary]) error {
	client := kinesis.NewFromConfig(r.config)
	return pages(ctx, client.ListStreams, &kinesis.ListStreamsInput{}, func(page *kinesis.ListStreamsOutput) error {
		return forEach(ctx, page.StreamNames, func(ctx context.Context, name string) error {
			out, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &name})
			if hasCode(err, "ResourceNotFoundException") {
				return nil
			}
			if err != nil {
				return err
			}
			return emit(aws.ToString(out.StreamDescriptionSummary.StreamARN), *out.StreamDescriptionSummary)
		})
	})
}

func readStreamLimits(ctx context.Context, r *reader, emit emit[kinesis.DescribeLimitsOutput]) error {
	out, err := kinesis.NewFromConfig(r.config).DescribeLimits(ctx, &kinesis.DescribeLimitsInput{})
	if err != nil {
		return err
	}
	return emit(r.task.region, *out)
}
