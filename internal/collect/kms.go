package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func kmsKinds() []kind {
	return []kind{
		kindOf("kms.key", regional, "kms:ListKeys,kms:DescribeKey", readKeys),
	}
}

func readKeys(ctx context.Context, r *reader, emit emit[types.KeyMetadata]) error {
	client := kms.NewFromConfig(r.config)
	return pages(ctx, client.ListKeys, &kms.ListKeysInput{Limit: aws.Int32(1000)}, func(page *kms.ListKeysOutput) error {
		return forEach(ctx, page.Keys, func(ctx context.Context, k types.KeyListEntry) error {
			out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyArn})
			if hasCode(err, "NotFoundException") {
				return nil
			}
			if err != nil {
				return err
			}
			return emit(aws.ToString(k.KeyArn), *out.KeyMetadata)
		})
	})
}
