package collect

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice/types"
)

func elasticsearchKinds() []kind {
	return []kind{
		kindOf("elasticsearch.domain", regional, "es:ListDomainNames,es:DescribeElasticsearchDomains", readElasticsearchDomains),
	}
}

func readElasticsearchDomains(ctx context.Context, r *reader, emit emit[types.ElasticsearchDomainStatus]) error {
	client := elasticsearchservice.NewFromConfig(r.config)
	list, err := client.ListDomainNames(ctx, &elasticsearchservice.ListDomainNamesInput{EngineType: types.EngineTypeElasticsearch})
	if err != nil {
		return err
	}
	var names []string
	for _, d := range list.DomainNames {
		names = append(names, aws.ToString(d.DomainName))
	}
	for some := range slices.Chunk(names, domainsPerCall) {
		out, err := client.DescribeElasticsearchDomains(ctx, &elasticsearchservice.DescribeElasticsearchDomainsInput{DomainNames: some})
		if err != nil {
			return err
		}
		for _, d := range out.DomainStatusList {
			if err := emit(aws.ToString(d.ARN), d); err != nil {
				return err
			}
		}
	}
	return nil
}
