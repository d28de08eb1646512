package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ses"
)

func sesKinds() []kind {
	return []kind{
		kindOf("ses.send-quota", regional, "ses:GetSendQuota", readSendQuota),
	}
}

func readSendQuota(ctx context.Context, r *reader, emit emit[ses.GetSendQuotaOutput]) error {
	out, err := ses.NewFromConfig(r.config).GetSendQuota(ctx, &ses.GetSendQuotaInput{})
	if err != nil {
		return err
	}
	return emit(r.task.region, *out)
}
