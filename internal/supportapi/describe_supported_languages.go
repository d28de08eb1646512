package supportapi

import (
	"context"
)

type describeSupportedLanguagesInput struct {
	CategoryCode *string `json:"categoryCode" constraint:"required,max=100"`
	IssueType    *string `json:"issueType" constraint:"required,min=9,max=22"`
	ServiceCode  *string `json:"serviceCode" constraint:"required,max=100,pattern=[0-9a-z\\-_]+"`
}

type describeSupportedLanguagesOutput struct {
	SupportedLanguages []supportedLanguage `json:"supportedLanguages"`
}

type supportedLanguage struct {
	Code     string `json:"code"`
	Display  string `json:"display"`
	Language string `json:"language"`
}

func (a *API) describeSupportedLanguages(_ context.Context, _ caller, in *describeSupportedLanguagesInput) (*describeSupportedLanguagesOutput, error) {
	languages, err := a.catalog.SupportedLanguages(*in.ServiceCode, *in.CategoryCode, *in.IssueType)
	out := &describeSupportedLanguagesOutput{}
	for _, l := range languages {
		out.SupportedLanguages = append(out.SupportedLanguages, supportedLanguage{Code: l.Code, Display: l.Display, Language: l.Name})
	}
	return out, err
}
