package collect

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
)

func elbKinds() []kind {
	return []kind{
		kindOf("elb.load-balancer", regional, "elasticloadbalancing:DescribeLoadBalancers", readClassicLoadBalancers),
		kindOf("elb.load-balancer-metrics", regional, "elasticloadbalancing:DescribeLoadBalancers,cloudwatch:GetMetricData", readClassicLoadBalancerMetrics),
		kindOf("elb.account-limit", regional, "elasticloadbalancing:DescribeAccountLimits", readClassicLoadBalancerLimits),
	}
}

func (r *reader) elb() *elb.Client { return elb.NewFromConfig(r.config) }

func (r *reader) classicLoadBalancers(ctx context.Context) ([]types.LoadBalancerDescription, error) {
	return once(r, "elb:DescribeLoadBalancers", func() ([]types.LoadBalancerDescription, error) {
		return gather(ctx, r.elb().DescribeLoadBalancers, &elb.DescribeLoadBalancersInput{},
			func(page *elb.DescribeLoadBalancersOutput) []types.LoadBalancerDescription {
				return page.LoadBalancerDescriptions
			})
	})
}

func (r *reader) classicLoadBalancerARN(name *string) string {
	return r.arn("elasticloadbalancing", "loadbalancer/"+aws.ToString(name))
}

// ClassicLoadBalancer is a load balancer of the first generation.
type ClassicLoadBalancer struct {
	types.LoadBalancerDescription
	LoadBalancerArn    string                        `doc:"Its ARN, of which the API says nothing."`
	Attributes         *types.LoadBalancerAttributes `part:"elasticloadbalancing:DescribeLoadBalancerAttributes" doc:"Access log, connection draining, cross-zone load balancing and the like."`
	PolicyDescriptions []types.PolicyDescription     `part:"elasticloadbalancing:DescribeLoadBalancerPolicies" doc:"The policies that its listeners name, with their attributes."`
	InstanceHealth     []types.InstanceState         `part:"elasticloadbalancing:DescribeInstanceHealth" doc:"The state of every registered instance."`
}

func readClassicLoadBalancers(ctx context.Context, r *reader, emit emit[ClassicLoadBalancer]) error {
	all, err := r.classicLoadBalancers(ctx)
	if err != nil {
		return err
	}
	return forEach(ctx, all, func(ctx context.Context, description types.LoadBalancerDescription) error {
		b := ClassicLoadBalancer{LoadBalancerDescription: description, LoadBalancerArn: r.classicLoadBalancerARN(description.LoadBalancerName)}
		if b.readParts(ctx, r) {
			return nil
		}
		return emit(b.LoadBalancerArn, b)
	})
}

func (b *ClassicLoadBalancer) readParts(ctx context.Context, r *reader) (gone bool) {
	client, parts := r.elb(), parts{reader: r, codes: []string{"LoadBalancerNotFound"}}
	parts.read("Attributes", func() error {
		out, err := client.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerName: b.LoadBalancerName})
		if err == nil {
			b.Attributes = out.LoadBalancerAttributes
		}
		return err
	})
	parts.read("PolicyDescriptions", func() error {
		out, err := client.DescribeLoadBalancerPolicies(ctx, &elb.DescribeLoadBalancerPoliciesInput{LoadBalancerName: b.LoadBalancerName})
		if err == nil {
			b.PolicyDescriptions = out.PolicyDescriptions
		}
		return err
	})
	parts.read("InstanceHealth", func() error {
		out, err := client.DescribeInstanceHealth(ctx, &elb.DescribeInstanceHealthInput{LoadBalancerName: b.LoadBalancerName})
		if err == nil {
			b.InstanceHealth = out.InstanceStates
		}
		return err
	})
	return parts.gone
}

// ClassicLoadBalancerMetrics is the use of a Classic Load Balancer.
type ClassicLoadBalancerMetrics struct {
	LoadBalancerName string                        `doc:"The load balancer."`
	Requests         []ClassicLoadBalancerRequests `doc:"Of the last seven days, the oldest first. Days without a datapoint are left out: there was no request."`
}

// ClassicLoadBalancerRequests is the number of requests or connections of a day.
type ClassicLoadBalancerRequests struct {
	Day   time.Time `doc:"When the 24 hours began."`
	Count float64   `doc:"The sum of RequestCount, which counts connections where TCP is balanced."`
}

func readClassicLoadBalancerMetrics(ctx context.Context, r *reader, emit emit[ClassicLoadBalancerMetrics]) error {
	all, err := r.classicLoadBalancers(ctx)
	if err != nil {
		return err
	}
	var metrics []metric
	for _, b := range all {
		metrics = append(metrics, metric{"AWS/ELB", "RequestCount", "Sum", map[string]string{"LoadBalancerName": aws.ToString(b.LoadBalancerName)}})
	}
	values, err := r.daily(ctx, usageDays, metrics)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		r.wantPrice(ctx, r.task.region+"/elb/classic", offer{
			service: "AWSELB", usage: "LoadBalancerUsage", unit: "Hrs",
			filters: map[string]string{"regionCode": r.task.region, "productFamily": "Load Balancer", "operation": "LoadBalancing"},
		})
	}
	for i, b := range all {
		m := ClassicLoadBalancerMetrics{LoadBalancerName: aws.ToString(b.LoadBalancerName)}
		for day, count := range values[i] {
			if count != nil {
				m.Requests = append(m.Requests, ClassicLoadBalancerRequests{Day: r.day(usageDays, day), Count: *count})
			}
		}
		if err := emit(r.classicLoadBalancerARN(b.LoadBalancerName), m); err != nil {
			return err
		}
	}
	return nil
}

func readClassicLoadBalancerLimits(ctx context.Context, r *reader, emit emit[types.Limit]) error {
	return pages(ctx, r.elb().DescribeAccountLimits, &elb.DescribeAccountLimitsInput{}, func(page *elb.DescribeAccountLimitsOutput) error {
		for _, limit := range page.Limits {
			if err := emit(r.arn("elasticloadbalancing", "account-limit/"+aws.ToString(limit.Name)), limit); err != nil {
				return err
			}
		}
		return nil
	})
}
