package supportapi

import (
	"context"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
)

type describeTrustedAdvisorCheckResultInput struct {
	CheckID  *string `json:"checkId" constraint:"required"`
	Language *string `json:"language"`
}

type describeTrustedAdvisorCheckResultOutput struct {
	Result *checkResult `json:"result"`
}

// checkResult has only its id and status when the check was not computed, as
// recorded.
type checkResult struct {
	CategorySpecificSummary *categorySpecificSummary `json:"categorySpecificSummary"`
	CheckID                 string                   `json:"checkId"`
	FlaggedResources        []resourceDetail         `json:"flaggedResources,omitzero"`
	ResourcesSummary        *resourcesSummary        `json:"resourcesSummary"`
	Status                  string                   `json:"status"`
	Timestamp               *string                  `json:"timestamp"`
}

// resourceDetail has no region when the resource belongs to none.
type resourceDetail struct {
	IsSuppressed bool      `json:"isSuppressed"`
	Metadata     []*string `json:"metadata"`
	Region       *string   `json:"region"`
	ResourceID   string    `json:"resourceId"`
	Status       string    `json:"status"`
}

type resourcesSummary struct {
	ResourcesFlagged    int64 `json:"resourcesFlagged"`
	ResourcesIgnored    int64 `json:"resourcesIgnored"`
	ResourcesProcessed  int64 `json:"resourcesProcessed"`
	ResourcesSuppressed int64 `json:"resourcesSuppressed"`
}

// categorySpecificSummary is empty when nothing was processed, and otherwise has
// savings, in checks of other categories too, as recorded.
type categorySpecificSummary struct {
	CostOptimizing *costOptimizing `json:"costOptimizing"`
}

type costOptimizing struct {
	EstimatedMonthlySavings        float64 `json:"estimatedMonthlySavings"`
	EstimatedPercentMonthlySavings float64 `json:"estimatedPercentMonthlySavings"`
}

func (a *API) describeTrustedAdvisorCheckResult(ctx context.Context, who caller, in *describeTrustedAdvisorCheckResultInput) (*describeTrustedAdvisorCheckResultOutput, error) {
	if in.Language != nil {
		if err := advisor.CheckLanguage(*in.Language); err != nil {
			return nil, err
		}
	}
	r, err := a.advisor.Result(ctx, who.Identity, *in.CheckID)
	if err != nil {
		return nil, err
	}
	return &describeTrustedAdvisorCheckResultOutput{Result: newCheckResult(r)}, nil
}

func newCheckResult(r advisor.Result) *checkResult {
	if r.Status == check.NotAvailable {
		return &checkResult{CheckID: r.CheckID, Status: string(r.Status)}
	}
	return &checkResult{
		CategorySpecificSummary: newCategorySummary(r.Summary),
		CheckID:                 r.CheckID,
		FlaggedResources:        newResourceDetails(r.Rows),
		ResourcesSummary:        new(newResourcesSummary(r.Summary)),
		Status:                  string(r.Status),
		Timestamp:               new(checkTime(r.At)),
	}
}

func newResourceDetails(rows []check.Row) []resourceDetail {
	details := make([]resourceDetail, len(rows))
	for i, row := range rows {
		details[i] = resourceDetail{IsSuppressed: row.Suppressed, Metadata: row.Metadata, ResourceID: row.ResourceID, Status: string(row.Status)}
		if row.Region != "" {
			details[i].Region = &row.Region
		}
	}
	return details
}

func newCategorySummary(s advisor.Summary) *categorySpecificSummary {
	if s.Processed == 0 {
		return &categorySpecificSummary{}
	}
	savings := &costOptimizing{EstimatedMonthlySavings: s.Savings}
	if s.Savings > 0 {
		savings.EstimatedPercentMonthlySavings = 1 // as in every recording that has savings; what it is a part of is not known
	}
	return &categorySpecificSummary{CostOptimizing: savings}
}

func newResourcesSummary(s advisor.Summary) resourcesSummary {
	return resourcesSummary{
		ResourcesFlagged:    int64(s.Flagged),
		ResourcesIgnored:    int64(s.Ignored),
		ResourcesProcessed:  int64(s.Processed),
		ResourcesSuppressed: int64(s.Suppressed),
	}
}
