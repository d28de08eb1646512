package supportapi

import (
	"context"
)

type describeSeverityLevelsInput struct {
	Language *string `json:"language"`
}

type describeSeverityLevelsOutput struct {
	SeverityLevels []severityLevel `json:"severityLevels"`
}

type severityLevel struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// describeSeverityLevels lists the severities of the account's plan, lowest
// first: tools read the plan off this list.
func (a *API) describeSeverityLevels(_ context.Context, who caller, in *describeSeverityLevelsInput) (*describeSeverityLevelsOutput, error) {
	if err := a.checkLanguage(in.Language); err != nil {
		return nil, err
	}
	out := &describeSeverityLevelsOutput{}
	for _, s := range a.catalog.Severities() {
		if who.Plan.HasSeverity(s.Code) {
			out.SeverityLevels = append(out.SeverityLevels, severityLevel(s))
		}
	}
	return out, nil
}
