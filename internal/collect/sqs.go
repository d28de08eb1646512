package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func sqsKinds() []kind {
	return []kind{
		kindOf("sqs.queue", regional, "sqs:ListQueues,sqs:GetQueueAttributes", readQueues),
	}
}

// Queue is a queue.
type Queue struct {
	QueueUrl   string
	Attributes map[string]string `doc:"All that GetQueueAttributes tells, by name."`
}

func readQueues(ctx context.Context, r *reader, emit emit[Queue]) error {
	client := sqs.NewFromConfig(r.config)
	// Without a number of results SQS answers the first thousand and no token.
	return pages(ctx, client.ListQueues, &sqs.ListQueuesInput{MaxResults: aws.Int32(1000)}, func(page *sqs.ListQueuesOutput) error {
		return forEach(ctx, page.QueueUrls, func(ctx context.Context, address string) error {
			out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
				QueueUrl: &address, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
			})
			if hasCode(err, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue") {
				return nil
			}
			if err != nil {
				return err
			}
			return emit(out.Attributes["QueueArn"], Queue{QueueUrl: address, Attributes: out.Attributes})
		})
	})
}
