package collect

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCredentialReportLeavesOutWhatItDoesNotTell(t *testing.T) {
	got, err := parseCredentialReport([]byte(`user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated
<root_account>,arn:aws:iam::123456789012:root,2019-01-02T03:04:05+00:00,not_supported,no_information,true,false,N/A,N/A,N/A,false,N/A
maria,arn:aws:iam::123456789012:user/maria,2020-01-02T03:04:05+00:00,true,N/A,false,true,2021-01-02T03:04:05+00:00,2022-01-02T03:04:00+00:00,s3,false,2023-01-02T03:04:05+00:00
`))
	if err != nil {
		t.Fatal(err)
	}
	at := func(year int) *time.Time {
		day := time.Date(year, 1, 2, 3, 4, 5, 0, time.UTC)
		return &day
	}
	used := at(2022).Truncate(time.Minute)
	want := []CredentialReportRow{
		{User: "<root_account>", Arn: "arn:aws:iam::123456789012:root", Root: true, UserCreationTime: at(2019), MFAActive: true},
		{
			User: "maria", Arn: "arn:aws:iam::123456789012:user/maria", UserCreationTime: at(2020), PasswordEnabled: true,
			AccessKeys: []ReportedKey{
				{Number: 1, Active: true, LastRotated: at(2021), LastUsedDate: &used, LastUsedService: "s3"},
				{Number: 2, LastRotated: at(2023)},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the credential report (-want +got):\n%s", diff)
	}
}

func TestCredentialReportThatIsNoneIsAnError(t *testing.T) {
	for _, text := range []string{"", "<html>", "a,b\n1\n"} {
		if got, err := parseCredentialReport([]byte(text)); err == nil {
			t.Errorf("parseCredentialReport(%q) = %v, want an error", text, got)
		}
	}
}
