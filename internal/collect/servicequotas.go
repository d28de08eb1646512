package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
)

func servicequotasKinds() []kind {
	return []kind{quotasOf("ebs"), quotasOf("ec2"), quotasOf("vpc")}
}

// quotasOf declares the kind of a service's quotas, each with the value that
// applies to the account.
func quotasOf(service string) kind {
	const actions = "servicequotas:ListAWSDefaultServiceQuotas,servicequotas:ListServiceQuotas"
	return kindOf("servicequotas."+service, regional, actions, func(ctx context.Context, r *reader, emit emit[types.ServiceQuota]) error {
		quotas, err := r.quotas(ctx, service)
		if err != nil {
			return err
		}
		for code, q := range quotas {
			if err := emit(r.arn("servicequotas", service+"/"+code), q); err != nil {
				return err
			}
		}
		return nil
	})
}

// quotas returns a service's quotas by code. The list of those that apply lacks
// quotas of which nobody asked for another value, so the defaults are read too.
func (r *reader) quotas(ctx context.Context, service string) (map[string]types.ServiceQuota, error) {
	client := servicequotas.NewFromConfig(r.config)
	quotas := map[string]types.ServiceQuota{}
	add := func(q types.ServiceQuota) error {
		if q.Value != nil {
			quotas[aws.ToString(q.QuotaCode)] = q
		}
		return nil
	}
	err := eachItem(ctx, client.ListAWSDefaultServiceQuotas, &servicequotas.ListAWSDefaultServiceQuotasInput{ServiceCode: &service},
		func(page *servicequotas.ListAWSDefaultServiceQuotasOutput) []types.ServiceQuota { return page.Quotas }, add)
	if err != nil {
		return nil, err
	}
	err = eachItem(ctx, client.ListServiceQuotas, &servicequotas.ListServiceQuotasInput{ServiceCode: &service},
		func(page *servicequotas.ListServiceQuotasOutput) []types.ServiceQuota { return page.Quotas }, add)
	return quotas, err
}
