package supportapi

import (
	"context"
)

type resolveCaseInput struct {
	CaseID *string `json:"caseId"`
}

type resolveCaseOutput struct {
	FinalCaseStatus   *string `json:"finalCaseStatus"`
	InitialCaseStatus *string `json:"initialCaseStatus"`
}

func (a *API) resolveCase(ctx context.Context, who caller, in *resolveCaseInput) (*resolveCaseOutput, error) {
	done, err := a.cases.Resolve(ctx, who.Identity, who.once, value(in.CaseID))
	return &resolveCaseOutput{
		FinalCaseStatus:   new(string(done.Final)),
		InitialCaseStatus: new(string(done.Initial)),
	}, err
}
