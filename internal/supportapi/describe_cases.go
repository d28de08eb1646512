package supportapi

import (
	"context"
	"strconv"
	"strings"

	"github.com/supportd/supportd/internal/cases"
)

// defaultPage is the page size of a call that asks for none. AWS documents only
// the bounds.
const defaultPage = 100

type describeCasesInput struct {
	AfterTime             *string  `json:"afterTime"`
	BeforeTime            *string  `json:"beforeTime"`
	CaseIDList            []string `json:"caseIdList" constraint:"max=100"`
	DisplayID             *string  `json:"displayId"`
	IncludeCommunications *bool    `json:"includeCommunications"`
	IncludeResolvedCases  *bool    `json:"includeResolvedCases"`
	Language              *string  `json:"language"`
	MaxResults            *int32   `json:"maxResults" constraint:"min=10,max=100"`
	NextToken             *string  `json:"nextToken"`
}

type describeCasesOutput struct {
	Cases     []caseShape `json:"cases"`
	NextToken *string     `json:"nextToken"`
}

// caseShape is CaseDetails. Its elements begin with a type member on the wire.
type caseShape struct {
	Type                 string                `json:"__type"`
	CaseID               string                `json:"caseId"`
	CategoryCode         string                `json:"categoryCode"`
	CCEmailAddresses     []string              `json:"ccEmailAddresses"`
	DisplayID            string                `json:"displayId"`
	Language             string                `json:"language"`
	RecentCommunications *recentCommunications `json:"recentCommunications"`
	ServiceCode          string                `json:"serviceCode"`
	SeverityCode         string                `json:"severityCode"`
	Status               string                `json:"status"`
	Subject              string                `json:"subject"`
	SubmittedBy          string                `json:"submittedBy"`
	TimeCreated          string                `json:"timeCreated"`
}

type recentCommunications struct {
	Communications []communicationShape `json:"communications"`
	NextToken      *string              `json:"nextToken"`
}

func (a *API) describeCases(ctx context.Context, who caller, in *describeCasesInput) (*describeCasesOutput, error) {
	scope := in.scope(who)
	q, err := a.caseQuery(in, scope)
	if err != nil {
		return nil, err
	}
	page, err := a.cases.Find(ctx, who.Identity, q)
	if err != nil {
		return nil, err
	}
	out := &describeCasesOutput{}
	for _, listed := range page.Cases {
		c, err := a.caseShape(who, listed, q.Communications)
		if err != nil {
			return nil, err
		}
		out.Cases = append(out.Cases, c)
	}
	if page.Next != nil {
		place := casePlace{Micros: page.Next.CreatedAt.UnixMicro(), ID: page.Next.ID}
		out.NextToken, err = a.sealToken(place, scope)
	}
	return out, err
}

// scope binds a token to all that decides which cases there are, but not to the
// size of the page.
func (in *describeCasesInput) scope(who caller) string {
	return tokenScope(who, "DescribeCases",
		value(in.AfterTime), value(in.BeforeTime), strings.Join(in.CaseIDList, "\n"), value(in.DisplayID),
		strconv.FormatBool(value(in.IncludeResolvedCases)), value(in.Language))
}

func (a *API) caseQuery(in *describeCasesInput, scope string) (q cases.Query, err error) {
	q = cases.Query{
		IDs:            in.CaseIDList,
		Communications: in.IncludeCommunications == nil || *in.IncludeCommunications,
		Limit:          pageSize(in.MaxResults),
		PageQuery: cases.PageQuery{
			DisplayID:       value(in.DisplayID),
			Language:        value(in.Language),
			IncludeResolved: value(in.IncludeResolvedCases),
		},
	}
	if q.Language != "" {
		if err := a.catalog.CheckLanguage(q.Language); err != nil {
			return q, err
		}
	}
	if q.TimeRange, err = timeRange(in.AfterTime, in.BeforeTime); err != nil {
		return q, err
	}
	if in.NextToken != nil {
		var place casePlace
		err = a.openToken(*in.NextToken, scope, &place)
		q.From = place.cursor()
	}
	return q, err
}

func (a *API) caseShape(who caller, c cases.Listed, communications bool) (caseShape, error) {
	shape := caseShape{
		Type:             "CaseDetails",
		CaseID:           c.ID,
		CategoryCode:     c.CategoryCode,
		CCEmailAddresses: c.CCEmailAddresses,
		DisplayID:        c.DisplayID,
		Language:         c.Language,
		ServiceCode:      c.ServiceCode,
		SeverityCode:     c.SeverityCode,
		Status:           string(c.Status),
		Subject:          c.Subject,
		SubmittedBy:      c.SubmittedBy,
		TimeCreated:      caseTime(c.CreatedAt),
	}
	if !communications {
		return shape, nil
	}
	shape.RecentCommunications = &recentCommunications{Communications: communicationShapes(c.Recent)}
	if !c.HasOlder() {
		return shape, nil
	}
	place := communicationPlace{OlderThan: c.Recent[len(c.Recent)-1].Number}
	token, err := a.sealToken(place, communicationsScope(who, c.ID, "", ""))
	shape.RecentCommunications.NextToken = token
	return shape, err
}

func pageSize(maxResults *int32) int {
	if maxResults == nil {
		return defaultPage
	}
	return int(*maxResults)
}

func timeRange(after, before *string) (r cases.TimeRange, err error) {
	if r.After, err = parseTime("afterTime", after); err != nil {
		return r, err
	}
	r.Before, err = parseTime("beforeTime", before)
	return r, err
}
