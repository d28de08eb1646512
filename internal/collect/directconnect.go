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
	client := r.directconnect()
	return byToken(func(token *string) (*string, error) {
		out, err := client.DescribeConnections(ctx, &directconnect.DescribeConnectionsInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, c := range out.Connections {
			if err := emit(r.arn("directconnect", "dxcon/"+aws.ToString(c.ConnectionId)), c); err != nil {
				return nil, err
			}
		}
		return out.NextToken, nil
	})
}

// readVirtualInterfaces leaves out the keys of BGP, and the configuration that
// has them.
func readVirtualInterfaces(ctx context.Context, r *reader, emit emit[types.VirtualInterface]) error {
	client := r.directconnect()
	return byToken(func(token *string) (*string, error) {
		out, err := client.DescribeVirtualInterfaces(ctx, &directconnect.DescribeVirtualInterfacesInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, v := range out.VirtualInterfaces {
			v.AuthKey, v.CustomerRouterConfig = nil, nil
			for i := range v.BgpPeers {
				v.BgpPeers[i].AuthKey = nil
			}
			if err := emit(r.arn("directconnect", "dxvif/"+aws.ToString(v.VirtualInterfaceId)), v); err != nil {
				return nil, err
			}
		}
		return out.NextToken, nil
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
	client := r.directconnect()
	return byToken(func(token *string) (*string, error) {
		out, err := client.DescribeDirectConnectGateways(ctx, &directconnect.DescribeDirectConnectGatewaysInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, g := range out.DirectConnectGateways {
			if err := emit(r.arn("directconnect", "dx-gateway/"+aws.ToString(g.DirectConnectGatewayId)), g); err != nil {
				return nil, err
			}
		}
		return out.NextToken, nil
	})
}
