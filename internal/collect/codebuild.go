package collect

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

func codebuildKinds() []kind {
	return []kind{
		kindOf("codebuild.project", regional, "codebuild:ListProjects,codebuild:BatchGetProjects", readProjects),
	}
}

func readProjects(ctx context.Context, r *reader, emit emit[types.Project]) error {
	client := codebuild.NewFromConfig(r.config)
	p := codebuild.NewListProjectsPaginator(client, &codebuild.ListProjectsInput{})
	return pages(ctx, p, func(page *codebuild.ListProjectsOutput) error {
		for names := range slices.Chunk(page.Projects, 100) {
			out, err := client.BatchGetProjects(ctx, &codebuild.BatchGetProjectsInput{Names: names})
			if err != nil {
				return err
			}
			for _, project := range out.Projects {
				hideVariables(project.Environment)
				if err := emit(aws.ToString(project.Arn), project); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// hideVariables removes the values of environment variables: they may be secrets.
func hideVariables(e *types.ProjectEnvironment) {
	if e == nil {
		return
	}
	for i := range e.EnvironmentVariables {
		e.EnvironmentVariables[i].Value = nil
	}
}
