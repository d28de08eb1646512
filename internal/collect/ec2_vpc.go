package collect

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func readVPCs(ctx context.Context, r *reader, emit emit[types.Vpc]) error {
	return eachItem(ctx, r.ec2().DescribeVpcs, &ec2.DescribeVpcsInput{},
		func(page *ec2.DescribeVpcsOutput) []types.Vpc { return page.Vpcs },
		func(v types.Vpc) error {
			if !r.owns(v.OwnerId) {
				return nil
			}
			return emit(r.ec2ARN("vpc", v.VpcId), v)
		})
}

// Subnet is a subnet that the account has or shares.
type Subnet struct {
	types.Subnet
	Owned bool `doc:"Whether it is the account's own. Another account may share its subnets, and all that belongs to them."`
}

func readSubnets(ctx context.Context, r *reader, emit emit[Subnet]) error {
	return eachItem(ctx, r.ec2().DescribeSubnets, &ec2.DescribeSubnetsInput{},
		func(page *ec2.DescribeSubnetsOutput) []types.Subnet { return page.Subnets },
		func(s types.Subnet) error {
			return emit(cmp.Or(aws.ToString(s.SubnetArn), r.ec2ARN("subnet", s.SubnetId)), Subnet{s, r.owns(s.OwnerId)})
		})
}

// RouteTable is a route table that the account has or shares.
type RouteTable struct {
	types.RouteTable
	Owned bool `doc:"Whether it is the account's own. Another account may share its subnets, and all that belongs to them."`
}

func readRouteTables(ctx context.Context, r *reader, emit emit[RouteTable]) error {
	return eachItem(ctx, r.ec2().DescribeRouteTables, &ec2.DescribeRouteTablesInput{},
		func(page *ec2.DescribeRouteTablesOutput) []types.RouteTable { return page.RouteTables },
		func(t types.RouteTable) error {
			return emit(r.ec2ARN("route-table", t.RouteTableId), RouteTable{t, r.owns(t.OwnerId)})
		})
}

// NetworkACL is a network ACL that the account has or shares.
type NetworkACL struct {
	types.NetworkAcl
	Owned bool `doc:"Whether it is the account's own. Another account may share its subnets, and all that belongs to them."`
}

func readNetworkACLs(ctx context.Context, r *reader, emit emit[NetworkACL]) error {
	return eachItem(ctx, r.ec2().DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{},
		func(page *ec2.DescribeNetworkAclsOutput) []types.NetworkAcl { return page.NetworkAcls },
		func(a types.NetworkAcl) error {
			return emit(r.ec2ARN("network-acl", a.NetworkAclId), NetworkACL{a, r.owns(a.OwnerId)})
		})
}

// SecurityGroup is a security group that the account has or shares.
type SecurityGroup struct {
	types.SecurityGroup
	Owned bool `doc:"Whether it is the account's own. Another account may share its subnets, and all that belongs to them."`
}

func readSecurityGroups(ctx context.Context, r *reader, emit emit[SecurityGroup]) error {
	return eachItem(ctx, r.ec2().DescribeSecurityGroups, &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(1000)},
		func(page *ec2.DescribeSecurityGroupsOutput) []types.SecurityGroup { return page.SecurityGroups },
		func(g types.SecurityGroup) error {
			return emit(cmp.Or(aws.ToString(g.SecurityGroupArn), r.ec2ARN("security-group", g.GroupId)), SecurityGroup{g, r.owns(g.OwnerId)})
		})
}

func readNetworkInterfaces(ctx context.Context, r *reader, emit emit[types.NetworkInterface]) error {
	return eachItem(ctx, r.ec2().DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(1000)},
		func(page *ec2.DescribeNetworkInterfacesOutput) []types.NetworkInterface {
			return page.NetworkInterfaces
		}, func(i types.NetworkInterface) error {
			return emit(r.ec2ARN("network-interface", i.NetworkInterfaceId), i)
		})
}

func readFlowLogs(ctx context.Context, r *reader, emit emit[types.FlowLog]) error {
	return eachItem(ctx, r.ec2().DescribeFlowLogs, &ec2.DescribeFlowLogsInput{},
		func(page *ec2.DescribeFlowLogsOutput) []types.FlowLog { return page.FlowLogs },
		func(l types.FlowLog) error { return emit(r.ec2ARN("vpc-flow-log", l.FlowLogId), l) })
}
