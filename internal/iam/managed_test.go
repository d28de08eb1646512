package iam_test

import (
	"slices"
	"testing"

	"github.com/supportd/supportd/internal/iam"
)

func TestManagedPolicies(t *testing.T) {
	tests := []struct {
		name, action string
		want         iam.Decision
	}{
		{"AdministratorAccess", "support:CreateCase", iam.Allow},
		{"AdministratorAccess", "s3:GetObject", iam.Allow},
		{"AWSSupportAccess", "support:CreateCase", iam.Allow},
		{"AWSSupportAccess", "support:RefreshTrustedAdvisorCheck", iam.Allow},
		{"AWSSupportAccess", "s3:GetObject", iam.ImplicitDeny},
		{"ReadOnlyAccess", "support:DescribeCases", iam.Allow},
		{"ReadOnlyAccess", "support:DescribeAttachment", iam.Allow},
		{"ReadOnlyAccess", "support:CreateCase", iam.ImplicitDeny},
		{"ReadOnlyAccess", "support:RefreshTrustedAdvisorCheck", iam.ImplicitDeny},
	}
	for _, tt := range tests {
		_, document, ok := iam.ManagedPolicy(tt.name)
		if !ok {
			t.Fatalf("ManagedPolicy(%q) is unknown", tt.name)
		}
		if got := evaluate(tt.action, nil, mustDocument(t, document)); got != tt.want {
			t.Errorf("%s: Evaluate(%s) = %v, want %v", tt.name, tt.action, got, tt.want)
		}
	}
}

func TestManagedPoliciesAreKnownByNameAndARN(t *testing.T) {
	all := iam.ManagedPolicies()
	if !slices.IsSorted(all) || len(all) != 3 {
		t.Errorf("ManagedPolicies() = %v, want three in order", all)
	}
	for _, want := range all {
		for _, key := range []string{want, "arn:aws:iam::aws:policy/" + want} {
			if name, document, ok := iam.ManagedPolicy(key); !ok || name != want || document == "" {
				t.Errorf("ManagedPolicy(%q) = %q, %q, %v; want %q", key, name, document, ok, want)
			}
		}
	}
	for _, key := range []string{"", "readonlyaccess", "arn:aws:iam::123456789012:policy/ReadOnlyAccess"} {
		if name, _, ok := iam.ManagedPolicy(key); ok {
			t.Errorf("ManagedPolicy(%q) = %q, want none", key, name)
		}
	}
}
