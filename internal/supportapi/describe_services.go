package supportapi

import (
	"context"

	"github.com/supportd/supportd/internal/awsjson"
	"github.com/supportd/supportd/internal/catalog"
)

type describeServicesInput struct {
	Language        *string  `json:"language"`
	ServiceCodeList []string `json:"serviceCodeList" constraint:"max=100" item:"pattern=[0-9a-z\\-_]+"`
}

type describeServicesOutput struct {
	Services []serviceShape `json:"services"`
}

// serviceShape is Service. Its elements begin with a type member on the wire.
type serviceShape struct {
	Type       string          `json:"__type"`
	Categories []categoryShape `json:"categories"`
	Code       string          `json:"code"`
	Name       string          `json:"name"`
}

type categoryShape struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// describeServices answers a call for everything with the text made at start:
// it depends on nobody. Codes that do not exist are missing from the answer.
func (a *API) describeServices(_ context.Context, _ caller, in *describeServicesInput) ([]byte, error) {
	if err := a.checkLanguage(in.Language); err != nil {
		return nil, err
	}
	if len(in.ServiceCodeList) == 0 {
		return a.services, nil
	}
	var found []catalog.Service
	seen := map[string]bool{}
	for _, code := range in.ServiceCodeList {
		s, ok := a.catalog.Service(code)
		if ok && !seen[code] {
			found = append(found, s)
		}
		seen[code] = true
	}
	return awsjson.Encode(describeServicesOutput{Services: serviceShapes(found)})
}

func serviceShapes(services []catalog.Service) []serviceShape {
	shapes := make([]serviceShape, len(services))
	for i, s := range services {
		shapes[i] = serviceShape{Type: "Service", Code: s.Code, Name: s.Name}
		for _, c := range s.Categories {
			shapes[i].Categories = append(shapes[i].Categories, categoryShape(c))
		}
	}
	return shapes
}

// checkLanguage accepts an absent language and those that cases may be in.
func (a *API) checkLanguage(code *string) error {
	if code == nil {
		return nil
	}
	return a.catalog.CheckLanguage(*code)
}
