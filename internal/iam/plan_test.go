package iam_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/iam"
)

func TestPlans(t *testing.T) {
	t.Parallel()
	all := []string{"web", "chat", "call"}
	for _, tt := range []struct {
		id         string
		api        bool
		severities string
		technical  []string // channels
	}{
		{"basic", false, "", nil},
		{"developer", false, "low normal", []string{"web"}},
		{"business", true, "low normal high urgent", all},
		{"enterprise-on-ramp", true, "low normal high urgent critical", all},
		{"enterprise", true, "low normal high urgent critical", all},
		{"business-plus", true, "low normal high urgent critical", all},
		{"unified-operations", true, "low normal high urgent critical", all},
	} {
		p, err := iam.PlanByID(tt.id)
		must(t, err)
		if p.ID != tt.id || p.Name == "" || p.API != tt.api || strings.Join(p.Severities, " ") != tt.severities {
			t.Errorf("PlanByID(%q) = %+v, want api %t and severities %s", tt.id, p, tt.api, tt.severities)
		}
		for _, severity := range []string{"low", "normal", "high", "urgent", "critical", "", "Low"} {
			if got, want := p.HasSeverity(severity), slices.Contains(strings.Fields(tt.severities), severity); got != want {
				t.Errorf("%s: HasSeverity(%q) = %t, want %t", tt.id, severity, got, want)
			}
		}
		if got := p.Channels("technical"); !slices.Equal(got, tt.technical) {
			t.Errorf("%s: Channels(technical) = %v, want %v", tt.id, got, tt.technical)
		}
		if got := p.Channels("customer-service"); !slices.Equal(got, all) {
			t.Errorf("%s: Channels(customer-service) = %v, want %v", tt.id, got, all)
		}
	}
	if n := len(iam.Plans()); n != 7 {
		t.Errorf("Plans() = %d plans, want the 7 of this test", n)
	}
	for _, id := range []string{"", "Business", "business "} {
		if p, err := iam.PlanByID(id); !errors.Is(err, iam.ErrUnknownPlan) || !strings.Contains(err.Error(), "unified-operations") {
			t.Errorf("PlanByID(%q) = %v, %v, want ErrUnknownPlan that lists the plans", id, p, err)
		}
	}
}
