package collect

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func readVPCs(ctx context.Context, r *reader, emit emit[types.Vpc]) error {
	p := ec2.NewDescribeVpcsPaginator(r.ec2(), &ec2.DescribeVpcsInput{})
	return eachItem(ctx, p, func(page *ec2.DescribeVpcsOutput) []types.Vpc { return page.Vpcs }, func(v types.Vpc) error {
		if !r.owns(v.OwnerId) {
			return nil
		}
		return emit(r.ec2ARN("vpc", v.VpcId), v)
	})
}

func readSubnets(ctx context.Context, r *reader, emit emit[types.Subnet]) error {
	p := ec2.NewDescribeSubnetsPaginator(r.ec2(), &ec2.DescribeSubnetsInput{})
	return eachItem(ctx, p, func(page *ec2.DescribeSubnetsOutput) []types.Subnet { return page.Subnets }, func(s types.Subnet) error {
		if !r.owns(s.OwnerId) {
			return nil
		}
		return emit(cmp.Or(aws.ToString(s.SubnetArn), r.ec2ARN("subnet", s.SubnetId)), s)
	})
}

func readRouteTables(ctx context.Context, r *reader, emit emit[types.RouteTable]) error {
	p := ec2.NewDescribeRouteTablesPaginator(r.ec2(), &ec2.DescribeRouteTablesInput{})
	return eachItem(ctx, p, func(page *ec2.DescribeRouteTablesOutput) []types.RouteTable { return page.RouteTables },
		func(t types.RouteTable) error {
			if !r.owns(t.OwnerId) {
				return nil
			}
			return emit(r.ec2ARN("route-table", t.RouteTableId), t)
		})
}

func readNetworkACLs(ctx context.Context, r *reader, emit emit[types.NetworkAcl]) error {
	p := ec2.NewDescribeNetworkAclsPaginator(r.ec2(), &ec2.DescribeNetworkAclsInput{})
	return eachItem(ctx, p, func(page *ec2.DescribeNetworkAclsOutput) []types.NetworkAcl { return page.NetworkAcls },
		func(a types.NetworkAcl) error {
			if !r.owns(a.OwnerId) {
				return nil
			}
			return emit(r.ec2ARN("network-acl", a.NetworkAclId), a)
		})
}

func readSecurityGroups(ctx context.Context, r *reader, emit emit[types.SecurityGroup]) error {
	p := ec2.NewDescribeSecurityGroupsPaginator(r.ec2(), &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(1000)})
	return eachItem(ctx, p, func(page *ec2.DescribeSecurityGroupsOutput) []types.SecurityGroup { return page.SecurityGroups },
		func(g types.SecurityGroup) error {
			if !r.owns(g.OwnerId) {
				return nil
			}
			return emit(cmp.Or(aws.ToString(g.SecurityGroupArn), r.ec2ARN("security-group", g.GroupId)), g)
		})
}

func readNetworkInterfaces(ctx context.Context, r *reader, emit emit[types.NetworkInterface]) error {
	p := ec2.NewDescribeNetworkInterfacesPaginator(r.ec2(), &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(1000)})
	return eachItem(ctx, p, func(page *ec2.DescribeNetworkInterfacesOutput) []types.NetworkInterface {
		return page.NetworkInterfaces
	}, func(i types.NetworkInterface) error {
		return emit(r.ec2ARN("network-interface", i.NetworkInterfaceId), i)
	})
}

func readFlowLogs(ctx context.Context, r *reader, emit emit[types.FlowLog]) error {
	p := ec2.NewDescribeFlowLogsPaginator(r.ec2(), &ec2.DescribeFlowLogsInput{})
	return eachItem(ctx, p, func(page *ec2.DescribeFlowLogsOutput) []types.FlowLog { return page.FlowLogs },
		func(l types.FlowLog) error { return emit(r.ec2ARN("vpc-flow-log", l.FlowLogId), l) })
}
