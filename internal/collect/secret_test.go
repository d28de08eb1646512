package collect

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/inventory"
)

// answered answers calls by their names: <service>:<action>, and of APIs that
// have no actions <service>:<method> <path>.
func answered(answers map[string]string) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, r *http.Request, call string) bool {
		if target := r.Header.Get("X-Amz-Target"); target != "" {
			call += target[strings.LastIndex(target, ".")+1:]
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		}
		if strings.HasSuffix(call, ":") {
			call += r.Method + " " + r.URL.Path
		}
		answer, ok := answers[call]
		if code, denied := strings.CutPrefix(answer, "error "); denied {
			w.WriteHeader(http.StatusForbidden)
			answer = fmt.Sprintf(`<ErrorResponse><Error><Code>%[1]s</Code><Message>no</Message></Error></ErrorResponse>`, code)
			if strings.HasPrefix(call, "s3:") {
				answer = fmt.Sprintf(`<Error><Code>%s</Code><Message>no</Message></Error>`, code)
			}
		}
		_, _ = io.WriteString(w, answer)
		return ok
	}
}

func TestSettingsThatMayBeSecretAreNotCollected(t *testing.T) {
	t.Parallel()
	const origins = `<Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id><DomainName>example.com</DomainName><CustomHeaders><Quantity>1</Quantity><Items>
		<OriginCustomHeader><HeaderName>X-Origin-Verify</HeaderName><HeaderValue>hush</HeaderValue></OriginCustomHeader></Items></CustomHeaders></Origin></Items></Origins>`
	option := func(namespace, name, value string) string {
		return fmt.Sprintf(`<member><Namespace>%s</Namespace><OptionName>%s</OptionName><Value>%s</Value></member>`, namespace, name, value)
	}
	f := newFake(t, answered(map[string]string{
		"elasticbeanstalk:DescribeEnvironments": `<DescribeEnvironmentsResponse><DescribeEnvironmentsResult><Environments><member>
			<EnvironmentName>e</EnvironmentName><ApplicationName>a</ApplicationName><EnvironmentArn>beanstalk</EnvironmentArn></member></Environments></DescribeEnvironmentsResult></DescribeEnvironmentsResponse>`,
		"elasticbeanstalk:DescribeConfigurationSettings": `<DescribeConfigurationSettingsResponse><DescribeConfigurationSettingsResult><ConfigurationSettings>
			<member><DeploymentStatus>deployed</DeploymentStatus><OptionSettings>` +
			option("aws:cloudformation:template:parameter", "EnvironmentVariables", "PASSWORD=hush") +
			option("aws:elasticbeanstalk:application:environment", "PASSWORD", "hush") + option("aws:rds:dbinstance", "DBPassword", "hush") +
			option("aws:elasticbeanstalk:managedactions", "ManagedActionsEnabled", "true") +
			`</OptionSettings></member><member><DeploymentStatus>pending</DeploymentStatus><OptionSettings>` +
			option("aws:elasticbeanstalk:managedactions", "ManagedActionsEnabled", "false") +
			`</OptionSettings></member></ConfigurationSettings></DescribeConfigurationSettingsResult></DescribeConfigurationSettingsResponse>`,
		"cloudfront:GET /2020-05-31/distribution": `<DistributionList><Items><DistributionSummary><ARN>distribution</ARN><Id>D</Id><DefaultCacheBehavior/><ViewerCertificate/>` +
			origins + `</DistributionSummary></Items></DistributionList>`,
		"cloudfront:GET /2020-05-31/distribution/D/config": `<DistributionConfig>` + origins + `</DistributionConfig>`,
		"codebuild:ListProjects":                           `{"projects": ["p"]}`,
		"codebuild:BatchGetProjects": `{"projects": [{"arn": "project", "webhook": {"secret": "hush", "payloadUrl": "https://x/hush", "url": "https://hush"},
			"source": {"type": "GITHUB", "location": "https://hush@github.com/a/b.git", "buildspec": "env: hush"},
			"secondarySources": [{"type": "BITBUCKET", "location": "https://me:hush@bitbucket.org/a/b.git"}, {"type": "BITBUCKET", "location": "https://bitbucket.org/a/c.git"}],
			"environment": {"environmentVariables": [{"name": "A", "value": "hush"}]}}]}`,
		"cloudformation:DescribeStacks": `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackId>stack</StackId><StackName>s</StackName>
			<Parameters><member><ParameterKey>p</ParameterKey><ParameterValue>hush</ParameterValue></member></Parameters>
			<Outputs><member><OutputKey>o</OutputKey><OutputValue>hush</OutputValue></member></Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
		"ecs:ListClusters": `{"clusterArns": ["c"]}`,
		"ecs:ListServices": `{"serviceArns": ["s"]}`,
		"ecs:DescribeServices": `{"services": [{"serviceArn": "service", "events": [{"message": "hush"}], "deployments": [{"id": "d",
			"serviceConnectConfiguration": {"enabled": true, "logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": "hush"}}}}, {"id": "e"}]}]}`,
		"ecs:ListTaskDefinitionFamilies": `{"families": ["f"]}`,
		"ecs:DescribeTaskDefinition": `{"taskDefinition": {"taskDefinitionArn": "task", "containerDefinitions": [{"environment": [{"name": "A", "value": "hush"}],
			"firelensConfiguration": {"type": "fluentbit", "options": {"x": "hush"}},
			"logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": "hush", "mode": "blocking"}}}, {"name": "without"}]}}`,
		"redshift:DescribeClusters": `<DescribeClustersResponse><DescribeClustersResult><Clusters><Cluster><ClusterIdentifier>facts</ClusterIdentifier>
			<PendingModifiedValues><MasterUserPassword>hush</MasterUserPassword></PendingModifiedValues></Cluster></Clusters></DescribeClustersResult></DescribeClustersResponse>`,
		"rds:DescribeDBInstances": `<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance><DBInstanceArn>db</DBInstanceArn>
			<PendingModifiedValues><MasterUserPassword>hush</MasterUserPassword></PendingModifiedValues></DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>`,
		"rds:DescribeDBClusters": `<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster><DBClusterArn>dbs</DBClusterArn>
			<PendingModifiedValues><MasterUserPassword>hush</MasterUserPassword></PendingModifiedValues></DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>`,
	}))
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{
		"elasticbeanstalk.environment": {"Options"}, "cloudfront.distribution": {"Config"}, "codebuild.project": nil, "cloudformation.stack": nil,
		"ecs.service": nil, "ecs.task-definition": nil, "redshift.cluster": nil, "rds.db-instance": nil, "rds.db-cluster": nil,
	})
	if len(got.Resources) != 9 || len(got.Summary.Failures) != 0 {
		t.Errorf("resources %v, failures %v, want 9 and none", got.ids(), got.failures())
	}
	text, err := json.Marshal(got.Resources)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got.Resources {
		if text, _ := json.Marshal(r); strings.Contains(string(text), "hush") {
			t.Errorf("%s has a secret: %s", r.ID, text)
		}
	}
	for _, want := range []string{
		`"Options":{"aws:elasticbeanstalk:managedactions/ManagedActionsEnabled":"true"}`, `"HeaderName":"X-Origin-Verify"`, `"mode":"blocking"`,
		`"https://***@github.com/a/b.git"`, `"https://***:***@bitbucket.org/a/b.git"`, `"https://bitbucket.org/a/c.git"`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the inventory lacks %s: %s", want, text)
		}
	}
}

func TestABucketThatDeniesItsPartsLeavesThoseOfOthers(t *testing.T) {
	t.Parallel()
	const list = `<ListAllMyBucketsResult><Buckets><Bucket><Name>open</Name><BucketRegion>us-east-1</BucketRegion></Bucket>
		<Bucket><Name>shut</Name><BucketRegion>us-east-1</BucketRegion></Bucket></Buckets></ListAllMyBucketsResult>`
	versioning := func(w http.ResponseWriter, r *http.Request, open string) bool {
		answer := map[string]string{"/": list, "/open": open, "/shut": "error AccessDenied"}
		return answered(map[string]string{"s3:GET /": answer["/"], "s3:GET /open": answer["/open"], "s3:GET /shut": answer["/shut"]})(w, r, "s3:")
	}
	for name, test := range map[string]struct {
		open string
		told string
	}{
		"one of two": {`<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`, "Unread"},
		"all":        {"error AccessDenied", ""},
	} {
		f := newFake(t, func(w http.ResponseWriter, r *http.Request, call string) bool {
			return call == "s3:" && versioning(w, r, test.open)
		})
		got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"s3.bucket": {"Unread", "Versioning"}})
		want := []inventory.Failure{{Kind: "s3.bucket", Part: "Versioning", Told: test.told, Cause: "S3 GetBucketVersioning: AccessDenied: no"}}
		if diff := cmp.Diff(want, got.Summary.Failures); diff != "" {
			t.Errorf("%s: failures (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff([]any{"Versioning"}, got.Resources[1].Attributes["Unread"]); diff != "" {
			t.Errorf("%s: Unread (-want +got):\n%s", name, diff)
		}
	}
}

func TestAClusterThatIsGoneIsLeftOut(t *testing.T) {
	t.Parallel()
	f := newFake(t, answered(map[string]string{
		"redshift:DescribeClusters": `<DescribeClustersResponse><DescribeClustersResult><Clusters><Cluster><ClusterIdentifier>facts</ClusterIdentifier>
			</Cluster></Clusters></DescribeClustersResult></DescribeClustersResponse>`,
		"redshift:DescribeLoggingStatus": "error ClusterNotFound",
	}))
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"redshift.cluster": {"LoggingStatus"}})
	if len(got.Resources)+len(got.Summary.Failures) != 0 {
		t.Errorf("resources %v, failures %v, want none", got.ids(), got.failures())
	}
}

func TestOnlyImagesThatStartInstancesAreFound(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]bool{"available": true, "disabled": false, "failed": false} {
		f := newFake(t, answered(map[string]string{
			"autoscaling:DescribeAutoScalingGroups": `<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups><member>
				<AutoScalingGroupARN>group</AutoScalingGroupARN><LaunchConfigurationName>l</LaunchConfigurationName></member></AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>`,
			"autoscaling:DescribeLaunchConfigurations": `<DescribeLaunchConfigurationsResponse><DescribeLaunchConfigurationsResult><LaunchConfigurations><member>
				<LaunchConfigurationName>l</LaunchConfigurationName><ImageId>ami-1</ImageId></member></LaunchConfigurations></DescribeLaunchConfigurationsResult></DescribeLaunchConfigurationsResponse>`,
			"ec2:DescribeImages": `<DescribeImagesResponse><imagesSet><item><imageId>ami-1</imageId><imageState>` + state + `</imageState></item></imagesSet></DescribeImagesResponse>`,
		}))
		got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"autoscaling.group": {"Launches"}})
		launch := got.Resources[0].Attributes["Launches"].([]any)[0].(map[string]any)
		if found, _ := launch["ImageFound"].(bool); found != want {
			t.Errorf("an image that is %s is found: %t, want %t", state, found, want)
		}
	}
}
