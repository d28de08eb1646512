package collect

import "testing"

func TestFiltersOfTheRegistryMatchRepositories(t *testing.T) {
	tests := []struct {
		filter, name string
		want         bool
	}{
		{"*", "web", true},
		{"prod", "team/prod-web", true},
		{"prod", "web", false},
		{"prod/*", "prod/web", true},
		{"prod/*", "team/prod/web", false},
		{"*.web", "team.web", true},
		{"*.web", "team-web", false},
	}
	for _, test := range tests {
		if got := filterMatches(test.filter, test.name); got != test.want {
			t.Errorf("filterMatches(%q, %q) = %v, want %v", test.filter, test.name, got, test.want)
		}
	}
}
