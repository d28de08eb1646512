package supportapi

import (
	"context"

	"github.com/supportd/supportd/internal/cases"
)

type addCommunicationToCaseInput struct {
	AttachmentSetID   *string  `json:"attachmentSetId"`
	CaseID            *string  `json:"caseId"`
	CCEmailAddresses  []string `json:"ccEmailAddresses" constraint:"max=10"`
	CommunicationBody *string  `json:"communicationBody" constraint:"required,min=1,max=8000"`
}

type addCommunicationToCaseOutput struct {
	Result bool `json:"result"`
}

func (a *API) addCommunicationToCase(ctx context.Context, who caller, in *addCommunicationToCaseInput) (*addCommunicationToCaseOutput, error) {
	err := a.cases.Communicate(ctx, who.Identity, who.once, cases.NewCommunication{
		CaseID:           value(in.CaseID),
		Body:             *in.CommunicationBody,
		CCEmailAddresses: in.CCEmailAddresses,
		AttachmentSetID:  value(in.AttachmentSetID),
	})
	return &addCommunicationToCaseOutput{Result: true}, err
}
