package report

import (
	"encoding/json"
	"io"

	"github.com/supportd/supportd/internal/check"
)

// The numbers of the class Compliance Finding in the Open Cybersecurity Schema
// Framework, https://schema.ocsf.io/1.3.0/classes/compliance_finding.
const (
	ocsfVersion  = "1.3.0"
	ocsfCategory = 2
	ocsfClass    = 2003
	ocsfCreate   = 1
)

type ocsfEvent struct {
	ActivityID   int             `json:"activity_id"`
	ActivityName string          `json:"activity_name"`
	CategoryUID  int             `json:"category_uid"`
	CategoryName string          `json:"category_name"`
	ClassUID     int             `json:"class_uid"`
	ClassName    string          `json:"class_name"`
	TypeUID      int             `json:"type_uid"`
	TypeName     string          `json:"type_name"`
	Time         int64           `json:"time"` // milliseconds
	SeverityID   int             `json:"severity_id"`
	Severity     string          `json:"severity"`
	StatusID     int             `json:"status_id"`
	Status       string          `json:"status"`
	Metadata     ocsfMetadata    `json:"metadata"`
	Message      string          `json:"message"`
	FindingInfo  ocsfFindingInfo `json:"finding_info"`
	Compliance   ocsfCompliance  `json:"compliance"`
	Remediation  *ocsfRemedy     `json:"remediation,omitempty"`
	Resources    []ocsfResource  `json:"resources,omitempty"`
	Cloud        ocsfCloud       `json:"cloud"`
}

type ocsfMetadata struct {
	Version  string      `json:"version"`
	Profiles []string    `json:"profiles"`
	Product  ocsfProduct `json:"product"`
}

type ocsfProduct struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
	Version    string `json:"version,omitempty"`
}

type ocsfFindingInfo struct {
	UID   string   `json:"uid"`
	Title string   `json:"title"`
	Desc  string   `json:"desc"`
	Types []string `json:"types"`
}

type ocsfCompliance struct {
	Standards    []string `json:"standards"`
	Control      string   `json:"control"`
	StatusID     int      `json:"status_id"`
	Status       string   `json:"status"`
	StatusCode   string   `json:"status_code"`
	StatusDetail string   `json:"status_detail,omitempty"`
}

type ocsfRemedy struct {
	Desc       string   `json:"desc"`
	References []string `json:"references,omitempty"`
}

type ocsfResource struct {
	UID    string     `json:"uid"`
	Region string     `json:"region,omitempty"`
	Data   namedCells `json:"data"`
}

type ocsfCloud struct {
	Provider string      `json:"provider"`
	Account  ocsfAccount `json:"account"`
	Region   string      `json:"region,omitempty"`
}

type ocsfAccount struct {
	UID    string `json:"uid"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

// OCSF writes the report as Compliance Finding events, one JSON object a line:
// one for every row, and one without a resource for every check that has none.
func (r *Report) OCSF(w io.Writer) error {
	encoder := json.NewEncoder(visible{w})
	encoder.SetEscapeHTML(false)
	for _, f := range r.Findings {
		for _, event := range r.events(f) {
			if err := encoder.Encode(event); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Report) events(f Finding) (all []ocsfEvent) {
	if len(f.Result.Rows) == 0 {
		e := r.event(f, f.Result.Status)
		e.FindingInfo.UID = r.Account + "/" + f.Check.ID
		e.Compliance.StatusDetail = f.Result.Cause
		return []ocsfEvent{e}
	}
	for _, row := range f.Result.Rows {
		e := r.event(f, row.Status)
		e.FindingInfo.UID = r.Account + "/" + f.Check.ID + "/" + row.ResourceID
		e.Compliance.StatusDetail = reason(f.Check, row)
		e.Resources = []ocsfResource{{UID: row.Resource, Region: row.Region, Data: namedCells{f.Check.Columns, row.Metadata}}}
		e.Cloud.Region = row.Region
		if row.Suppressed {
			e.StatusID, e.Status = 3, "Suppressed"
		}
		all = append(all, e)
	}
	return all
}

func (r *Report) event(f Finding, s check.Status) ocsfEvent {
	e := ocsfEvent{
		ActivityID: ocsfCreate, ActivityName: "Create", CategoryUID: ocsfCategory, CategoryName: "Findings",
		ClassUID: ocsfClass, ClassName: "Compliance Finding",
		TypeUID: ocsfClass*100 + ocsfCreate, TypeName: "Compliance Finding: Create",
		Time: r.CollectedAt.UnixMilli(), StatusID: 1, Status: "New", Message: f.Check.Name,
		Metadata:    ocsfMetadata{ocsfVersion, []string{"cloud"}, ocsfProduct{"supportd", "supportd", r.Version}},
		FindingInfo: ocsfFindingInfo{Title: f.Check.Name, Desc: f.Check.About, Types: []string{f.Check.Category}},
		Compliance:  ocsfCompliance{Standards: []string{"Trusted Advisor"}, Control: f.Check.ID, StatusCode: string(s)},
		Cloud:       ocsfCloud{Provider: "AWS", Account: ocsfAccount{r.Account, 10, "AWS Account"}},
	}
	e.SeverityID, e.Severity = ocsfSeverity(s)
	e.Compliance.StatusID, e.Compliance.Status = ocsfStatus(s)
	if s != check.OK && f.Check.Action != "" {
		e.Remediation = &ocsfRemedy{Desc: f.Check.Action, References: f.Check.Links}
	}
	return e
}

func ocsfSeverity(s check.Status) (int, string) {
	switch s {
	case check.Error:
		return 4, "High"
	case check.Warning:
		return 3, "Medium"
	case check.OK:
		return 1, "Informational"
	}
	return 0, "Unknown"
}

// ocsfStatus returns the status of the object Compliance. Its Warning is for a
// check that "did not yield a result due to missing information"; what is yellow
// here has failed there, with a lower severity.
func ocsfStatus(s check.Status) (int, string) {
	switch s {
	case check.Error, check.Warning:
		return 3, "Fail"
	case check.OK:
		return 1, "Pass"
	}
	return 2, "Warning"
}
