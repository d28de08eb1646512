package iam

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"github.com/supportd/supportd/internal/fault"
)

// CallContext is what policies may ask about a request.
type CallContext struct {
	SourceIP  netip.Addr
	UserAgent string
	Secure    bool
	Region    string
	Time      time.Time
}

// Faults of authorization.
var (
	ErrSubscriptionRequired = fault.New(fault.Denied, "subscription_required", "Amazon Web Services Premium Support Subscription is required to use this service.")
	ErrAccessDenied         = fault.New(fault.Denied, "access_denied", "access denied")
)

// Authorize decides whether the caller may call an action such as
// "support:CreateCase". The plan is looked at before the policies, as at AWS.
func Authorize(who Identity, action string, call CallContext) error {
	if !who.Plan.API {
		return ErrSubscriptionRequired
	}
	if who.Kind == Root {
		return nil
	}
	decision := Evaluate(who.policies, Request{Action: action, Resource: "*", Context: conditionKeys(who, call)})
	return denial(who.ARN(), action, decision)
}

// denial words a decision as AWS does ("Troubleshoot access denied error
// messages").
func denial(arn, action string, decision Decision) error {
	switch decision {
	case Allow:
		return nil
	case ExplicitDeny:
		return ErrAccessDenied.With("User: %s is not authorized to perform: %s with an explicit deny in an identity-based policy", arn, action)
	}
	return ErrAccessDenied.With("User: %s is not authorized to perform: %s because no identity-based policy allows the %s action", arn, action, action)
}

// Simulation is what a principal would be told, and who that is.
type Simulation struct {
	ARN      string
	Action   string
	Decision Decision
}

// Simulate decides about actions for a user or role without a request. The
// condition keys that only a request has are missing.
func (s *Service) Simulate(ctx context.Context, account string, kind PrincipalKind, name string, actions []string) ([]Simulation, error) {
	var p Principal
	var policies []*Policy
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if p, err = tx.Principal(ctx, account, kind, name); err != nil {
			return err
		}
		policies, err = parseAttached(ctx, tx, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	who := Identity{Account: account, Kind: kind, Name: name, ID: p.ID}
	keys := conditionKeys(who, CallContext{Time: s.now()})
	delete(keys, ContextSecureTransport)
	var outcomes []Simulation
	for _, action := range actions {
		decision := Evaluate(policies, Request{Action: action, Resource: "*", Context: keys})
		outcomes = append(outcomes, Simulation{ARN: p.ARN(), Action: action, Decision: decision})
	}
	return outcomes, nil
}

// conditionKeys returns the global condition keys of a request ("AWS global
// condition context keys"). A key that has no value for the caller is missing.
func conditionKeys(who Identity, call CallContext) Context {
	keys := Context{
		ContextPrincipalARN:     {who.principalARN()},
		ContextPrincipalAccount: {who.Account},
		ContextPrincipalType:    {principalType(who.Kind)},
		ContextUserID:           {who.ID},
		ContextCurrentTime:      {call.Time.UTC().Format(time.RFC3339)},
		ContextEpochTime:        {strconv.FormatInt(call.Time.Unix(), 10)},
		ContextSecureTransport:  {strconv.FormatBool(call.Secure)},
	}
	if who.Kind == User {
		keys[ContextUserName] = []string{who.Name}
	}
	if !who.issuedAt.IsZero() {
		keys[ContextTokenIssueTime] = []string{who.issuedAt.UTC().Format(time.RFC3339)}
	}
	if call.SourceIP.IsValid() {
		keys[ContextSourceIP] = []string{call.SourceIP.String()}
	}
	if call.Region != "" {
		keys[ContextRequestedRegion] = []string{call.Region}
	}
	if call.UserAgent != "" {
		keys[ContextUserAgent] = []string{call.UserAgent}
	}
	return keys
}

func principalType(kind PrincipalKind) string {
	switch kind {
	case User:
		return "User"
	case Role:
		return "AssumedRole"
	}
	return "Account"
}
