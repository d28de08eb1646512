package collect

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

func cloudtrailKinds() []kind {
	return []kind{
		kindOf("cloudtrail.trail", regional, "cloudtrail:DescribeTrails", readTrails),
	}
}

// Trail is a trail as a region has it. A trail of all regions is a resource of
// each, and so is one of the organization.
type Trail struct {
	types.Trail
	Home   bool                             `doc:"Whether it is the trail itself: of this account and in its home region, not what other regions have of it."`
	Status *cloudtrail.GetTrailStatusOutput `part:"cloudtrail:GetTrailStatus" doc:"How it fares in the region."`
	// What the event selectors say, which are lists in lists in lists.
	ManagementEvents string `part:"cloudtrail:GetEventSelectors" doc:"The management events that it logs: All, ReadOnly, WriteOnly; empty for none."`
	AllS3DataEvents  bool   `part:"cloudtrail:GetEventSelectors" doc:"Whether it logs reads or writes of the objects in all buckets."`
}

func readTrails(ctx context.Context, r *reader, emit emit[Trail]) error {
	client := cloudtrail.NewFromConfig(r.config)
	out, err := client.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{})
	if err != nil {
		return err
	}
	return forEach(ctx, out.TrailList, func(ctx context.Context, described types.Trail) error {
		t := Trail{Trail: described, Home: r.isHome(described)}
		parts := parts{reader: r, codes: []string{"TrailNotFoundException"}}
		parts.read("Status", func() (err error) {
			t.Status, err = client.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: t.TrailARN})
			return err
		})
		selectors := sync.OnceValues(func() (*cloudtrail.GetEventSelectorsOutput, error) {
			return client.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: t.TrailARN}, func(o *cloudtrail.Options) {
				o.Region = aws.ToString(t.HomeRegion)
			})
		})
		parts.read("ManagementEvents", func() error {
			out, err := selectors()
			if err == nil {
				t.ManagementEvents = managementEvents(out)
			}
			return err
		})
		parts.read("AllS3DataEvents", func() error {
			out, err := selectors()
			if err == nil {
				t.AllS3DataEvents = allS3DataEvents(out)
			}
			return err
		})
		if parts.gone {
			return nil
		}
		return emit(aws.ToString(t.TrailARN), t)
	})
}

func (r *reader) isHome(t types.Trail) bool {
	return aws.ToString(t.HomeRegion) == r.task.region && strings.Contains(aws.ToString(t.TrailARN), ":"+r.owner+":trail/")
}

// managementEvents returns what the selectors together log of management events.
func managementEvents(out *cloudtrail.GetEventSelectorsOutput) string {
	if len(out.EventSelectors) == 0 && len(out.AdvancedEventSelectors) == 0 {
		return allEvents // as trails without selectors of their own do
	}
	logged := ""
	for _, s := range out.EventSelectors {
		if aws.ToBool(s.IncludeManagementEvents) {
			logged = together(logged, string(s.ReadWriteType))
		}
	}
	for _, s := range out.AdvancedEventSelectors {
		if slices.Contains(equals(s, "eventCategory"), "Management") {
			logged = together(logged, readOrWrite(s))
		}
	}
	return logged
}

const allEvents = string(types.ReadWriteTypeAll)

// together returns what two selectors log: All, ReadOnly, WriteOnly or nothing.
func together(a, b string) string {
	if a == "" || a == b {
		return b
	}
	return allEvents
}

func readOrWrite(s types.AdvancedEventSelector) string {
	only := equals(s, "readOnly")
	switch {
	case len(only) == 0:
		return allEvents
	case only[0] == "true":
		return string(types.ReadWriteTypeReadOnly)
	}
	return string(types.ReadWriteTypeWriteOnly)
}

// equals returns the values of a field that an advanced selector asks for.
func equals(s types.AdvancedEventSelector, field string) (values []string) {
	for _, f := range s.FieldSelectors {
		if aws.ToString(f.Field) == field {
			values = append(values, f.Equals...)
		}
	}
	return values
}

const s3Object = "AWS::S3::Object"

// allBuckets is what stands for the objects in all buckets of a partition.
var allBuckets = regexp.MustCompile(`^arn:aws[a-z-]*:s3(:::)?$`)

func allS3DataEvents(out *cloudtrail.GetEventSelectorsOutput) bool {
	return slices.ContainsFunc(out.EventSelectors, func(s types.EventSelector) bool {
		return slices.ContainsFunc(s.DataResources, func(d types.DataResource) bool {
			return aws.ToString(d.Type) == s3Object && slices.ContainsFunc(d.Values, allBuckets.MatchString)
		})
	}) || slices.ContainsFunc(out.AdvancedEventSelectors, func(s types.AdvancedEventSelector) bool {
		return slices.Contains(equals(s, "eventCategory"), "Data") && slices.Contains(equals(s, "resources.type"), s3Object) && !narrowed(s)
	})
}

// narrowed reports whether an advanced selector leaves out some of the events of
// its category and type of resource.
func narrowed(s types.AdvancedEventSelector) bool {
	return slices.ContainsFunc(s.FieldSelectors, func(f types.AdvancedFieldSelector) bool {
		return !slices.Contains([]string{"eventCategory", "resources.type", "readOnly"}, aws.ToString(f.Field))
	})
}
