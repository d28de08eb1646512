package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func elbv2Kinds() []kind {
	return []kind{
		kindOf("elbv2.load-balancer", regional, "elasticloadbalancing:DescribeLoadBalancers", readLoadBalancers),
		kindOf("elbv2.target-group", regional, "elasticloadbalancing:DescribeTargetGroups", readTargetGroups),
		kindOf("elbv2.account-limit", regional, "elasticloadbalancing:DescribeAccountLimits", readLoadBalancerLimits),
	}
}

func (r *reader) elbv2() *elbv2.Client { return elbv2.NewFromConfig(r.config) }

// LoadBalancer is an Application, Network or Gateway Load Balancer.
type LoadBalancer struct {
	types.LoadBalancer
	Attributes map[string]string `part:"elasticloadbalancing:DescribeLoadBalancerAttributes" doc:"The attributes by key, such as deletion_protection.enabled."`
	Listeners  []types.Listener  `part:"elasticloadbalancing:DescribeListeners" doc:"Its listeners."`
	Rules      []types.Rule      `part:"elasticloadbalancing:DescribeRules" doc:"The rules of all its listeners."`
}

func readLoadBalancers(ctx context.Context, r *reader, emit emit[LoadBalancer]) error {
	input := &elbv2.DescribeLoadBalancersInput{}
	return pages(ctx, r.elbv2().DescribeLoadBalancers, input, func(page *elbv2.DescribeLoadBalancersOutput) error {
		return forEach(ctx, page.LoadBalancers, func(ctx context.Context, description types.LoadBalancer) error {
			b := LoadBalancer{LoadBalancer: description}
			if b.readParts(ctx, r) {
				return nil
			}
			return emit(aws.ToString(b.LoadBalancerArn), b)
		})
	})
}

func (b *LoadBalancer) readParts(ctx context.Context, r *reader) (gone bool) {
	client, parts := r.elbv2(), parts{reader: r, codes: []string{"LoadBalancerNotFound", "ListenerNotFound"}}
	parts.read("Attributes", func() error {
		out, err := client.DescribeLoadBalancerAttributes(ctx, &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: b.LoadBalancerArn})
		if err != nil {
			return err
		}
		b.Attributes = map[string]string{}
		for _, a := range out.Attributes {
			b.Attributes[aws.ToString(a.Key)] = aws.ToString(a.Value)
		}
		return nil
	})
	parts.read("Listeners", func() (err error) {
		b.Listeners, err = b.listeners(ctx, client)
		return err
	})
	parts.read("Rules", func() error {
		listeners, err := b.listeners(ctx, client)
		if err != nil {
			return err
		}
		for _, l := range listeners {
			rules, err := gather(ctx, client.DescribeRules, &elbv2.DescribeRulesInput{ListenerArn: l.ListenerArn},
				func(page *elbv2.DescribeRulesOutput) []types.Rule { return page.Rules })
			if err != nil {
				return err
			}
			b.Rules = append(b.Rules, rules...)
		}
		return nil
	})
	return parts.gone
}

func (b *LoadBalancer) listeners(ctx context.Context, client *elbv2.Client) ([]types.Listener, error) {
	if b.Listeners != nil {
		return b.Listeners, nil
	}
	return gather(ctx, client.DescribeListeners, &elbv2.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn},
		func(page *elbv2.DescribeListenersOutput) []types.Listener { return page.Listeners })
}

// TargetGroup is a group of targets that load balancers send requests to.
type TargetGroup struct {
	types.TargetGroup
	Health []types.TargetHealthDescription `part:"elasticloadbalancing:DescribeTargetHealth" doc:"The registered targets and their health."`
}

func readTargetGroups(ctx context.Context, r *reader, emit emit[TargetGroup]) error {
	client := r.elbv2()
	return pages(ctx, client.DescribeTargetGroups, &elbv2.DescribeTargetGroupsInput{}, func(page *elbv2.DescribeTargetGroupsOutput) error {
		return forEach(ctx, page.TargetGroups, func(ctx context.Context, description types.TargetGroup) error {
			g := TargetGroup{TargetGroup: description}
			parts := parts{reader: r, codes: []string{"TargetGroupNotFound"}}
			parts.read("Health", func() error {
				out, err := client.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
				if err == nil {
					g.Health = out.TargetHealthDescriptions
				}
				return err
			})
			if parts.gone {
				return nil
			}
			return emit(aws.ToString(g.TargetGroupArn), g)
		})
	})
}

func readLoadBalancerLimits(ctx context.Context, r *reader, emit emit[types.Limit]) error {
	input := &elbv2.DescribeAccountLimitsInput{}
	return pages(ctx, r.elbv2().DescribeAccountLimits, input, func(page *elbv2.DescribeAccountLimitsOutput) error {
		for _, limit := range page.Limits {
			if err := emit(r.arn("elasticloadbalancing", "account-limit/"+aws.ToString(limit.Name)), limit); err != nil {
				return err
			}
		}
		return nil
	})
}
