package checks_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/checks"
)

// logic is what of a check.yaml decides what is flagged. Twins may have it in
// other colours: AWS shows one of two in red and the other in yellow.
type logic struct {
	Resource   string         `yaml:"resource"`
	With       map[string]any `yaml:"with"`
	Parameters map[string]any `yaml:"parameters"`
	Let        yaml.MapSlice  `yaml:"let"`
	Where      any            `yaml:"where"`
	Each       any            `yaml:"each"`
	Ignore     any            `yaml:"ignore"`
	Error      any            `yaml:"error"`
	Warning    any            `yaml:"warning"`
}

func TestChecksThatAWSHasTwiceDecideAlike(t *testing.T) {
	for _, twins := range [][]string{
		{"cost_optimizing/amazon-ecr-repository-without-lifecycle-policy", "security/ecr-repositories-lifecycle-policy"},
		{"cost_optimizing/amazon-s3-bucket-lifecycle-policy-configured", "security/s3-buckets-should-have-lifecycle-policies-configured"},
		{"cost_optimizing/ec2-instances-stopped", "security/stopped-ec2-instances"},
		{"fault_tolerance/amazon-rds-backups", "fault_tolerance/amazon-rds-resource-automated-backups-is-turned-off"},
		{"fault_tolerance/amazon-rds-db-instance-enhanced-monitoring-not-enabled", "operational_excellence/amazon-rds-enhanced-monitoring-is-turned-off", "security/enhanced-monitoring-should-be-configured-for-rds-db-instances"},
		{"fault_tolerance/amazon-rds-db-instances-not-using-multi-az-deployment", "fault_tolerance/rds-multi-az-standby-instance-not-enabled"},
		{"fault_tolerance/amazon-s3-bucket-logging", "security/amazon-s3-access-logs-enabled"},
		{"fault_tolerance/auto-scaling-group-elb-health-check", "security/auto-scaling-groups-should-use-load-balancer-health-checks"},
		{"operational_excellence/amazon-api-gateway-rest-apis-without-x-ray", "security/api-gateway-rest-stages-x-ray-tracing"},
		{"operational_excellence/amazon-cloudfront-access-log-configured", "security/cloudfront-distributions-should-have-logging-enabled"},
		{"operational_excellence/amazon-ecr-repository-tag-immutability", "security/amazon-ecr-private-repositories-tag-immutability"},
		{"operational_excellence/amazon-ecs-clusters-container-insights", "security/ecs-clusters-should-use-container-insights"},
		{"operational_excellence/amazon-redshift-cluster-audit-logging", "security/amazon-redshift-clusters-should-have-audit-logging-enabled"},
		{"operational_excellence/aws-codebuild-project-logging", "security/codebuild-project-environments-logging"},
		{"operational_excellence/aws-elastic-beanstalk-enhanced-health-reporting", "security/elastic-beanstalk-environments-enhanced-health-reporting"},
		{"operational_excellence/aws-elastic-beanstalk-managed-platform-updates", "security/elastic-beanstalk-managed-platform-updates"},
		{"operational_excellence/aws-fargate-platform-version", "security/ecs-fargate-services-latest-platform-version"},
		{"operational_excellence/cloudtrail-trails-not-configured-with-cloudwatch-logs", "security/cloudtrail-trails-should-be-integrated-with-cloudwatch-logs"},
		{"operational_excellence/load-balancers-without-access-logs", "security/application-and-classic-load-balancers-logging"},
		{"operational_excellence/rds-db-cluster-deletion-protection-check", "security/rds-clusters-should-have-deletion-protection-enabled"},
		{"operational_excellence/rds-db-instance-automatic-minor-version-upgrade-check", "security/rds-automatic-minor-version-upgrades-should-be-enabled"},
		{"performance/ec2-virtualization-type-paravirtual", "security/ec2-paravirtual-instance-types"},
		{"security/amazon-rds-public-snapshots", "security/rds-snapshot-should-be-private"},
		{"security/iam-root-user-access-key-should-not-exist", "security/root-user-access-key"},
	} {
		first := mustLogic(t, twins[0])
		for _, other := range twins[1:] {
			if diff := cmp.Diff(first, mustLogic(t, other)); diff != "" {
				t.Errorf("%s and %s differ (-first +second):\n%s", twins[0], other, diff)
			}
		}
	}
}

// Two checks need the dates from which AWS keeps the runtimes of functions up
// to date no longer.
func TestRuntimesOfFunctionsAreKnownForAYear(t *testing.T) {
	const deprecated, supported = "security/aws-lambda-functions-using-deprecated-runtimes", "security/lambda-functions-should-use-supported-runtimes"
	dates := mustLogic(t, deprecated).Parameters["deprecations"]
	if diff := cmp.Diff(dates, mustLogic(t, supported).Parameters["deprecations"]); diff != "" {
		t.Errorf("deprecations of %s and %s differ (-first +second):\n%s", deprecated, supported, diff)
	}
	var last time.Time
	for _, line := range dates.([]any) {
		runtime, date, _ := strings.Cut(line.(string), " ")
		day, err := time.Parse(time.DateOnly, date)
		if err != nil {
			t.Errorf("%s: %v", runtime, err)
		}
		if day.After(last) {
			last = day
		}
	}
	if left := time.Until(last); left < 365*24*time.Hour {
		t.Errorf("the last date is %s, in less than a year: look at https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html for newer runtimes",
			last.Format(time.DateOnly))
	}
}

// mustLogic reads the logic of a check, a lone warning as its error.
func mustLogic(t *testing.T, path string) logic {
	t.Helper()
	text, err := fs.ReadFile(checks.FS, path+"/check.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var l logic
	if err := yaml.Unmarshal(text, &l); err != nil {
		t.Fatal(err)
	}
	if l.Error == nil {
		l.Error, l.Warning = l.Warning, nil
	}
	return l
}
