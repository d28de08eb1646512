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

func TestSecretsAreNotCollected(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, call string) bool {
		switch {
		case call == "ec2:DescribeVpnConnections":
			fmt.Fprint(w, `<DescribeVpnConnectionsResponse><vpnConnectionSet><item><vpnConnectionId>vpn-1</vpnConnectionId>
				<customerGatewayConfiguration>hush</customerGatewayConfiguration>
				<options><tunnelOptionSet><item><outsideIpAddress>192.0.2.1</outsideIpAddress><preSharedKey>hush</preSharedKey></item></tunnelOptionSet></options>
				</item></vpnConnectionSet></DescribeVpnConnectionsResponse>`)
		case call == "ec2:DescribeLaunchTemplates":
			fmt.Fprint(w, `<DescribeLaunchTemplatesResponse><launchTemplates><item><launchTemplateId>lt-1</launchTemplateId></item></launchTemplates></DescribeLaunchTemplatesResponse>`)
		case call == "ec2:DescribeLaunchTemplateVersions":
			fmt.Fprint(w, `<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet><item>
				<launchTemplateData><imageId>ami-1</imageId><userData>hush</userData></launchTemplateData>
				</item></launchTemplateVersionSet></DescribeLaunchTemplateVersionsResponse>`)
		case strings.HasPrefix(call, "directconnect:"):
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			fmt.Fprint(w, `{"virtualInterfaces": [{"virtualInterfaceId": "dxvif-1", "authKey": "hush", "customerRouterConfig": "hush", "bgpPeers": [{"authKey": "hush", "bgpPeerId": "p"}]}]}`)
		default:
			return false
		}
		return true
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{
		"ec2.vpn-connection": nil, "ec2.launch-template": {"Default", "Latest"}, "directconnect.virtual-interface": nil,
	})
	if len(got.Resources) != 3 || len(got.Summary.Failures) != 0 {
		t.Errorf("%d resources, failures %v, want 3 and none", len(got.Resources), got.failures())
	}
	text, err := json.Marshal(got.Resources)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hush") {
		t.Errorf("the inventory has a secret: %s", text)
	}
	for _, want := range []string{"192.0.2.1", "ami-1", "bgp"} {
		if !strings.Contains(strings.ToLower(string(text)), want) {
			t.Errorf("the inventory lacks %s: %s", want, text)
		}
	}
}

func TestWhatOthersShareIsNotTheAccounts(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call string) bool {
		if call != "ec2:DescribeVpcs" {
			return false
		}
		fmt.Fprint(w, `<DescribeVpcsResponse><vpcSet>
			<item><vpcId>vpc-1</vpcId><ownerId>111122223333</ownerId></item>
			<item><vpcId>vpc-2</vpcId><ownerId>444455556666</ownerId></item>
			<item><vpcId>vpc-3</vpcId></item></vpcSet></DescribeVpcsResponse>`)
		return true
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"ec2.vpc": nil})
	want := []string{"us-east-1 arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1", "us-east-1 arn:aws:ec2:us-east-1:111122223333:vpc/vpc-3"}
	if diff := cmp.Diff(want, got.ids()); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
}

func TestWhatOthersShareIsKnownAndNotOwned(t *testing.T) {
	t.Parallel()
	const item = `<item><%[1]sId>%[2]s-1</%[1]sId><ownerId>111122223333</ownerId></item><item><%[1]sId>%[2]s-2</%[1]sId><ownerId>444455556666</ownerId></item>`
	lists := map[string]string{
		"ec2:DescribeSubnets":        "<DescribeSubnetsResponse><subnetSet>" + fmt.Sprintf(item, "subnet", "subnet") + "</subnetSet></DescribeSubnetsResponse>",
		"ec2:DescribeRouteTables":    "<DescribeRouteTablesResponse><routeTableSet>" + fmt.Sprintf(item, "routeTable", "rtb") + "</routeTableSet></DescribeRouteTablesResponse>",
		"ec2:DescribeNetworkAcls":    "<DescribeNetworkAclsResponse><networkAclSet>" + fmt.Sprintf(item, "networkAcl", "acl") + "</networkAclSet></DescribeNetworkAclsResponse>",
		"ec2:DescribeSecurityGroups": "<DescribeSecurityGroupsResponse><securityGroupInfo>" + fmt.Sprintf(item, "group", "sg") + "</securityGroupInfo></DescribeSecurityGroupsResponse>",
	}
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call string) bool {
		fmt.Fprint(w, lists[call])
		return lists[call] != ""
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{
		"ec2.subnet": nil, "ec2.route-table": nil, "ec2.network-acl": nil, "ec2.security-group": nil,
	})
	if len(got.Resources) != 8 {
		t.Errorf("%d resources, failures %v, want 8", len(got.Resources), got.failures())
	}
	for _, r := range got.Resources {
		owned, _ := r.Attributes["Owned"].(bool)
		if want := strings.HasSuffix(r.ID, "-1"); owned != want {
			t.Errorf("%s: Owned is %t, want %t", r.ID, owned, want)
		}
	}
}

// An endpoint may not know the condition and list all snapshots as public.
func TestSnapshotsArePublicWhenTheirPermissionsSaySo(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, call string) bool {
		switch call {
		case "ec2:DescribeSnapshots":
			if r.Form.Get("RestorableBy.1") == "all" {
				snapshots(w, "snap-1", "snap-2")
				return true
			}
			snapshots(w, "snap-1", "snap-2", "snap-3")
		case "ec2:DescribeSnapshotAttribute":
			if r.Form.Get("SnapshotId") == "snap-1" {
				return false
			}
			fmt.Fprint(w, `<DescribeSnapshotAttributeResponse><createVolumePermission><item><userId>444455556666</userId></item></createVolumePermission></DescribeSnapshotAttributeResponse>`)
		default:
			return false
		}
		return true
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"ec2.snapshot": {"Public"}})
	var public []string
	for _, r := range got.Resources {
		if r.Attributes["Public"] == true {
			public = append(public, r.Attributes["SnapshotId"].(string))
		}
	}
	if diff := cmp.Diff([]string{"snap-1"}, public); diff != "" {
		t.Errorf("public snapshots (-want +got):\n%s", diff)
	}
	if got := f.called("ec2:DescribeSnapshotAttribute"); got != 2 {
		t.Errorf("DescribeSnapshotAttribute was called %d times, want once for each that is listed as public", got)
	}
}

func TestQuotasAreTheDefaultsUnlessOthersApply(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, call string) bool {
		if !strings.HasPrefix(call, "servicequotas:") {
			return false
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		body, _ := io.ReadAll(r.Body)
		switch {
		case operation == "ListServiceQuotas":
			fmt.Fprint(w, `{"Quotas": [{"QuotaCode": "L-2", "Value": 20}]}`)
		case strings.Contains(string(body), "NextToken"):
			fmt.Fprint(w, `{"Quotas": [{"QuotaCode": "L-2", "Value": 2}, {"QuotaCode": "L-3"}]}`)
		default:
			fmt.Fprint(w, `{"Quotas": [{"QuotaCode": "L-1", "Value": 1}], "NextToken": "more"}`)
		}
		return true
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"servicequotas.ebs": nil})
	values := map[string]any{}
	for _, r := range got.Resources {
		values[r.ID] = r.Attributes["Value"]
	}
	want := map[string]any{
		"arn:aws:servicequotas:us-east-1:111122223333:ebs/L-1": 1.0,
		"arn:aws:servicequotas:us-east-1:111122223333:ebs/L-2": 20.0,
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("quotas (-want +got):\n%s", diff)
	}
}

func TestThroughputIsThatOfAllVolumesTogether(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call string) bool {
		switch {
		case call == "ec2:DescribeInstances":
			fmt.Fprint(w, `<DescribeInstancesResponse><reservationSet><item><instancesSet>
				<item><instanceId>i-1</instanceId><blockDeviceMapping><item><ebs><volumeId>vol-1</volumeId></ebs></item><item><ebs><volumeId>vol-2</volumeId></ebs></item></blockDeviceMapping></item>
				<item><instanceId>i-2</instanceId></item>
				</instancesSet></item></reservationSet></DescribeInstancesResponse>`)
		case strings.HasPrefix(call, "monitoring:"):
			// The collection is at noon: a day before is on the day before, UTC.
			datapoints(w, "", map[string]map[int]float64{"m0": {1: 3e8, 3: 3e8}, "m1": {1: 3e8}, "m2": {1: 6e8}})
		default:
			return false
		}
		return true
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"ec2.instance-throughput": nil})
	var all []any
	for _, r := range got.Resources {
		all = append(all, r.Attributes["Megabytes"])
	}
	if diff := cmp.Diff([]any{[]any{4.0}, nil}, all); diff != "" {
		t.Errorf("throughput (-want +got):\n%s\nfailures: %v", diff, got.failures())
	}
}
