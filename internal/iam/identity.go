package iam

import "time"

// Identity is an authenticated caller. Every service method takes one right
// after its context and narrows its work to Account.
type Identity struct {
	Account string // twelve digits
	Email   string // of the account
	Plan    Plan
	Kind    PrincipalKind
	Name    string // of the user or role; empty for root
	Session string // of a role session
	ID      string // AIDA…, AROA…, or the account for root
	KeyID   string

	issuedAt time.Time // of temporary credentials
	policies []*Policy
}

// ARN returns the caller's Amazon Resource Name as AWS writes it in messages.
func (who Identity) ARN() string {
	switch who.Kind {
	case User:
		return "arn:aws:iam::" + who.Account + ":user/" + who.Name
	case Role:
		return "arn:aws:sts::" + who.Account + ":assumed-role/" + who.Name + "/" + who.Session
	}
	return "arn:aws:iam::" + who.Account + ":root"
}

// SubmittedBy returns how the caller signs communications: "alice (IAM)
// <account e-mail>", "AdminRole (Role) <account e-mail>", or for root the bare
// e-mail address.
func (who Identity) SubmittedBy() string {
	switch who.Kind {
	case User:
		return who.Name + " (IAM) <" + who.Email + ">"
	case Role:
		return who.Name + " (Role) <" + who.Email + ">"
	}
	return who.Email
}

// principalARN is what aws:PrincipalArn holds: for a session the role's ARN,
// not the session's ("AWS global condition context keys").
func (who Identity) principalARN() string {
	if who.Kind == Role {
		return Principal{Account: who.Account, Kind: Role, Name: who.Name}.ARN()
	}
	return who.ARN()
}
