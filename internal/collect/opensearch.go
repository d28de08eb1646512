package collect

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	"github.com/aws/aws-sdk-go-v2/service/opensearch/types"
)

// opensearchKinds are those of Amazon OpenSearch Service; its actions have the
// prefix of its old name. Its API has domains of Elasticsearch as well; they
// differ in EngineVersion.
func opensearchKinds() []kind {
	return []kind{
		kindOf("opensearch.domain", regional, "es:ListDomainNames,es:DescribeDomains", readOpenSearchDomains),
	}
}

// domainsPerCall is how many domains can be described at once.
const domainsPerCall = 5

func readOpenSearchDomains(ctx context.Context, r *reader, emit emit[types.DomainStatus]) error {
	client := opensearch.NewFromConfig(r.config)
	list, err := client.ListDomainNames(ctx, &opensearch.ListDomainNamesInput{})
	if err != nil {
		return err
	}
	var names []string
	for _, d := range list.DomainNames {
		names = append(names, aws.ToString(d.DomainName))
	}
	for some := range slices.Chunk(names, domainsPerCall) {
		out, err := client.DescribeDomains(ctx, &opensearch.DescribeDomainsInput{DomainNames: some})
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
