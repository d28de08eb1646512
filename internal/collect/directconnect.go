package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directconnect"
	"github.com/aws/aws-sdk-go-v2/service/directconnect/types"
)

func directconnectKinds() []kind {
	return []kind{
		kindOf("directconnect.connection", regional, "directconnect:DescribeConnections", readDirectConnectConnections),
		kindOf("directconnect.virtual-interface", regional, "directconnect:DescribeVirtualInterfaces", readVirtualInterfaces),
		kindOf("directconnect.virtual-gateway", regional, "directconnect:DescribeVirtualGateways", readVirtualGateways),
		kindOf("directconnect.gateway", global, "directconnect:DescribeDirectConnectGateways", readDirectConnectGateways),
	}
}

func (r *reader) directconnect() *directconnect.Client { return directconnect.NewFromConfig(r.config) }

func readDirectConnectConnections(ctx context.Context, r *reader, emit emit[types.Connection]) error {
	input := &directconnect.DescribeConnectionsInput{}
	return pages(ctx, r.directconnect().DescribeConnections, input, func(page *directconnect.DescribeConnectionsOutput) error {
		for _, c := range page.Connections {
			if err := emit(r.arn("directconnect", "dxcon/"+aws.ToString(c.ConnectionId)), c); err != nil {
				return err
			}
		}
		return nil
	})
}

// readVirtualInterfaces leaves out the keys of BGP, and the configuration that
// has them.
func readVirtualInterfaces(ctx context.Context, r *reader, emit emit[types.VirtualInterface]) error {
	input := &directconnect.DescribeVirtualInterfacesInput{}
	return pages(ctx, r.directconnect().DescribeVirtualInterfaces, input, func(page *directconnect.DescribeVirtualInterfacesOutput) error {
		for _, v := range page.VirtualInterfaces {
			v.AuthKey, v.CustomerRouterConfig = nil, nil
			for i := range v.BgpPeers {
				v.BgpPeers[i].AuthKey = nil
			}
			if err := emit(r.arn("directconnect", "dxvif/"+aws.ToString(v.VirtualInterfaceId)), v); err != nil {
				return err
			}
		}
		return nil
	})
}

func readVirtualGateways(ctx context.Context, r *reader, emit emit[types.VirtualGateway]) error {
	out, err := r.directconnect().DescribeVirtualGateways(ctx, &directconnect.DescribeVirtualGatewaysInput{})
	if err != nil {
		return err
	}
	for _, g := range out.VirtualGateways {
		if err := emit(r.ec2ARN("vpn-gateway", g.VirtualGatewayId), g); err != nil {
			return err
		}
	}
	return nil
}

func readDirectConnectGateways(ctx context.Context, r *reader, emit emit[types.DirectConnectGateway]) error {
	input := &directconnect.DescribeDirectConnectGatewaysInput{}
	return pages(ctx, r.directconnect().DescribeDirectConnectGateways, input, func(page *directconnect.DescribeDirectConnectGatewaysOutput) error {
		for _, g := range page.DirectConnectGateways {
			if err := emit(r.arn("directconnect", "dx-gateway/"+aws.ToString(g.DirectConnectGatewayId)), g); err != nil {
				return err
			}
		}
		return nil
	})
}
