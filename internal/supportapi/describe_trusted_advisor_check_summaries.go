package supportapi

import (
	"context"

	"github.com/supportd/supportd/internal/check"
)

type describeTrustedAdvisorCheckSummariesInput struct {
	CheckIDs []string `json:"checkIds" constraint:"required"`
}

type describeTrustedAdvisorCheckSummariesOutput struct {
	Summaries []checkSummary `json:"summaries"`
}

// checkSummary has no time when the check was not computed.
type checkSummary struct {
	CategorySpecificSummary *categorySpecificSummary `json:"categorySpecificSummary"`
	CheckID                 string                   `json:"checkId"`
	HasFlaggedResources     bool                     `json:"hasFlaggedResources"`
	ResourcesSummary        resourcesSummary         `json:"resourcesSummary"`
	Status                  string                   `json:"status"`
	Timestamp               *string                  `json:"timestamp"`
}

func (a *API) describeTrustedAdvisorCheckSummaries(ctx context.Context, who caller, in *describeTrustedAdvisorCheckSummariesInput) (*describeTrustedAdvisorCheckSummariesOutput, error) {
	found, err := a.advisor.Summaries(ctx, who.Identity, in.CheckIDs)
	if err != nil {
		return nil, err
	}
	out := &describeTrustedAdvisorCheckSummariesOutput{Summaries: make([]checkSummary, len(found))}
	for i, s := range found {
		out.Summaries[i] = checkSummary{
			CategorySpecificSummary: newCategorySummary(s),
			CheckID:                 s.CheckID,
			HasFlaggedResources:     s.Listed > 0,
			ResourcesSummary:        newResourcesSummary(s),
			Status:                  string(s.Status),
		}
		if s.Status != check.NotAvailable {
			out.Summaries[i].Timestamp = new(checkTime(s.At))
		}
	}
	return out, nil
}
