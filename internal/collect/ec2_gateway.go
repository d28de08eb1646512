package collect

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func readAddresses(ctx context.Context, r *reader, emit emit[types.Address]) error {
	out, err := r.ec2().DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return err
	}
	for _, a := range out.Addresses {
		id := cmp.Or(aws.ToString(a.AllocationId), aws.ToString(a.PublicIp))
		if err := emit(r.arn("ec2", "elastic-ip/"+id), a); err != nil {
			return err
		}
	}
	return nil
}

func readInternetGateways(ctx context.Context, r *reader, emit emit[types.InternetGateway]) error {
	return eachItem(ctx, r.ec2().DescribeInternetGateways, &ec2.DescribeInternetGatewaysInput{},
		func(page *ec2.DescribeInternetGatewaysOutput) []types.InternetGateway { return page.InternetGateways },
		func(g types.InternetGateway) error {
			if !r.owns(g.OwnerId) {
				return nil
			}
			return emit(r.ec2ARN("internet-gateway", g.InternetGatewayId), g)
		})
}

func (r *reader) natGatewayPages(ctx context.Context, f func([]types.NatGateway) error) error {
	input := &ec2.DescribeNatGatewaysInput{}
	return pages(ctx, r.ec2().DescribeNatGateways, input, func(page *ec2.DescribeNatGatewaysOutput) error { return f(page.NatGateways) })
}

func readNATGateways(ctx context.Context, r *reader, emit emit[types.NatGateway]) error {
	return r.natGatewayPages(ctx, func(gateways []types.NatGateway) error {
		for _, g := range gateways {
			if err := emit(r.ec2ARN("natgateway", g.NatGatewayId), g); err != nil {
				return err
			}
		}
		return nil
	})
}

// trafficDays is over how many days what goes through gateways and endpoints is
// added up.
const trafficDays = 30

// NATGatewayMetrics is what went through a NAT gateway in the last 30 days. What
// CloudWatch has no datapoint of is left out.
type NATGatewayMetrics struct {
	NatGatewayId           string   `doc:"The gateway."`
	BytesInFromDestination *float64 `doc:"Bytes that came back from where the gateway leads."`
	BytesInFromSource      *float64 `doc:"Bytes that came from clients in the VPC."`
}

func readNATGatewayMetrics(ctx context.Context, r *reader, emit emit[NATGatewayMetrics]) error {
	return r.natGatewayPages(ctx, func(gateways []types.NatGateway) error {
		var metrics []metric
		for _, g := range gateways {
			of := map[string]string{"NatGatewayId": aws.ToString(g.NatGatewayId)}
			metrics = append(metrics,
				metric{"AWS/NATGateway", "BytesInFromDestination", "Sum", of},
				metric{"AWS/NATGateway", "BytesInFromSource", "Sum", of})
		}
		values, err := r.daily(ctx, trafficDays, metrics)
		if err != nil {
			return err
		}
		for n, g := range gateways {
			m := NATGatewayMetrics{
				NatGatewayId:           aws.ToString(g.NatGatewayId),
				BytesInFromDestination: sum(values[2*n]), BytesInFromSource: sum(values[2*n+1]),
			}
			if err := emit(r.ec2ARN("natgateway", g.NatGatewayId), m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *reader) vpcEndpointPages(ctx context.Context, f func([]types.VpcEndpoint) error) error {
	input := &ec2.DescribeVpcEndpointsInput{}
	return pages(ctx, r.ec2().DescribeVpcEndpoints, input, func(page *ec2.DescribeVpcEndpointsOutput) error { return f(page.VpcEndpoints) })
}

func readVPCEndpoints(ctx context.Context, r *reader, emit emit[types.VpcEndpoint]) error {
	return r.vpcEndpointPages(ctx, func(endpoints []types.VpcEndpoint) error {
		for _, e := range endpoints {
			if err := emit(r.ec2ARN("vpc-endpoint", e.VpcEndpointId), e); err != nil {
				return err
			}
		}
		return nil
	})
}

// VPCEndpointMetrics is what went through an interface endpoint or a Gateway
// Load Balancer endpoint in the last 30 days.
type VPCEndpointMetrics struct {
	VpcEndpointId  string   `doc:"The endpoint."`
	BytesProcessed *float64 `doc:"Bytes in both directions. CloudWatch has datapoints only of minutes with traffic: left out is none."`
}

// readVPCEndpointMetrics leaves out endpoints that CloudWatch has no metrics of:
// those of gateways, and those of services in other regions.
func readVPCEndpointMetrics(ctx context.Context, r *reader, emit emit[VPCEndpointMetrics]) error {
	return r.vpcEndpointPages(ctx, func(endpoints []types.VpcEndpoint) error {
		var metrics []metric
		var measured []types.VpcEndpoint
		for _, e := range endpoints {
			local := cmp.Or(aws.ToString(e.ServiceRegion), r.task.region) == r.task.region
			if !local || e.VpcEndpointType != types.VpcEndpointTypeInterface && e.VpcEndpointType != types.VpcEndpointTypeGatewayLoadBalancer {
				continue
			}
			measured = append(measured, e)
			metrics = append(metrics, metric{"AWS/PrivateLinkEndpoints", "BytesProcessed", "Sum", map[string]string{
				"Endpoint Type": string(e.VpcEndpointType), "Service Name": aws.ToString(e.ServiceName),
				"VPC Endpoint Id": aws.ToString(e.VpcEndpointId), "VPC Id": aws.ToString(e.VpcId),
			}})
		}
		values, err := r.daily(ctx, trafficDays, metrics)
		if err != nil {
			return err
		}
		for n, e := range measured {
			m := VPCEndpointMetrics{VpcEndpointId: aws.ToString(e.VpcEndpointId), BytesProcessed: sum(values[n])}
			if err := emit(r.ec2ARN("vpc-endpoint", e.VpcEndpointId), m); err != nil {
				return err
			}
		}
		return nil
	})
}

func readVPCPeeringConnections(ctx context.Context, r *reader, emit emit[types.VpcPeeringConnection]) error {
	return eachItem(ctx, r.ec2().DescribeVpcPeeringConnections, &ec2.DescribeVpcPeeringConnectionsInput{},
		func(page *ec2.DescribeVpcPeeringConnectionsOutput) []types.VpcPeeringConnection {
			return page.VpcPeeringConnections
		},
		func(c types.VpcPeeringConnection) error {
			return emit(r.ec2ARN("vpc-peering-connection", c.VpcPeeringConnectionId), c)
		})
}

// readVPNConnections leaves out the keys of tunnels, and the configuration that
// has them.
func readVPNConnections(ctx context.Context, r *reader, emit emit[types.VpnConnection]) error {
	out, err := r.ec2().DescribeVpnConnections(ctx, &ec2.DescribeVpnConnectionsInput{})
	if err != nil {
		return err
	}
	for _, c := range out.VpnConnections {
		c.CustomerGatewayConfiguration = nil
		if c.Options != nil {
			for i := range c.Options.TunnelOptions {
				c.Options.TunnelOptions[i].PreSharedKey = nil
			}
		}
		if err := emit(r.ec2ARN("vpn-connection", c.VpnConnectionId), c); err != nil {
			return err
		}
	}
	return nil
}

func readVPNGateways(ctx context.Context, r *reader, emit emit[types.VpnGateway]) error {
	out, err := r.ec2().DescribeVpnGateways(ctx, &ec2.DescribeVpnGatewaysInput{})
	if err != nil {
		return err
	}
	for _, g := range out.VpnGateways {
		if err := emit(r.ec2ARN("vpn-gateway", g.VpnGatewayId), g); err != nil {
			return err
		}
	}
	return nil
}

func readTransitGateways(ctx context.Context, r *reader, emit emit[types.TransitGateway]) error {
	return eachItem(ctx, r.ec2().DescribeTransitGateways, &ec2.DescribeTransitGatewaysInput{},
		func(page *ec2.DescribeTransitGatewaysOutput) []types.TransitGateway { return page.TransitGateways },
		func(g types.TransitGateway) error {
			if !r.owns(g.OwnerId) {
				return nil
			}
			return emit(cmp.Or(aws.ToString(g.TransitGatewayArn), r.ec2ARN("transit-gateway", g.TransitGatewayId)), g)
		})
}
