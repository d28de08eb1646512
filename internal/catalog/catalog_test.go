package catalog

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/fault"
)

func mustLoad(t testing.TB) *Catalog {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatalf("Load() = %v", err)
	}
	return c
}

func TestEveryServiceIsUsable(t *testing.T) {
	c := mustLoad(t)
	if got := len(c.Services()); got != 333 {
		t.Errorf("len(Services()) = %d, want 333", got)
	}
	for _, s := range c.Services() {
		if found, ok := c.Service(s.Code); !ok || !cmp.Equal(found, s) {
			t.Errorf("Service(%q) = %v, %v; want the service of the list", s.Code, found, ok)
		}
		for _, category := range s.Categories {
			if err := c.Check(s.Code, category.Code, Technical); err != nil {
				t.Errorf("Check(%q, %q) = %v, want nil", s.Code, category.Code, err)
			}
		}
	}
}

// The AWS CLI's example of describe-services prints this service as recorded.
func TestGeneralInfoIsAsRecorded(t *testing.T) {
	got, _ := mustLoad(t).Service("general-info")
	want := []Category{
		{"charges", "How Will I Be Charged?"},
		{"gdpr-queries", "Data Privacy Query"},
		{"reserved-instances", "Reserved Instances"},
		{"resource", "Where is my Resource?"},
		{"using-aws", "Using AWS & Services"},
		{"free-tier", "Free Tier"},
		{"security-and-compliance", "Security & Compliance"},
		{"account-structure", "Account Structure"},
	}
	for _, category := range want {
		if found, ok := got.Category(category.Code); !ok || found != category {
			t.Errorf("Category(%q) = %v, %v; want %v", category.Code, found, ok, category)
		}
	}
}

func TestCheck(t *testing.T) {
	c := mustLoad(t)
	tests := []struct {
		service, category, issueType string
		want                         *fault.Error
		text                         string
	}{
		{service: "general-info", category: "using-aws", issueType: "technical"},
		{service: "general-info", category: "using-aws", issueType: "customer-service"},
		{service: "billing", category: "charge-inquiry", issueType: "service-limit-increase"},
		{
			service: "nothing", category: "using-aws", issueType: "technical", want: ErrUnknownService,
			text: "No service exists for combination of serviceCode: nothing, categoryCode: using-aws, issueType: technical",
		},
		{
			service: "general-info", category: "charge-inquiry", issueType: "technical", want: ErrUnknownCategory,
			text: "Invalid category code: charge-inquiry. Service general-info has no such category",
		},
		{
			service: "general-info", category: "using-aws", issueType: "Technical", want: ErrUnknownIssueType,
			text: "Invalid issue type: Technical. It must be technical, customer-service or service-limit-increase",
		},
	}
	for _, test := range tests {
		err := c.Check(test.service, test.category, test.issueType)
		if test.want == nil {
			if err != nil {
				t.Errorf("Check(%q, %q, %q) = %v, want nil", test.service, test.category, test.issueType, err)
			}
			continue
		}
		if !errors.Is(err, test.want) || err.Error() != test.text {
			t.Errorf("Check(%q, %q, %q) = %v, want %q", test.service, test.category, test.issueType, err, test.text)
		}
	}
}

func TestSeveritiesAreLowestFirst(t *testing.T) {
	want := []Severity{{"low", "Low"}, {"normal", "Normal"}, {"high", "High"}, {"urgent", "Urgent"}, {"critical", "Critical"}}
	if diff := cmp.Diff(want, mustLoad(t).Severities()); diff != "" {
		t.Errorf("Severities() (-want +got):\n%s", diff)
	}
}

func TestLanguages(t *testing.T) {
	c := mustLoad(t)
	want := []Language{{"en", "ENGLISH", "ENGLISH"}, {"ja", "JAPANESE", "JAPANESE"}, {"zh", "CHINESE", "CHINESE"}, {"ko", "KOREAN", "KOREAN"}}
	if diff := cmp.Diff(want, c.Languages()); diff != "" {
		t.Errorf("Languages() (-want +got):\n%s", diff)
	}
	got, err := c.SupportedLanguages("general-info", "using-aws", "technical")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("SupportedLanguages() = %v (-want +got):\n%s", err, diff)
	}
	if _, err := c.SupportedLanguages("general-info", "nothing", "technical"); !errors.Is(err, ErrUnknownCategory) {
		t.Errorf("SupportedLanguages(unknown category) = %v, want %v", err, ErrUnknownCategory)
	}

	tests := []struct {
		code    string
		offered bool
	}{
		{"en", true}, {"ko", true}, {"tr", false}, {"es", false}, {"de", false}, {"EN", false}, {"", false},
	}
	for _, test := range tests {
		if got := c.LanguageOffered(test.code); got != test.offered {
			t.Errorf("LanguageOffered(%q) = %v, want %v", test.code, got, test.offered)
		}
		if err := c.CheckLanguage(test.code); errors.Is(err, ErrUnknownLanguage) == test.offered {
			t.Errorf("CheckLanguage(%q) = %v, want a fault: %v", test.code, err, !test.offered)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		mustLoad(b)
	}
}
