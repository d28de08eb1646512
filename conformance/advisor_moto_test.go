package conformance_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/support"
	supporttypes "github.com/aws/aws-sdk-go-v2/service/support/types"

	"github.com/supportd/supportd/checks"
	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/collect"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/supporttest"
)

// startMoto starts a server that plays AWS, and returns its address.
func startMoto(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		missingAddition(t, "moto_server (pip install 'moto[server]')")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	log, err := os.Create(filepath.Join(t.TempDir(), "moto.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	command := exec.Command(path, "-H", "127.0.0.1", "-p", port)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // it may be gone
		_ = command.Wait()
	})
	url := "http://127.0.0.1:" + port
	eventually(t, 2*time.Minute, "moto_server answers", func() bool {
		answer, err := http.Get(url + "/moto-api/")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return url
}

func eventually(t *testing.T, long time.Duration, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Since(begun) > long {
			t.Fatalf("after %v it is not so that %s", long, what)
		}
	}
}

// ignore makes a call whose answer is not looked at.
func ignore[Out any](_ Out, err error) error { return err }

// seed makes resources of which checks say something.
func seed(t *testing.T, url string) {
	t.Helper()
	ctx := t.Context()
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &url, Credentials: awscredentials.NewStaticCredentialsProvider("test", "test", "")}
	fatal := func(errs ...error) {
		t.Helper()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}

	buckets := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	for _, name := range []string{"plain-bucket", "public-bucket", "good-bucket"} {
		fatal(ignore(buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})))
	}
	fatal(
		ignore(buckets.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: aws.String("public-bucket"), ACL: s3types.BucketCannedACLPublicRead})),
		ignore(buckets.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: aws.String("good-bucket"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}})),
		ignore(buckets.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: aws.String("good-bucket"), PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
		}})),
	)

	machines := ec2.NewFromConfig(config)
	attached := must(machines.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(8)}))(t)
	fresh := must(machines.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(8), Encrypted: aws.Bool(true)}))(t)
	made := must(machines.RunInstances(ctx, &ec2.RunInstancesInput{ImageId: aws.String("ami-12c6146b"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: ec2types.InstanceTypeT2Micro}))(t)
	for i, v := range []*string{attached.VolumeId, fresh.VolumeId} {
		fatal(ignore(machines.AttachVolume(ctx, &ec2.AttachVolumeInput{VolumeId: v, InstanceId: made.Instances[0].InstanceId, Device: aws.String("/dev/sd" + string(rune('f'+i)))})))
	}
	fatal(ignore(machines.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: fresh.VolumeId})))
	for name, port := range map[string]int32{"open-ftp": 21, "open-web": 443, "open-odd": 8081} {
		group := must(machines.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: &name, Description: &name}))(t)
		fatal(ignore(machines.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group.GroupId, IpPermissions: []ec2types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: &port, ToPort: &port, IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		}}})))
	}

	people := iam.NewFromConfig(config)
	for _, name := range []string{"alice", "bob"} {
		fatal(ignore(people.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})))
	}
	fatal(
		ignore(people.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("all"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)})),
		ignore(people.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(8)})),
	)

	seedNetwork(t, config)
	seedApplications(t, config)

	databases := rds.NewFromConfig(config)
	for name, several := range map[string]bool{"single": false, "double": true} {
		fatal(ignore(databases.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
			DBInstanceIdentifier: &name, DBInstanceClass: aws.String("db.t3.medium"), Engine: aws.String("postgres"), AllocatedStorage: aws.Int32(20),
			MasterUsername: aws.String("root"), MasterUserPassword: aws.String("long enough"), MultiAZ: &several, BackupRetentionPeriod: aws.Int32(7),
		})))
	}
}

// seedNetwork makes what is reached from outside.
func seedNetwork(t *testing.T, config aws.Config) {
	t.Helper()
	ctx := t.Context()
	machines := ec2.NewFromConfig(config)
	must(machines.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: ec2types.DomainTypeVpc}))(t)
	volume := must(machines.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(8), VolumeType: ec2types.VolumeTypeGp2}))(t)
	snapshot := must(machines.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: volume.VolumeId}))(t)
	must(machines.ModifySnapshotAttribute(ctx, &ec2.ModifySnapshotAttributeInput{
		SnapshotId: snapshot.SnapshotId, Attribute: ec2types.SnapshotAttributeNameCreateVolumePermission,
		OperationType: ec2types.OperationTypeAdd, GroupNames: []string{"all"},
	}))(t)
	balancers := elb.NewFromConfig(config)
	must(balancers.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		LoadBalancerName: aws.String("lonely"), AvailabilityZones: []string{"us-east-1a"},
		Listeners: []elbtypes.Listener{{Protocol: aws.String("http"), LoadBalancerPort: 80, InstancePort: aws.Int32(80)}},
	}))(t)
	zones := route53.NewFromConfig(config)
	zone := must(zones.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: aws.String("example.com"), CallerReference: aws.String("1")}))(t)
	must(zones.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: zone.HostedZone.Id, ChangeBatch: &route53types.ChangeBatch{
		Changes: []route53types.Change{{Action: route53types.ChangeActionCreate, ResourceRecordSet: &route53types.ResourceRecordSet{
			Name: aws.String("example.com"), Type: route53types.RRTypeMx, TTL: aws.Int64(300),
			ResourceRecords: []route53types.ResourceRecord{{Value: aws.String("10 mail.example.com")}},
		}}},
	}}))(t)
}

// seedApplications makes what runs by itself.
func seedApplications(t *testing.T, config aws.Config) {
	t.Helper()
	ctx := t.Context()
	role := must(iam.NewFromConfig(config).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("function"), AssumeRolePolicyDocument: aws.String("{}")}))(t)
	var code bytes.Buffer
	archive := zip.NewWriter(&code)
	must(archive.Create("a.py"))(t)
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	must(lambda.NewFromConfig(config).CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("ancient"), Runtime: lambdatypes.RuntimePython27, Handler: aws.String("a.h"), Role: role.Role.Arn, Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()},
	}))(t)
	groups := autoscaling.NewFromConfig(config)
	must(groups.CreateLaunchConfiguration(ctx, &autoscaling.CreateLaunchConfigurationInput{
		LaunchConfigurationName: aws.String("plain"), ImageId: aws.String("ami-12c6146b"), InstanceType: aws.String("t2.micro"),
	}))(t)
	must(groups.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("one-zone"), LaunchConfigurationName: aws.String("plain"), MinSize: aws.Int32(0), MaxSize: aws.Int32(1), AvailabilityZones: []string{"us-east-1a"},
	}))(t)
	must(sqs.NewFromConfig(config).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("open-queue"), Attributes: map[string]string{"SqsManagedSseEnabled": "false"}}))(t)
	must(sns.NewFromConfig(config).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("plain-topic")}))(t)
	must(ecr.NewFromConfig(config).CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String("images")}))(t)
	must(efs.NewFromConfig(config).CreateFileSystem(ctx, &efs.CreateFileSystemInput{CreationToken: aws.String("files")}))(t)
	must(kinesis.NewFromConfig(config).CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String("stream"), ShardCount: aws.Int32(1)}))(t)
	must(dynamodb.NewFromConfig(config).CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: dynamodbtypes.BillingModePayPerRequest,
		KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamodbtypes.KeyTypeHash}},
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
	}))(t)
	must(redshift.NewFromConfig(config).CreateCluster(ctx, &redshift.CreateClusterInput{
		ClusterIdentifier: aws.String("warehouse"), NodeType: aws.String("dc2.large"), DBName: aws.String("dev"),
		MasterUsername: aws.String("awsuser"), MasterUserPassword: aws.String("Long3nough"),
	}))(t)
}

// seeded is what checks have to say of what seed makes: their status and, in
// the cells of flagged rows, the words.
var seeded = []struct {
	id, name string
	status   string
	flagged  []string // one word of each flagged row, or of the cause; nil: not looked at
}{
	{"H7IgTzjTYb", "Amazon EBS Snapshots", "error", nil},
	{"R365s2Qddf", "Amazon S3 Bucket Versioning", "warning", []string{"plain-bucket", "public-bucket"}},
	{"BueAdJ7NrP", "Amazon S3 Bucket Logging", "warning", []string{"good-bucket", "plain-bucket", "public-bucket"}},
	{"Pfx0RwqBli", "Amazon S3 Bucket Permissions", "not_available", []string{"GetBucketPolicyStatus"}}, // moto does not know the call
	{"HCP4007jGY", "Security Groups - Specific Ports Unrestricted", "error", []string{"open-ftp", "open-odd"}},
	{"Yw2K9puPzl", "IAM Password Policy", "warning", nil},
	{"zXCkfM1nI3", "IAM Use", "ok", nil},
	{"Hs4Ma3G138", "IAM users should not have IAM policies attached", "warning", []string{"alice"}},
	{"f2iK5R6Dep", "Amazon RDS Multi-AZ", "warning", []string{"single"}},
	{"vjafUGJ9H0", "AWS CloudTrail Logging", "error", nil},
	{"Z4AUBRNSmz", "Unassociated Elastic IP Addresses", "warning", nil},
	{"Hs4Ma3G116", "EBS snapshots should not be public", "error", nil},
	{"hjLMh88uM8", "Idle Load Balancers", "warning", []string{"lonely"}},
	{"iqdCTZKCUp", "Load Balancer Optimization", "warning", []string{"lonely"}},
	{"7qGXsKIUw", "ELB Connection Draining", "warning", []string{"lonely"}},
	{"xdeXZKIUy", "ELB Cross-Zone Load Balancing", "warning", []string{"lonely"}},
	{"a2sEc6ILx", "ELB Listener Security", "error", []string{"lonely"}},
	{"c9D319e7sG", "Amazon Route 53 MX Resource Record Sets and Sender Policy Framework", "error", []string{"example.com"}},
	{"7DAFEmoDos", "MFA on Root Account", "error", nil},
	{"opQPADkZvH", "Amazon RDS Backups", "ok", nil},
	{"L4dfs2Q4C5", "AWS Lambda Functions Using Deprecated Runtimes", "error", []string{"ancient"}},
	{"c18d2gz182", "AWS Lambda functions without a dead-letter queue configured", "warning", []string{"ancient"}},
	{"c18d2gz101", "Amazon EC2 Auto Scaling Group is not deployed in multiple AZs", "error", []string{"one-zone"}},
	{"Hs4Ma3G136", "Amazon SQS queues should be encrypted at rest", "warning", []string{"open-queue"}},
	{"Hs4Ma3G179", "SNS topics should be encrypted at-rest using AWS KMS", "warning", []string{"plain-topic"}},
	{"Hs4Ma3G243", "Auto Scaling group launch configurations should require IMDSv2", "error", nil},
	{"Hs4Ma3G193", "RDS DB instances should have encryption at-rest enabled", "warning", []string{"single", "double"}},
	{"Hs4Ma3G198", "RDS DB instances should have deletion protection enabled", "warning", []string{"single", "double"}},
	{"Hs4Ma3G256", "Kinesis streams should be encrypted at rest", "warning", []string{"stream"}},
	{"Hs4Ma3G216", "ECR repositories should have at least one lifecycle policy configured", "warning", []string{"images"}},
	{"Hs4Ma3G219", "Amazon Redshift clusters should not use the default Admin username", "warning", []string{"warehouse"}},
	{"Hs4Ma3G261", "Redshift clusters should not use the default database name", "warning", []string{"warehouse"}},
	{"c18d2gz138", "Amazon DynamoDB Point-in-time Recovery", "warning", []string{"orders"}},
	{"iK7OO0l7J9", "ELB Classic Load Balancers", "not_available", []string{"DescribeAccountLimits"}},
}

func TestAdvisorOverMotoSaysWhatWasSeeded(t *testing.T) {
	t.Parallel()
	url := startMoto(t)
	seed(t, url)
	source := advisor.Source{Endpoint: url, Regions: []string{"us-east-1"}, AccessKeyID: "test", SecretAccessKey: "test"}
	t.Run("file", func(t *testing.T) { overFile(t, source) })
	t.Run("API", func(t *testing.T) { overAPI(t, source) })
}

// overFile collects into a file and evaluates the checks over it.
func overFile(t *testing.T, source advisor.Source) {
	pack, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	var all []*check.Check
	needs := inventory.Needs{"directconnect.connection": nil}
	for _, want := range seeded {
		c, ok := pack.Check(want.id)
		if !ok {
			t.Fatalf("there is no check %s %s", want.id, want.name)
		}
		n, err := c.Needs()
		if err != nil {
			t.Fatal(err)
		}
		needs.AddAll(n)
		all = append(all, c)
	}
	path := filepath.Join(t.TempDir(), "inventory")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&collect.Collector{}).Collect(t.Context(), source, "", time.Now(), needs, f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	inv, err := inventory.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	results, err := check.Evaluation{Checks: all}.Run(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		var rows []string
		for _, row := range r.Rows {
			if row.Status == check.OK {
				continue
			}
			text := row.Resource
			for _, cell := range row.Metadata {
				text += " " + aws.ToString(cell)
			}
			rows = append(rows, text)
		}
		compareSeeded(t, i, string(r.Status), r.Cause, rows)
	}
}

// overAPI refreshes the checks of an account through the API.
func overAPI(t *testing.T, source advisor.Source) {
	s := supporttest.NewServer(t)
	beside, err := server.Open(t.Context(), server.Config{Data: s.DataDir()})
	if err != nil {
		t.Fatal(err)
	}
	err = beside.Advisor.SetSource(t.Context(), s.Accounts()[0].ID, source)
	if closed := beside.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
	client := support.NewFromConfig(s.Config())
	var ids []string
	for _, want := range seeded {
		if automatic(t, want.id) {
			continue
		}
		ids = append(ids, want.id)
		out := must(client.RefreshTrustedAdvisorCheck(t.Context(), &support.RefreshTrustedAdvisorCheckInput{CheckId: &want.id}))(t)
		if got := aws.ToString(out.Status.Status); got != "enqueued" && got != "processing" && got != "success" {
			t.Errorf("RefreshTrustedAdvisorCheck(%s) = %s, want enqueued", want.name, got)
		}
	}
	eventually(t, 3*time.Minute, "all checks are refreshed", func() bool {
		out := must(client.DescribeTrustedAdvisorCheckRefreshStatuses(t.Context(), &support.DescribeTrustedAdvisorCheckRefreshStatusesInput{CheckIds: pointers(ids)}))(t)
		return !slices.ContainsFunc(out.Statuses, func(s supporttypes.TrustedAdvisorCheckRefreshStatus) bool { return aws.ToString(s.Status) != "success" })
	})
	for i, want := range seeded {
		if !slices.Contains(ids, want.id) {
			continue
		}
		out := must(client.DescribeTrustedAdvisorCheckResult(context.WithoutCancel(t.Context()), &support.DescribeTrustedAdvisorCheckResultInput{CheckId: &want.id}))(t)
		var rows []string
		for _, row := range out.Result.FlaggedResources {
			if aws.ToString(row.Status) == "ok" {
				continue
			}
			text := ""
			for _, cell := range row.Metadata {
				text += " " + aws.ToString(cell)
			}
			rows = append(rows, text)
		}
		compareSeeded(t, i, aws.ToString(out.Result.Status), "", rows)
	}
}

// automatic reports whether a check refreshes by itself.
func automatic(t *testing.T, id string) bool {
	t.Helper()
	pack, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	c, ok := pack.Check(id)
	if !ok {
		t.Fatalf("there is no check %s", id)
	}
	return c.Automatic
}

var builtIn = sync.OnceValues(func() (*check.Pack, error) { return check.Load(collect.Kinds(), checks.FS) })

func compareSeeded(t *testing.T, i int, status, cause string, rows []string) {
	t.Helper()
	want := seeded[i]
	if status != want.status {
		t.Errorf("%s: status %s %s, want %s: %q", want.name, status, cause, want.status, rows)
		return
	}
	if want.flagged == nil {
		return
	}
	if status == "not_available" { // the API does not tell the cause
		if cause != "" && !strings.Contains(cause, want.flagged[0]) {
			t.Errorf("%s: cause %q, want it to name %s", want.name, cause, want.flagged[0])
		}
		return
	}
	for _, word := range want.flagged {
		if !slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, word) }) {
			t.Errorf("%s: no row has %s: %q", want.name, word, rows)
		}
	}
	if len(rows) != len(want.flagged) {
		t.Errorf("%s: %d flagged rows, want %d: %s", want.name, len(rows), len(want.flagged), fmt.Sprintf("%q", rows))
	}
}

func pointers(texts []string) (all []*string) {
	for i := range texts {
		all = append(all, &texts[i])
	}
	return all
}
