package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

func snsKinds() []kind {
	return []kind{
		kindOf("sns.topic", regional, "sns:ListTopics,sns:GetTopicAttributes", readTopics),
	}
}

// Topic is a topic.
type Topic struct {
	TopicArn   string
	Attributes map[string]string `doc:"All that GetTopicAttributes tells, by name."`
}

func readTopics(ctx context.Context, r *reader, emit emit[Topic]) error {
	client := sns.NewFromConfig(r.config)
	return pages(ctx, client.ListTopics, &sns.ListTopicsInput{}, func(page *sns.ListTopicsOutput) error {
		return forEach(ctx, page.Topics, func(ctx context.Context, t types.Topic) error {
			out, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: t.TopicArn})
			if hasCode(err, "NotFound", "NotFoundException") {
				return nil
			}
			if err != nil {
				return err
			}
			return emit(aws.ToString(t.TopicArn), Topic{TopicArn: aws.ToString(t.TopicArn), Attributes: out.Attributes})
		})
	})
}
