package conformance_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
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

	databases := rds.NewFromConfig(config)
	for name, several := range map[string]bool{"single": false, "double": true} {
		fatal(ignore(databases.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
			DBInstanceIdentifier: &name, DBInstanceClass: aws.String("db.t3.medium"), Engine: aws.String("postgres"), AllocatedStorage: aws.Int32(20),
			MasterUsername: aws.String("root"), MasterUserPassword: aws.String("long enough"), MultiAZ: &several, BackupRetentionPeriod: aws.Int32(7),
		})))
	}
}

// seeded is what checks have to say of what seed makes: their status and, in
// the cells of flagged rows, the words.
var seeded = []struct {
	id, name string
	status   string
	flagged  []string // one word of each flagged row; nil: not looked at
}{
	{"H7IgTzjTYb", "Amazon EBS Snapshots", "error", nil},
	{"R365s2Qddf", "Amazon S3 Bucket Versioning", "warning", []string{"plain-bucket", "public-bucket"}},
	{"BueAdJ7NrP", "Amazon S3 Bucket Logging", "warning", []string{"good-bucket", "plain-bucket", "public-bucket"}},
	{"Pfx0RwqBli", "Amazon S3 Bucket Permissions", "error", nil},
	{"HCP4007jGY", "Security Groups - Specific Ports Unrestricted", "error", []string{"open-ftp", "open-odd"}},
	{"Yw2K9puPzl", "IAM Password Policy", "warning", nil},
	{"zXCkfM1nI3", "IAM Use", "ok", nil},
	{"Hs4Ma3G138", "IAM users should not have IAM policies attached", "warning", []string{"alice"}},
	{"f2iK5R6Dep", "Amazon RDS Multi-AZ", "warning", []string{"single"}},
	{"vjafUGJ9H0", "AWS CloudTrail Logging", "error", nil},
	{"iK7OO0l7J9", "ELB Classic Load Balancers", "not_available", nil}, // moto does not know DescribeAccountLimits
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
	pack, err := check.Load(collect.Kinds(), checks.FS)
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
		if want.id == "Hs4Ma3G138" {
			continue // it refreshes by itself
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

func compareSeeded(t *testing.T, i int, status, cause string, rows []string) {
	t.Helper()
	want := seeded[i]
	if status != want.status {
		t.Errorf("%s: status %s %s, want %s: %q", want.name, status, cause, want.status, rows)
		return
	}
	if status == "not_available" && cause != "" && !strings.Contains(cause, "DescribeAccountLimits") {
		t.Errorf("%s: cause %q, want it to name the call", want.name, cause)
	}
	if want.flagged == nil {
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
