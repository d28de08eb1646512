package supportapi

import (
	"context"
)

type refreshTrustedAdvisorCheckInput struct {
	CheckID *string `json:"checkId" constraint:"required"`
}

type refreshTrustedAdvisorCheckOutput struct {
	Status checkRefreshStatus `json:"status"`
}

func (a *API) refreshTrustedAdvisorCheck(ctx context.Context, who caller, in *refreshTrustedAdvisorCheckInput) (*refreshTrustedAdvisorCheckOutput, error) {
	s, err := a.advisor.Refresh(ctx, who.Identity, *in.CheckID)
	if err != nil {
		return nil, err
	}
	return &refreshTrustedAdvisorCheckOutput{Status: newRefreshStatus(s)}, nil
}
