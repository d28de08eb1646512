package supportapi

import (
	"context"

	"github.com/supportd/supportd/internal/cases"
)

type createCaseInput struct {
	AttachmentSetID   *string  `json:"attachmentSetId"`
	CategoryCode      *string  `json:"categoryCode"`
	CCEmailAddresses  []string `json:"ccEmailAddresses" constraint:"max=10"`
	CommunicationBody *string  `json:"communicationBody" constraint:"required,min=1,max=8000"`
	IssueType         *string  `json:"issueType"`
	Language          *string  `json:"language"`
	ServiceCode       *string  `json:"serviceCode" constraint:"pattern=[0-9a-z\\-_]+"`
	SeverityCode      *string  `json:"severityCode"`
	Subject           *string  `json:"subject" constraint:"required,min=1,max=255"`
}

type createCaseOutput struct {
	CaseID *string `json:"caseId"`
}

func (a *API) createCase(ctx context.Context, who caller, in *createCaseInput) (*createCaseOutput, error) {
	id, err := a.cases.Create(ctx, who.Identity, who.once, cases.NewCase{
		Subject:          *in.Subject,
		Body:             *in.CommunicationBody,
		ServiceCode:      value(in.ServiceCode),
		CategoryCode:     value(in.CategoryCode),
		SeverityCode:     value(in.SeverityCode),
		IssueType:        value(in.IssueType),
		Language:         value(in.Language),
		CCEmailAddresses: in.CCEmailAddresses,
		AttachmentSetID:  value(in.AttachmentSetID),
	})
	return &createCaseOutput{CaseID: &id}, err
}
