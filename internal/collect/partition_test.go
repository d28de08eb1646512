package collect

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/inventory"
)

func TestARNsAndHomeAreThoseOfThePartition(t *testing.T) {
	t.Parallel()
	for partition, want := range map[string]struct{ region, home string }{
		"aws": {"eu-west-1", "us-east-1"}, "aws-cn": {"cn-northwest-1", "cn-north-1"}, "aws-us-gov": {"us-gov-east-1", "us-gov-west-1"},
	} {
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call string) bool {
			switch call {
			case "sts:GetCallerIdentity":
				fmt.Fprintf(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:%s:iam::111122223333:user/a</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`, partition)
			case "s3:":
				fmt.Fprint(w, `<ListAllMyBucketsResult><Buckets><Bucket><Name>data</Name><BucketRegion>`+want.region+`</BucketRegion></Bucket></Buckets></ListAllMyBucketsResult>`)
			default:
				return false
			}
			return true
		})
		got := mustCollect(t, &Collector{}, f.source(want.region), inventory.Needs{"ec2.volume": nil, "s3.bucket": nil})
		ids := []string{
			want.region + " arn:" + partition + ":ec2:" + want.region + ":111122223333:volume/vol-" + want.region,
			want.region + " arn:" + partition + ":s3:::data",
		}
		if diff := cmp.Diff(ids, got.ids()); diff != "" {
			t.Errorf("%s: resources (-want +got):\n%s", partition, diff)
		}
		if f.calls["s3: "+want.home] == 0 {
			t.Errorf("%s: buckets were not listed in %s: %v", partition, want.home, f.calls)
		}
	}
}
