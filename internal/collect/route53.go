package collect

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

func route53Kinds() []kind {
	return []kind{
		kindOf("route53.hosted-zone", global, "route53:ListHostedZones", readHostedZones),
		kindOf("route53.record-set", global, "route53:ListHostedZones,route53:ListResourceRecordSets", readRecordSets),
		kindOf("route53.health-check", global, "route53:ListHealthChecks", readHealthChecks),
		kindOf("route53.account-limit", global, "route53:GetAccountLimit", readAccountLimits),
	}
}

func (r *reader) route53() *route53.Client { return route53.NewFromConfig(r.config) }

// HostedZone is a hosted zone. Its Id is that of the API without /hostedzone/.
type HostedZone struct {
	types.HostedZone
	Arn string `doc:"The ARN of the zone, which the API does not tell."`
}

func (r *reader) hostedZones(ctx context.Context) ([]HostedZone, error) {
	return once(r, "route53:ListHostedZones", func() (zones []HostedZone, err error) {
		err = pages(ctx, r.route53().ListHostedZones, &route53.ListHostedZonesInput{}, func(page *route53.ListHostedZonesOutput) error {
			for _, z := range page.HostedZones {
				id := strings.TrimPrefix(aws.ToString(z.Id), "/hostedzone/")
				z.Id = &id
				zones = append(zones, HostedZone{HostedZone: z, Arn: "arn:" + r.partition() + ":route53:::hostedzone/" + id})
			}
			return nil
		})
		return zones, err
	})
}

func readHostedZones(ctx context.Context, r *reader, emit emit[HostedZone]) error {
	zones, err := r.hostedZones(ctx)
	if err != nil {
		return err
	}
	for _, z := range zones {
		if err := emit(z.Arn, z); err != nil {
			return err
		}
	}
	return nil
}

// RecordSet is a resource record set.
type RecordSet struct {
	types.ResourceRecordSet
	HostedZoneID   string `doc:"The id of the zone, without /hostedzone/."`
	HostedZoneName string `doc:"The name of the zone, with the dot at its end."`
	PrivateZone    bool   `doc:"Whether the zone is a private one."`
}

func readRecordSets(ctx context.Context, r *reader, emit emit[RecordSet]) error {
	zones, err := r.hostedZones(ctx)
	if err != nil {
		return err
	}
	return forEach(ctx, zones, func(ctx context.Context, z HostedZone) error {
		err := r.recordSets(ctx, z, emit)
		if hasCode(err, "NoSuchHostedZone") {
			return nil
		}
		return err
	})
}

func (r *reader) recordSets(ctx context.Context, z HostedZone, emit emit[RecordSet]) error {
	client := r.route53()
	input := &route53.ListResourceRecordSetsInput{HostedZoneId: z.Id}
	for range maxPages {
		out, err := client.ListResourceRecordSets(ctx, input)
		if err != nil {
			return err
		}
		for _, set := range out.ResourceRecordSets {
			record := RecordSet{
				ResourceRecordSet: set, HostedZoneID: aws.ToString(z.Id), HostedZoneName: aws.ToString(z.Name),
				PrivateZone: z.Config != nil && z.Config.PrivateZone,
			}
			if err := emit(record.id(), record); err != nil {
				return err
			}
		}
		if !out.IsTruncated {
			return nil
		}
		input.StartRecordName, input.StartRecordType, input.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
	return fmt.Errorf("the zone %s has more than %d pages of record sets", aws.ToString(z.Id), maxPages)
}

// id is what tells the record set from all others: there are no ARNs of them.
func (s RecordSet) id() string {
	id := s.HostedZoneID + "/" + aws.ToString(s.Name) + "/" + string(s.Type)
	if s.SetIdentifier != nil {
		id += "/" + *s.SetIdentifier
	}
	return id
}

func readHealthChecks(ctx context.Context, r *reader, emit emit[types.HealthCheck]) error {
	return pages(ctx, r.route53().ListHealthChecks, &route53.ListHealthChecksInput{}, func(page *route53.ListHealthChecksOutput) error {
		for _, h := range page.HealthChecks {
			if err := emit("arn:"+r.partition()+":route53:::healthcheck/"+aws.ToString(h.Id), h); err != nil {
				return err
			}
		}
		return nil
	})
}

// Route53Limit is how many things of a type the account may have and has.
type Route53Limit struct {
	Type  types.AccountLimitType `doc:"Such as MAX_HOSTED_ZONES_BY_OWNER."`
	Value int64                  `doc:"How many it may have."`
	Count int64                  `doc:"How many it has."`
}

func readAccountLimits(ctx context.Context, r *reader, emit emit[Route53Limit]) error {
	client := r.route53()
	return forEach(ctx, types.AccountLimitType("").Values(), func(ctx context.Context, which types.AccountLimitType) error {
		out, err := client.GetAccountLimit(ctx, &route53.GetAccountLimitInput{Type: which})
		if err != nil {
			return err
		}
		return emit(string(which), Route53Limit{Type: which, Value: aws.ToInt64(out.Limit.Value), Count: out.Count})
	})
}
