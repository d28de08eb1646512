package collect

import (
	"context"
	"regexp"
	"slices"
	"strings"

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
	return pages(ctx, client.ListProjects, &codebuild.ListProjectsInput{}, func(page *codebuild.ListProjectsOutput) error {
		for names := range slices.Chunk(page.Projects, 100) {
			out, err := client.BatchGetProjects(ctx, &codebuild.BatchGetProjectsInput{Names: names})
			if err != nil {
				return err
			}
			for _, project := range out.Projects {
				hideVariables(project.Environment)
				project.Webhook = nil // its address and secret let everybody start builds
				hideCredentials(project.Source)
				for i := range project.SecondarySources {
					hideCredentials(&project.SecondarySources[i])
				}
				if err := emit(aws.ToString(project.Arn), project); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// hideCredentials makes stars of the credentials in the address of a source, of
// the name and the password apart. A build specification may have secrets too.
func hideCredentials(s *types.ProjectSource) {
	if s == nil {
		return
	}
	if s.Buildspec = nil; s.Location == nil {
		return
	}
	m := withCredentials.FindStringSubmatch(*s.Location)
	switch {
	case m == nil:
	case strings.Contains(m[2], ":"):
		s.Location = aws.String(m[1] + "***:***@" + m[3])
	default:
		s.Location = aws.String(m[1] + "***@" + m[3])
	}
}

// withCredentials is an address with a user: what it begins with, the user, and
// what follows.
var withCredentials = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*://)([^/]*)@(.*)$`)

// hideVariables removes the values of environment variables: they may be secrets.
func hideVariables(e *types.ProjectEnvironment) {
	if e == nil {
		return
	}
	for i := range e.EnvironmentVariables {
		e.EnvironmentVariables[i].Value = nil
	}
}
