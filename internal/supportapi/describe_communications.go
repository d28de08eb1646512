package supportapi

import (
	"context"

	"github.com/supportd/supportd/internal/cases"
)

type describeCommunicationsInput struct {
	AfterTime  *string `json:"afterTime"`
	BeforeTime *string `json:"beforeTime"`
	CaseID     *string `json:"caseId" constraint:"required"`
	MaxResults *int32  `json:"maxResults" constraint:"min=10,max=100"`
	NextToken  *string `json:"nextToken"`
}

type describeCommunicationsOutput struct {
	Communications []communicationShape `json:"communications"`
	NextToken      *string              `json:"nextToken"`
}

type communicationShape struct {
	AttachmentSet []attachmentDetails `json:"attachmentSet"`
	Body          string              `json:"body"`
	CaseID        string              `json:"caseId"`
	SubmittedBy   string              `json:"submittedBy"`
	TimeCreated   string              `json:"timeCreated"`
}

type attachmentDetails struct {
	AttachmentID string `json:"attachmentId"`
	FileName     string `json:"fileName"`
}

func (a *API) describeCommunications(ctx context.Context, who caller, in *describeCommunicationsInput) (*describeCommunicationsOutput, error) {
	scope := communicationsScope(who, *in.CaseID, value(in.AfterTime), value(in.BeforeTime))
	q := cases.CommunicationsQuery{CaseID: *in.CaseID, Limit: pageSize(in.MaxResults)}
	var err error
	if q.TimeRange, err = timeRange(in.AfterTime, in.BeforeTime); err != nil {
		return nil, err
	}
	if in.NextToken != nil {
		var place communicationPlace
		if err := a.openToken(*in.NextToken, scope, &place); err != nil {
			return nil, err
		}
		q.OlderThan = place.OlderThan
	}
	page, err := a.cases.Communications(ctx, who.Identity, q)
	if err != nil {
		return nil, err
	}
	out := &describeCommunicationsOutput{Communications: communicationShapes(page.Communications)}
	if page.Next != 0 {
		out.NextToken, err = a.sealToken(communicationPlace{OlderThan: page.Next}, scope)
	}
	return out, err
}

// communicationsScope is shared with DescribeCases, whose cases carry a token
// for their older communications.
func communicationsScope(who caller, caseID, after, before string) string {
	return tokenScope(who, "DescribeCommunications", caseID, after, before)
}

func communicationShapes(all []cases.Communication) []communicationShape {
	shapes := make([]communicationShape, 0, len(all))
	for _, c := range all {
		shape := communicationShape{
			Body:        c.Body,
			CaseID:      c.CaseID,
			SubmittedBy: c.SubmittedBy,
			TimeCreated: communicationTime(c.CreatedAt),
		}
		for _, a := range c.Attachments {
			shape.AttachmentSet = append(shape.AttachmentSet, attachmentDetails{AttachmentID: a.ID, FileName: a.FileName})
		}
		shapes = append(shapes, shape)
	}
	return shapes
}
