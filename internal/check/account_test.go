package check_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/collect"
	"github.com/supportd/supportd/internal/inventory"
)

// account is a large account that could be: most of its resources are of few
// kinds, they name each other by their ids, some of them are named by very many
// (the VPC and the security group that everything is in), and half of all is in
// one region.
type account struct {
	values
	counts     map[string]int
	named, own map[string]string
}

// share is how many of 100,000 resources are of a kind.
func share() map[string]int {
	return map[string]int{
		"ec2.instance": 12_000, "ec2.instance-metrics": 9_000, "ec2.volume": 12_000, "ec2.volume-metrics": 9_000, "ec2.snapshot": 10_000,
		"ec2.security-group": 6_000, "ec2.network-interface": 7_000, "ec2.address": 500, "ec2.subnet": 400, "ec2.route-table": 300, "ec2.vpc": 40,
		"ec2.instance-type": 800, "ec2.launch-template": 500, "ec2.vpc-endpoint": 200, "ec2.instance-throughput": 500, "ec2.magnetic-volume-metrics": 200,
		"s3.bucket": 2_000, "s3.bucket-policy-statement": 3_000, "route53.record-set": 4_000, "route53.hosted-zone": 100,
		"iam.principal": 2_000, "iam.policy": 500, "iam.policy-statement": 4_000, "iam.credential-report": 500,
		"lambda.function": 1_500, "lambda.function-metrics": 1_500, "rds.db-instance": 700, "rds.instance-metrics": 700, "rds.db-cluster": 150,
		"rds.db-snapshot": 700, "rds.db-cluster-snapshot": 300, "rds.db-parameter-group": 100, "rds.engine-version": 300,
		"elbv2.load-balancer": 300, "elbv2.target-group": 500, "elb.load-balancer": 100, "autoscaling.group": 200, "dynamodb.table": 300,
		"ecs.task": 1_000, "ecs.task-definition": 1_000, "ecs.service": 200, "ecr.repository": 200, "cloudformation.stack": 500, "sqs.queue": 300,
		"sns.topic": 300, "kms.key": 200, "secretsmanager.secret": 500, "acm.certificate": 200, "apigateway.stage": 200, "cloudfront.distribution": 50,
	}
}

// single reports whether there is one resource of the kind in an account or in
// each of its regions.
func single(kind string) bool {
	for _, part := range []string{"limit", "quota", "setting", "summary", "password", "account-", "send-"} {
		if strings.Contains(kind, part) {
			return true
		}
	}
	return kind == "account" || kind == "region"
}

func accountRegions() []string {
	return []string{"us-east-1", "eu-west-1", "us-west-2", "ap-northeast-1"}
}

// region is that of resource i of n of a kind: half of them are in the first.
func (a account) region(i, n int) string {
	regions := accountRegions()
	if n <= len(regions) || i >= n/2 {
		return regions[i%len(regions)]
	}
	return regions[0]
}

// named says which kind an attribute names, wherever it is.
func named() map[string]string {
	return map[string]string{
		"InstanceId": "ec2.instance", "VolumeId": "ec2.volume", "SnapshotId": "ec2.snapshot", "GroupId": "ec2.security-group", "GroupName": "ec2.security-group",
		"VpcId": "ec2.vpc", "SubnetId": "ec2.subnet", "SubnetIds": "ec2.subnet", "VPCZoneIdentifier": "ec2.subnet", "SecurityGroups": "ec2.security-group", "NetworkInterfaceId": "ec2.network-interface",
		"RouteTableId": "ec2.route-table", "NatGatewayId": "ec2.nat-gateway", "VpcEndpointId": "ec2.vpc-endpoint", "InstanceType": "ec2.instance-type",
		"PrivateIpAddress": "ec2.network-interface", "ResourceId": "ec2.vpc", "VpnGatewayId": "ec2.vpn-gateway", "GatewayId": "ec2.internet-gateway",
		"DBInstanceArn": "rds.db-instance", "DBInstanceIdentifier": "rds.db-instance", "DBClusterIdentifier": "rds.db-cluster", "DBClusterArn": "rds.db-cluster",
		"DBParameterGroupName": "rds.db-parameter-group", "FunctionArn": "lambda.function", "LoadBalancerName": "elb.load-balancer", "LoadBalancerNames": "elb.load-balancer",
		"LoadBalancerArn": "elbv2.load-balancer", "LoadBalancerArns": "elbv2.load-balancer", "TargetGroupArn": "elbv2.target-group", "TargetGroupARNs": "elbv2.target-group",
		"ClusterArn": "ecs.cluster", "ServiceName": "ecs.service", "ClusterIdentifier": "redshift.cluster", "FileSystemId": "efs.file-system",
		"HostedZoneID": "route53.hosted-zone", "HealthCheckId": "route53.health-check", "Bucket": "s3.bucket", "TargetBucket": "s3.bucket", "Owner": "iam.policy",
		"CachePolicyId": "cloudfront.cache-policy", "CacheClusterId": "elasticache.cache-cluster", "MemberClusters": "elasticache.cache-cluster",
		"DirectConnectGatewayId": "directconnect.gateway", "VirtualGatewayId": "directconnect.virtual-gateway", "TrailARN": "cloudtrail.trail",
	}
}

// own says which attribute is the id of a resource of the kind.
func own() map[string]string {
	ids := map[string]string{
		"s3.bucket": "Name", "route53.hosted-zone": "Id", "route53.health-check": "Id", "iam.policy": "Arn", "iam.principal": "Arn", "cloudfront.cache-policy": "Id", "region": "Name",
	}
	for _, name := range []string{
		"InstanceId", "VolumeId", "SnapshotId", "GroupId", "VpcId", "SubnetId", "NetworkInterfaceId", "RouteTableId", "NatGatewayId", "VpcEndpointId", "InstanceType",
		"DBInstanceArn", "DBClusterIdentifier", "DBParameterGroupName", "FunctionArn", "LoadBalancerName", "LoadBalancerArn", "TargetGroupArn", "ClusterArn", "ServiceName", "ClusterIdentifier",
		"FileSystemId", "CacheClusterId", "DirectConnectGatewayId", "VirtualGatewayId", "TrailARN", "VpnGatewayId",
	} {
		ids[named()[name]] = name
	}
	return ids
}

func name(kind string, i int) string { return fmt.Sprintf("%s:%08x/%d", kind, i, i%7) }

// resource makes resource i of n of a kind.
func (a account) resource(kind inventory.Kind, i, n int) inventory.Resource {
	r := inventory.Resource{Kind: kind.Name, ID: "arn:aws:" + name(kind.Name, i), Attributes: a.attributes(kind.Type, 4)}
	if !kind.Global {
		r.Region = a.region(i, n)
	}
	for field, of := range a.named { // the metrics of i are those of i
		if _, ok := r.Attributes[field].(string); ok && strings.HasSuffix(kind.Name, "-metrics") {
			r.Attributes[field] = name(of, i)
		}
	}
	if field, ok := a.own[kind.Name]; ok {
		r.Attributes[field] = name(kind.Name, i)
	}
	if kind.Name == "region" {
		r.ID, r.Attributes["Name"] = r.Region, r.Region
	}
	return r
}

func (a account) attributes(t *inventory.Type, depth int) map[string]any {
	m := map[string]any{}
	for _, f := range t.Fields() {
		if a.random.Float64() < a.absent && f.Name != "SummaryMap" && f.Name != "ClusterArn" { // those are always there
			continue
		}
		if v := a.field(t, f, depth); v != nil {
			m[f.Name] = v
		}
	}
	return m
}

func (a account) field(t *inventory.Type, f inventory.Field, depth int) any {
	switch {
	case t.Name == "rds.DBParameterGroup" && f.Name == "Parameters":
		return a.parameters()
	case f.Name == "SummaryMap":
		return summary()
	case f.Name == "ViewerCertificate":
		return map[string]any{"CloudFrontDefaultCertificate": true}
	}
	of, ok := a.named[f.Name]
	if t.Name == "elasticloadbalancingv2.TargetDescription" && f.Name == "Id" {
		of, ok = "ec2.instance", true
	}
	switch {
	case ok && f.Type.Form == inventory.String:
		return a.reference(of)
	case ok && f.Type.Form == inventory.List && f.Type.Elem.Form == inventory.String:
		return []any{a.reference(of), a.reference(of)}
	case f.Type.Form == inventory.List && (f.Type.Elem.Form == inventory.Double || f.Type.Elem.Form == inventory.Any): // of 14 days
		list := make([]any, 14)
		for i := range list {
			list[i] = a.random.Float64() * 100
		}
		return list
	case f.Type.Form == inventory.List && f.Type.Elem.Form == inventory.Struct && depth > 0:
		list := make([]any, a.random.IntN(4))
		for i := range list {
			list[i] = a.attributes(f.Type.Elem, depth-1)
		}
		return list
	case f.Type.Form == inventory.Struct && depth > 0:
		return a.attributes(f.Type, depth-1)
	}
	return a.value(f.Type, depth)
}

// reference is the id of some resource of a kind; one in twenty is the first.
func (a account) reference(kind string) string {
	if a.random.IntN(20) == 0 {
		return name(kind, 0)
	}
	return name(kind, a.random.IntN(max(1, a.counts[kind])))
}

// parameters are those of a parameter group, of which there are hundreds.
func (a account) parameters() map[string]any {
	m := map[string]any{"autovacuum": "1", "sync_binlog": "0", "general_log": "1", "log_output": "TABLE", "max_user_connections": "2"}
	for i := range 200 {
		m[fmt.Sprintf("parameter_%d", i)] = fmt.Sprint(i)
	}
	return m
}

// summary counts what is in an account.
func summary() map[string]any {
	m := map[string]any{"AccountMFAEnabled": 1.0, "AccountAccessKeysPresent": 0.0}
	for _, what := range []string{"Users", "Groups", "Roles", "Policies", "InstanceProfiles", "ServerCertificates"} {
		m[what], m[what+"Quota"] = 10.0, 100.0
	}
	return m
}

// large returns the inventory of an account of n resources, which is the same
// every time.
func large(tb testing.TB, pack *check.Pack, n int) *inventory.File {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "inventory")
	writeLarge(tb, pack, path, n)
	file, err := inventory.OpenFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

func writeLarge(tb testing.TB, pack *check.Pack, path string, n int) {
	tb.Helper()
	needs, known := needsOf(tb, pack.Checks()), collect.Kinds()
	a := account{values: values{random: rand.New(rand.NewPCG(1, 2)), absent: 0.3}, counts: counts(needs.Kinds(), n), named: named(), own: own()}
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	w, err := inventory.NewWriter(f, inventory.Header{Account: "111122223333", CollectedAt: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), Regions: accountRegions(), Needs: needs})
	if err != nil {
		tb.Fatal(err)
	}
	for _, kind := range needs.Kinds() {
		for i := range a.counts[kind] {
			if err := w.Add(a.resource(known[kind], i, a.counts[kind])); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := w.Close(nil, nil); err != nil {
		tb.Fatal(err)
	}
}

// counts says how many of n resources are of each kind. What is left after all
// are instances.
func counts(kinds []string, n int) map[string]int {
	all, left := map[string]int{}, n
	for _, kind := range kinds {
		of, common := share()[kind]
		switch {
		case common:
			all[kind] = max(1, of*n/100_000)
		case single(kind) && collect.Kinds()[kind].Global:
			all[kind] = 1
		case single(kind):
			all[kind] = len(accountRegions())
		default:
			all[kind] = max(1, n/2000)
		}
		left -= all[kind]
	}
	all["ec2.instance"] += left
	return all
}
