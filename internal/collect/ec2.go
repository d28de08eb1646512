package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func ec2Kinds() []kind {
	return []kind{
		kindOf("ec2.instance", regional, "ec2:DescribeInstances", readInstances),
		kindOf("ec2.instance-metrics", regional, "ec2:DescribeInstances,cloudwatch:GetMetricData", readInstanceMetrics),
		kindOf("ec2.instance-throughput", regional, "ec2:DescribeInstances,cloudwatch:GetMetricData", readInstanceThroughput),
		kindOf("ec2.instance-type", regional, "ec2:DescribeInstanceTypes", readInstanceTypes),
		kindOf("ec2.reserved-instance", regional, "ec2:DescribeReservedInstances", readReservedInstances),
		kindOf("ec2.image", regional, "ec2:DescribeImages", readImages),
		kindOf("ec2.launch-template", regional, "ec2:DescribeLaunchTemplates", readLaunchTemplates),

		kindOf("ec2.volume", regional, "ec2:DescribeVolumes", readVolumes),
		kindOf("ec2.volume-metrics", regional, "ec2:DescribeVolumes,cloudwatch:GetMetricData", readVolumeMetrics),
		kindOf("ec2.magnetic-volume-metrics", regional, "ec2:DescribeVolumes,cloudwatch:GetMetricData", readMagneticVolumeMetrics),
		kindOf("ec2.snapshot", regional, "ec2:DescribeSnapshots", readSnapshots),

		kindOf("ec2.vpc", regional, "ec2:DescribeVpcs", readVPCs),
		kindOf("ec2.subnet", regional, "ec2:DescribeSubnets", readSubnets),
		kindOf("ec2.route-table", regional, "ec2:DescribeRouteTables", readRouteTables),
		kindOf("ec2.network-acl", regional, "ec2:DescribeNetworkAcls", readNetworkACLs),
		kindOf("ec2.security-group", regional, "ec2:DescribeSecurityGroups", readSecurityGroups),
		kindOf("ec2.network-interface", regional, "ec2:DescribeNetworkInterfaces", readNetworkInterfaces),
		kindOf("ec2.flow-log", regional, "ec2:DescribeFlowLogs", readFlowLogs),

		kindOf("ec2.address", regional, "ec2:DescribeAddresses", readAddresses),
		kindOf("ec2.internet-gateway", regional, "ec2:DescribeInternetGateways", readInternetGateways),
		kindOf("ec2.nat-gateway", regional, "ec2:DescribeNatGateways", readNATGateways),
		kindOf("ec2.nat-gateway-metrics", regional, "ec2:DescribeNatGateways,cloudwatch:GetMetricData", readNATGatewayMetrics),
		kindOf("ec2.vpc-endpoint", regional, "ec2:DescribeVpcEndpoints", readVPCEndpoints),
		kindOf("ec2.vpc-endpoint-metrics", regional, "ec2:DescribeVpcEndpoints,cloudwatch:GetMetricData", readVPCEndpointMetrics),
		kindOf("ec2.vpc-peering-connection", regional, "ec2:DescribeVpcPeeringConnections", readVPCPeeringConnections),
		kindOf("ec2.vpn-connection", regional, "ec2:DescribeVpnConnections", readVPNConnections),
		kindOf("ec2.vpn-gateway", regional, "ec2:DescribeVpnGateways", readVPNGateways),
		kindOf("ec2.transit-gateway", regional, "ec2:DescribeTransitGateways", readTransitGateways),

		kindOf("ec2.availability-zone", regional, "ec2:DescribeAvailabilityZones", readAvailabilityZones),
		kindOf("ec2.account-attribute", regional, "ec2:DescribeAccountAttributes", readAccountAttributes),
		kindOf("ec2.settings", regional, "sts:GetCallerIdentity", readEC2Settings),
	}
}

func (r *reader) ec2() *ec2.Client { return ec2.NewFromConfig(r.config) }

// ec2ARN returns the ARN of a resource with an id of EC2.
func (r *reader) ec2ARN(kind string, id *string) string {
	return r.arn("ec2", kind+"/"+aws.ToString(id))
}

// owns reports whether something is the account's own: lists of EC2 have what
// other accounts share with it, too.
func (r *reader) owns(owner *string) bool {
	return owner == nil || *owner == r.owner
}

func readAvailabilityZones(ctx context.Context, r *reader, emit emit[types.AvailabilityZone]) error {
	out, err := r.ec2().DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{})
	if err != nil {
		return err
	}
	for _, zone := range out.AvailabilityZones {
		if err := emit(aws.ToString(zone.ZoneName), zone); err != nil {
			return err
		}
	}
	return nil
}

func readAccountAttributes(ctx context.Context, r *reader, emit emit[types.AccountAttribute]) error {
	out, err := r.ec2().DescribeAccountAttributes(ctx, &ec2.DescribeAccountAttributesInput{})
	if err != nil {
		return err
	}
	for _, attribute := range out.AccountAttributes {
		if err := emit(aws.ToString(attribute.AttributeName), attribute); err != nil {
			return err
		}
	}
	return nil
}

// EC2Settings are what an account has set for a whole region.
type EC2Settings struct {
	EbsEncryptionByDefault    bool   `part:"ec2:GetEbsEncryptionByDefault" doc:"Whether new volumes are encrypted unless they are asked not to be."`
	SnapshotBlockPublicAccess string `part:"ec2:GetSnapshotBlockPublicAccessState" doc:"block-all-sharing, block-new-sharing or unblocked."`
	ImageBlockPublicAccess    string `part:"ec2:GetImageBlockPublicAccessState" doc:"block-new-sharing or unblocked."`
}

func readEC2Settings(ctx context.Context, r *reader, emit emit[EC2Settings]) error {
	client := r.ec2()
	var s EC2Settings
	r.part("EbsEncryptionByDefault", func() error {
		out, err := client.GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})
		if err == nil {
			s.EbsEncryptionByDefault = aws.ToBool(out.EbsEncryptionByDefault)
		}
		return err
	})
	r.part("SnapshotBlockPublicAccess", func() error {
		out, err := client.GetSnapshotBlockPublicAccessState(ctx, &ec2.GetSnapshotBlockPublicAccessStateInput{})
		if err == nil {
			s.SnapshotBlockPublicAccess = string(out.State)
		}
		return err
	})
	r.part("ImageBlockPublicAccess", func() error {
		out, err := client.GetImageBlockPublicAccessState(ctx, &ec2.GetImageBlockPublicAccessStateInput{})
		if err == nil {
			s.ImageBlockPublicAccess = aws.ToString(out.ImageBlockPublicAccessState)
		}
		return err
	})
	return emit(r.task.region, s)
}
