package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
)

func acmKinds() []kind {
	return []kind{
		kindOf("acm.certificate", regional, "acm:ListCertificates,acm:DescribeCertificate", readCertificates),
	}
}

func readCertificates(ctx context.Context, r *reader, emit emit[types.CertificateDetail]) error {
	client := acm.NewFromConfig(r.config)
	// ACM lists RSA keys of 1024 and 2048 bits only when it is not asked for others.
	all := &types.Filters{KeyTypes: types.KeyAlgorithm("").Values()}
	return pages(ctx, client.ListCertificates, &acm.ListCertificatesInput{Includes: all}, func(page *acm.ListCertificatesOutput) error {
		return forEach(ctx, page.CertificateSummaryList, func(ctx context.Context, c types.CertificateSummary) error {
			out, err := client.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: c.CertificateArn})
			if hasCode(err, "ResourceNotFoundException") {
				return nil
			}
			if err != nil {
				return err
			}
			return emit(aws.ToString(c.CertificateArn), *out.Certificate)
		})
	})
}
