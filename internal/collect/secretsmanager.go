package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

func secretsmanagerKinds() []kind {
	return []kind{
		kindOf("secretsmanager.secret", regional, "secretsmanager:ListSecrets", readSecrets),
	}
}

// readSecrets leaves out secrets that are to be deleted, as the API does unless
// it is asked for them.
func readSecrets(ctx context.Context, r *reader, emit emit[types.SecretListEntry]) error {
	input := &secretsmanager.ListSecretsInput{}
	return pages(ctx, secretsmanager.NewFromConfig(r.config).ListSecrets, input, func(page *secretsmanager.ListSecretsOutput) error {
		for _, s := range page.SecretList {
			if err := emit(aws.ToString(s.ARN), s); err != nil {
				return err
			}
		}
		return nil
	})
}
