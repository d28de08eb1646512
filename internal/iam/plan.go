package iam

import (
	"slices"
	"time"

	"github.com/supportd/supportd/internal/fault"
)

// Plan is a support plan: what an account may ask for. Severities are the codes
// that a case may have, lowest first.
type Plan struct {
	ID         string
	Name       string
	API        bool // without it every call answers SubscriptionRequiredException
	Severities []string
}

// HasSeverity reports whether cases of this plan may have the severity.
func (p Plan) HasSeverity(code string) bool {
	return slices.Contains(p.Severities, code)
}

// FirstResponse returns how long the first answer to a case of the severity may
// take ("Compare AWS Support Plans", response times). Plans without technical
// support promise none.
func (p Plan) FirstResponse(severity string) (most time.Duration, promised bool) {
	if !p.HasSeverity(severity) {
		return 0, false
	}
	switch severity {
	case "low":
		return 24 * time.Hour, true
	case "normal":
		return 12 * time.Hour, true
	case "high":
		return 4 * time.Hour, true
	case "urgent":
		return time.Hour, true
	}
	switch p.ID {
	case "enterprise-on-ramp", "business-plus":
		return 30 * time.Minute, true
	case "unified-operations":
		return 5 * time.Minute, true
	}
	return 15 * time.Minute, true
}

// BusinessHours reports whether the plan is served in business hours only: all
// others are served around the clock.
func (p Plan) BusinessHours() bool { return p.ID == "developer" }

// Channels returns the ways to talk to support about an issue type. Technical
// questions of the Developer plan go by web only; accounts and bills may use
// every channel on every plan.
func (p Plan) Channels(issueType string) []string {
	switch {
	case issueType != "technical":
		return []string{"web", "chat", "call"}
	case p.ID == "basic":
		return nil
	case p.ID == "developer":
		return []string{"web"}
	}
	return []string{"web", "chat", "call"}
}

// ErrUnknownPlan means that no support plan has the identifier.
var ErrUnknownPlan = fault.New(fault.Invalid, "unknown_plan", "no such support plan")

// Plans returns every support plan: the classic line and the one of December
// 2025, which shares Enterprise with it.
func Plans() []Plan {
	untilNormal := []string{"low", "normal"}
	untilUrgent := []string{"low", "normal", "high", "urgent"}
	untilCritical := []string{"low", "normal", "high", "urgent", "critical"}
	return []Plan{
		{ID: "basic", Name: "Basic"},
		{ID: "developer", Name: "Developer", Severities: untilNormal},
		{ID: "business", Name: "Business", API: true, Severities: untilUrgent},
		{ID: "enterprise-on-ramp", Name: "Enterprise On-Ramp", API: true, Severities: untilCritical},
		{ID: "enterprise", Name: "Enterprise", API: true, Severities: untilCritical},
		{ID: "business-plus", Name: "Business Support+", API: true, Severities: untilCritical},
		{ID: "unified-operations", Name: "Unified Operations", API: true, Severities: untilCritical},
	}
}

// PlanByID returns the plan with the identifier, or ErrUnknownPlan.
func PlanByID(id string) (Plan, error) {
	var known []string
	for _, p := range Plans() {
		if p.ID == id {
			return p, nil
		}
		known = append(known, p.ID)
	}
	return Plan{}, ErrUnknownPlan.With("no support plan %q; plans are %v", id, known)
}
