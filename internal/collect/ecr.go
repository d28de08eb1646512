package collect

import (
	"context"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

func ecrKinds() []kind {
	return []kind{
		kindOf("ecr.repository", regional, "ecr:DescribeRepositories", readRepositories),
	}
}

func (r *reader) ecr() *ecr.Client { return ecr.NewFromConfig(r.config) }

// ECRRepository is a private repository.
type ECRRepository struct {
	types.Repository
	LifecyclePolicy   string `part:"ecr:GetLifecyclePolicy" doc:"The text of its lifecycle policy; empty when it has none."`
	ScannedByRegistry bool   `part:"ecr:GetRegistryScanningConfiguration" doc:"Whether a rule of the registry has its images scanned when they are pushed, or continuously."`
}

func readRepositories(ctx context.Context, r *reader, emit emit[ECRRepository]) error {
	client := r.ecr()
	return pages(ctx, client.DescribeRepositories, &ecr.DescribeRepositoriesInput{}, func(page *ecr.DescribeRepositoriesOutput) error {
		return forEach(ctx, page.Repositories, func(ctx context.Context, description types.Repository) error {
			repository := ECRRepository{Repository: description}
			parts := parts{reader: r, codes: []string{"RepositoryNotFoundException"}}
			parts.read("LifecyclePolicy", func() error {
				out, err := client.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{
					RegistryId: description.RegistryId, RepositoryName: description.RepositoryName,
				})
				if err == nil {
					repository.LifecyclePolicy = aws.ToString(out.LifecyclePolicyText)
				}
				return err
			}, "LifecyclePolicyNotFoundException")
			parts.read("ScannedByRegistry", func() (err error) {
				repository.ScannedByRegistry, err = r.scannedByRegistry(ctx, aws.ToString(description.RepositoryName))
				return err
			})
			if parts.gone {
				return nil
			}
			return emit(aws.ToString(repository.RepositoryArn), repository)
		})
	})
}

func (r *reader) scannedByRegistry(ctx context.Context, name string) (bool, error) {
	out, err := once(r, "ecr:GetRegistryScanningConfiguration", func() (*ecr.GetRegistryScanningConfigurationOutput, error) {
		return r.ecr().GetRegistryScanningConfiguration(ctx, &ecr.GetRegistryScanningConfigurationInput{})
	})
	if err != nil || out.ScanningConfiguration == nil {
		return false, err
	}
	for _, rule := range out.ScanningConfiguration.Rules {
		if rule.ScanFrequency == types.ScanFrequencyManual {
			continue
		}
		for _, f := range rule.RepositoryFilters {
			if filterMatches(aws.ToString(f.Filter), name) {
				return true, nil
			}
		}
	}
	return false, nil
}

// filterMatches reports whether a filter of the registry is for a repository. A
// filter without * is for all whose names contain it.
func filterMatches(filter, name string) bool {
	parts := strings.Split(filter, "*")
	if len(parts) == 1 {
		return strings.Contains(name, filter)
	}
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	matched, err := regexp.MatchString("^"+strings.Join(parts, ".*")+"$", name)
	return matched && err == nil
}
