package collect

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func ecsKinds() []kind {
	return []kind{
		kindOf("ecs.cluster", regional, "ecs:ListClusters,ecs:DescribeClusters", readECSClusters),
		kindOf("ecs.service", regional, "ecs:ListClusters,ecs:ListServices,ecs:DescribeServices", readECSServices),
		kindOf("ecs.task", regional, "ecs:ListClusters,ecs:ListTasks,ecs:DescribeTasks", readECSTasks),
		kindOf("ecs.task-definition", regional, "ecs:ListTaskDefinitionFamilies,ecs:DescribeTaskDefinition", readTaskDefinitions),
		kindOf("ecs.account-setting", regional, "ecs:ListAccountSettings", readECSSettings),
	}
}

func (r *reader) ecs() *ecs.Client { return ecs.NewFromConfig(r.config) }

func (r *reader) ecsClusters(ctx context.Context) ([]string, error) {
	return once(r, "ecs:ListClusters", func() ([]string, error) {
		return gather(ctx, r.ecs().ListClusters, &ecs.ListClustersInput{},
			func(page *ecs.ListClustersOutput) []string { return page.ClusterArns })
	})
}

func readECSClusters(ctx context.Context, r *reader, emit emit[types.Cluster]) error {
	arns, err := r.ecsClusters(ctx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(arns, 100) {
		out, err := r.ecs().DescribeClusters(ctx, &ecs.DescribeClustersInput{
			Clusters: some, Include: []types.ClusterField{types.ClusterFieldSettings, types.ClusterFieldTags},
		})
		if err != nil {
			return err
		}
		for _, c := range out.Clusters {
			if err := emit(aws.ToString(c.ClusterArn), c); err != nil {
				return err
			}
		}
	}
	return nil
}

// inCluster calls f with lists of ARNs in a cluster, as long as most. A cluster
// that is gone has none.
func inCluster(ctx context.Context, r *reader, list func(context.Context, string) ([]string, error), most int, f func(context.Context, string, []string) error) error {
	clusters, err := r.ecsClusters(ctx)
	if err != nil {
		return err
	}
	return forEach(ctx, clusters, func(ctx context.Context, cluster string) error {
		arns, err := list(ctx, cluster)
		for some := range slices.Chunk(arns, most) {
			if err != nil {
				break
			}
			err = f(ctx, cluster, some)
		}
		if hasCode(err, "ClusterNotFoundException") {
			return nil
		}
		return err
	})
}

func readECSServices(ctx context.Context, r *reader, emit emit[types.Service]) error {
	client := r.ecs()
	list := func(ctx context.Context, cluster string) ([]string, error) {
		return gather(ctx, client.ListServices, &ecs.ListServicesInput{Cluster: &cluster, MaxResults: aws.Int32(100)},
			func(page *ecs.ListServicesOutput) []string { return page.ServiceArns })
	}
	return inCluster(ctx, r, list, 10, func(ctx context.Context, cluster string, arns []string) error {
		out, err := client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: arns})
		if err != nil {
			return err
		}
		for _, s := range out.Services {
			s.Events = nil
			hideLogOptions(s.Deployments)
			if err := emit(aws.ToString(s.ServiceArn), s); err != nil {
				return err
			}
		}
		return nil
	})
}

// ECSTask is a running task.
type ECSTask struct {
	TaskArn           string `doc:"The ARN of the task."`
	ClusterArn        string `doc:"The cluster that it runs in."`
	Group             string `doc:"What started it: service:name, family:name."`
	AvailabilityZone  string `doc:"Such as eu-west-1a."`
	LaunchType        string `doc:"EC2, FARGATE, EXTERNAL or MANAGED_INSTANCES."`
	LastStatus        string `doc:"Such as RUNNING."`
	TaskDefinitionArn string `doc:"What it was started from."`
}

func readECSTasks(ctx context.Context, r *reader, emit emit[ECSTask]) error {
	client := r.ecs()
	list := func(ctx context.Context, cluster string) ([]string, error) {
		return gather(ctx, client.ListTasks, &ecs.ListTasksInput{Cluster: &cluster},
			func(page *ecs.ListTasksOutput) []string { return page.TaskArns })
	}
	return inCluster(ctx, r, list, 100, func(ctx context.Context, cluster string, arns []string) error {
		out, err := client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: arns})
		if err != nil {
			return err
		}
		for _, t := range out.Tasks {
			task := ECSTask{
				TaskArn: aws.ToString(t.TaskArn), ClusterArn: aws.ToString(t.ClusterArn), Group: aws.ToString(t.Group),
				AvailabilityZone: aws.ToString(t.AvailabilityZone), LaunchType: string(t.LaunchType),
				LastStatus: aws.ToString(t.LastStatus), TaskDefinitionArn: aws.ToString(t.TaskDefinitionArn),
			}
			if err := emit(task.TaskArn, task); err != nil {
				return err
			}
		}
		return nil
	})
}

// readTaskDefinitions reads the newest active revision of every family.
func readTaskDefinitions(ctx context.Context, r *reader, emit emit[types.TaskDefinition]) error {
	client := r.ecs()
	input := &ecs.ListTaskDefinitionFamiliesInput{Status: types.TaskDefinitionFamilyStatusActive}
	return pages(ctx, client.ListTaskDefinitionFamilies, input, func(page *ecs.ListTaskDefinitionFamiliesOutput) error {
		return forEach(ctx, page.Families, func(ctx context.Context, family string) error {
			out, err := client.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &family})
			if isDeregistered(err) {
				return nil
			}
			if err != nil {
				return err
			}
			withoutValues(out.TaskDefinition)
			return emit(aws.ToString(out.TaskDefinition.TaskDefinitionArn), *out.TaskDefinition)
		})
	})
}

// isDeregistered reports whether a family lost its last revision since it was listed.
func isDeregistered(err error) bool {
	return hasCode(err, "ClientException") && strings.Contains(err.Error(), "Unable to describe task definition")
}

// withoutValues removes the values of environment variables and the options of
// log drivers: they may be secrets.
func withoutValues(d *types.TaskDefinition) {
	for _, c := range d.ContainerDefinitions {
		for i := range c.Environment {
			c.Environment[i].Value = nil
		}
		hideOptions(c.LogConfiguration)
		if c.FirelensConfiguration != nil {
			c.FirelensConfiguration.Options = nil
		}
	}
}

// hideLogOptions does the same for what deployments run beside the containers.
func hideLogOptions(deployments []types.Deployment) {
	for _, d := range deployments {
		if d.ServiceConnectConfiguration != nil {
			hideOptions(d.ServiceConnectConfiguration.LogConfiguration)
		}
	}
}

// hideOptions removes the options of a log driver, tokens among them, but for
// the mode, by which messages block or are lost.
func hideOptions(c *types.LogConfiguration) {
	if c != nil {
		maps.DeleteFunc(c.Options, func(name, _ string) bool { return name != "mode" })
	}
}

func readECSSettings(ctx context.Context, r *reader, emit emit[types.Setting]) error {
	input := &ecs.ListAccountSettingsInput{EffectiveSettings: true}
	return pages(ctx, r.ecs().ListAccountSettings, input, func(page *ecs.ListAccountSettingsOutput) error {
		for _, s := range page.Settings {
			if err := emit(r.arn("ecs", "account-setting/"+string(s.Name)), s); err != nil {
				return err
			}
		}
		return nil
	})
}
