// Package supportapi answers the operations of AWSSupport_20130415, the AWS
// Support API, in AWS JSON 1.1. It reads and verifies a call, asks the rooms
// below and puts their answers and faults into the words of the API.
//
// It holds no rules about cases and nothing that outlives a request but the
// buckets of its rate limits.
package supportapi

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/awsjson"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/seal"
	"github.com/supportd/supportd/internal/sigv4"
)

// Config is what an API is made of. All but Limits and Now must be set.
type Config struct {
	IAM     *iam.Service
	Cases   *cases.Service
	Advisor *advisor.Service
	Catalog *catalog.Catalog
	Tokens  *seal.Box // seals page tokens
	Limits  Limits
	Now     func() time.Time // nil means time.Now; signatures are always judged by time.Now
}

// API is the handler of the Support API.
type API struct {
	iam      *iam.Service
	cases    *cases.Service
	advisor  *advisor.Service
	catalog  *catalog.Catalog
	tokens   *seal.Box
	limits   *limiter
	now      func() time.Time
	verifier sigv4.Verifier

	operations map[string]operation
	services   []byte // DescribeServices for everything, encoded once
	checkTexts checkTexts
	places     *places
}

var _ http.Handler = (*API)(nil)

// New returns the API. It fails only where its answers cannot be encoded.
func New(c Config) (*API, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &API{
		iam: c.IAM, cases: c.Cases, advisor: c.Advisor, catalog: c.Catalog, tokens: c.Tokens, now: c.Now,
		limits:   newLimiter(c.Limits, c.Now),
		verifier: sigv4.Verifier{Service: "support"},
		places:   newPlaces(),
	}
	services, err := awsjson.Encode(describeServicesOutput{Services: serviceShapes(c.Catalog.Services())})
	if err != nil {
		return nil, err
	}
	a.services = services
	a.operations = map[string]operation{
		"AddAttachmentsToSet":        op(a.addAttachmentsToSet),
		"AddCommunicationToCase":     op(a.addCommunicationToCase),
		"CreateCase":                 op(a.createCase),
		"DescribeAttachment":         op(a.describeAttachment),
		"DescribeCases":              op(a.describeCases),
		"DescribeCommunications":     op(a.describeCommunications),
		"DescribeCreateCaseOptions":  op(a.describeCreateCaseOptions),
		"DescribeServices":           encodedOp(a.describeServices),
		"DescribeSeverityLevels":     op(a.describeSeverityLevels),
		"DescribeSupportedLanguages": op(a.describeSupportedLanguages),
		"ResolveCase":                op(a.resolveCase),

		"DescribeTrustedAdvisorCheckRefreshStatuses": op(a.describeTrustedAdvisorCheckRefreshStatuses),
		"DescribeTrustedAdvisorCheckResult":          op(a.describeTrustedAdvisorCheckResult),
		"DescribeTrustedAdvisorCheckSummaries":       op(a.describeTrustedAdvisorCheckSummaries),
		"DescribeTrustedAdvisorChecks":               encodedOp(a.describeTrustedAdvisorChecks),
		"RefreshTrustedAdvisorCheck":                 op(a.refreshTrustedAdvisorCheck),
	}
	return a, nil
}

// Operations returns the names of the operations, sorted.
func (a *API) Operations() []string { return slices.Sorted(maps.Keys(a.operations)) }

// ForgetLimits has nobody have called before: the limits of the API count anew.
func (a *API) ForgetLimits() { a.limits.forget() }
