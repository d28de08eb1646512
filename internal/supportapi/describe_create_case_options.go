package supportapi

import (
	"context"

	"github.com/supportd/supportd/internal/catalog"
)

type describeCreateCaseOptionsInput struct {
	CategoryCode *string `json:"categoryCode" constraint:"required"`
	IssueType    *string `json:"issueType" constraint:"required"`
	Language     *string `json:"language" constraint:"required"`
	ServiceCode  *string `json:"serviceCode" constraint:"required,pattern=[0-9a-z\\-_]+"`
}

type describeCreateCaseOptionsOutput struct {
	CommunicationTypes   []communicationType `json:"communicationTypes"`
	LanguageAvailability string              `json:"languageAvailability"`
}

type communicationType struct {
	DatesWithoutSupport []dateInterval  `json:"datesWithoutSupport"`
	SupportedHours      []supportedHour `json:"supportedHours"`
	Type                string          `json:"type"`
}

type dateInterval struct {
	EndDateTime   string `json:"endDateTime"`
	StartDateTime string `json:"startDateTime"`
}

type supportedHour struct {
	EndTime   string `json:"endTime"`
	StartTime string `json:"startTime"`
}

func (a *API) describeCreateCaseOptions(_ context.Context, who caller, in *describeCreateCaseOptionsInput) (*describeCreateCaseOptionsOutput, error) {
	options, err := a.catalog.CreateCaseOptions(catalog.OptionsQuery{
		ServiceCode:  *in.ServiceCode,
		CategoryCode: *in.CategoryCode,
		IssueType:    *in.IssueType,
		Language:     *in.Language,
	}, who.Plan.Channels(*in.IssueType), a.now())
	out := &describeCreateCaseOptionsOutput{LanguageAvailability: options.LanguageAvailability}
	for _, t := range options.CommunicationTypes {
		out.CommunicationTypes = append(out.CommunicationTypes, communicationTypeShape(t))
	}
	return out, err
}

func communicationTypeShape(t catalog.CommunicationType) communicationType {
	shape := communicationType{Type: t.Type}
	for _, h := range t.SupportedHours {
		shape.SupportedHours = append(shape.SupportedHours, supportedHour{EndTime: h.End.String(), StartTime: h.Start.String()})
	}
	for _, d := range t.DatesWithoutSupport {
		shape.DatesWithoutSupport = append(shape.DatesWithoutSupport, dateInterval{EndDateTime: offsetTime(d.End), StartDateTime: offsetTime(d.Start)})
	}
	return shape
}
