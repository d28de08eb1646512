package collect

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

func advanced(fields ...[2]string) types.AdvancedEventSelector {
	var s types.AdvancedEventSelector
	for _, f := range fields {
		s.FieldSelectors = append(s.FieldSelectors, types.AdvancedFieldSelector{Field: aws.String(f[0]), Equals: []string{f[1]}})
	}
	return s
}

func TestTrailKnowsWhichEventsItLogs(t *testing.T) {
	management, data := [2]string{"eventCategory", "Management"}, [2]string{"eventCategory", "Data"}
	objects := [2]string{"resources.type", s3Object}
	basic := func(management bool, which types.ReadWriteType, buckets ...string) types.EventSelector {
		s := types.EventSelector{IncludeManagementEvents: &management, ReadWriteType: which}
		if len(buckets) > 0 {
			s.DataResources = []types.DataResource{{Type: aws.String(s3Object), Values: buckets}}
		}
		return s
	}
	for _, test := range []struct {
		name       string
		selectors  cloudtrail.GetEventSelectorsOutput
		management string
		data       bool
	}{
		{"no selectors of its own", cloudtrail.GetEventSelectorsOutput{}, "All", false},
		{"all", cloudtrail.GetEventSelectorsOutput{EventSelectors: []types.EventSelector{basic(true, "All")}}, "All", false},
		{"writes", cloudtrail.GetEventSelectorsOutput{EventSelectors: []types.EventSelector{basic(true, "WriteOnly")}}, "WriteOnly", false},
		{"writes, and reads by another selector", cloudtrail.GetEventSelectorsOutput{
			EventSelectors: []types.EventSelector{basic(true, "WriteOnly"), basic(true, "ReadOnly")},
		}, "All", false},
		{"all buckets", cloudtrail.GetEventSelectorsOutput{EventSelectors: []types.EventSelector{basic(false, "All", "arn:aws:s3")}}, "", true},
		{"all buckets of China", cloudtrail.GetEventSelectorsOutput{EventSelectors: []types.EventSelector{basic(false, "All", "arn:aws-cn:s3:::")}}, "", true},
		{"one bucket", cloudtrail.GetEventSelectorsOutput{EventSelectors: []types.EventSelector{basic(false, "All", "arn:aws:s3:::data/")}}, "", false},
		{"advanced", cloudtrail.GetEventSelectorsOutput{
			AdvancedEventSelectors: []types.AdvancedEventSelector{advanced(management), advanced(data, objects)},
		}, "All", true},
		{"advanced and narrowed", cloudtrail.GetEventSelectorsOutput{
			AdvancedEventSelectors: []types.AdvancedEventSelector{
				advanced(management, [2]string{"readOnly", "true"}), advanced(data, objects, [2]string{"resources.ARN", "arn:aws:s3:::data/"}),
			},
		}, "ReadOnly", false},
		{"data of something else", cloudtrail.GetEventSelectorsOutput{
			AdvancedEventSelectors: []types.AdvancedEventSelector{advanced(data, [2]string{"resources.type", "AWS::Lambda::Function"})},
		}, "", false},
	} {
		if got := managementEvents(&test.selectors); got != test.management {
			t.Errorf("%s: managementEvents = %q, want %q", test.name, got, test.management)
		}
		if got := allS3DataEvents(&test.selectors); got != test.data {
			t.Errorf("%s: allS3DataEvents = %t, want %t", test.name, got, test.data)
		}
	}
}
