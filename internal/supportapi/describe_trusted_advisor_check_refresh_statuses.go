package supportapi

import (
	"context"

	"github.com/supportd/supportd/internal/advisor"
)

type describeTrustedAdvisorCheckRefreshStatusesInput struct {
	CheckIDs []string `json:"checkIds" constraint:"required"`
}

type describeTrustedAdvisorCheckRefreshStatusesOutput struct {
	Statuses []checkRefreshStatus `json:"statuses"`
}

type checkRefreshStatus struct {
	CheckID                    string `json:"checkId"`
	MillisUntilNextRefreshable int64  `json:"millisUntilNextRefreshable"`
	Status                     string `json:"status"`
}

func (a *API) describeTrustedAdvisorCheckRefreshStatuses(ctx context.Context, who caller, in *describeTrustedAdvisorCheckRefreshStatusesInput) (*describeTrustedAdvisorCheckRefreshStatusesOutput, error) {
	found, err := a.advisor.RefreshStatuses(ctx, who.Identity, in.CheckIDs)
	if err != nil {
		return nil, err
	}
	out := &describeTrustedAdvisorCheckRefreshStatusesOutput{Statuses: make([]checkRefreshStatus, len(found))}
	for i, s := range found {
		out.Statuses[i] = newRefreshStatus(s)
	}
	return out, nil
}

func newRefreshStatus(s advisor.RefreshStatus) checkRefreshStatus {
	return checkRefreshStatus{CheckID: s.CheckID, MillisUntilNextRefreshable: s.Left.Milliseconds(), Status: string(s.State)}
}
