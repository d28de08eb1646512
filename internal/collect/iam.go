package collect

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/csv"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func iamKinds() []kind {
	return []kind{
		kindOf("iam.account-summary", global, "iam:GetAccountSummary", readAccountSummary),
		kindOf("iam.password-policy", global, "iam:GetAccountPasswordPolicy", readPasswordPolicy),
		kindOf("iam.principal", global, "iam:GetAccountAuthorizationDetails", readPrincipals),
		kindOf("iam.policy", global, "iam:GetAccountAuthorizationDetails", readManagedPolicies),
		kindOf("iam.policy-statement", global, "iam:GetAccountAuthorizationDetails", readPolicyStatements),
		kindOf("iam.credential-report", global, "iam:GenerateCredentialReport,iam:GetCredentialReport", readCredentialReport),
		kindOf("iam.server-certificate", global, "iam:ListServerCertificates", readServerCertificates),
		kindOf("iam.saml-provider", global, "iam:ListSAMLProviders", readSAMLProviders),
		kindOf("iam.virtual-mfa-device", global, "iam:ListVirtualMFADevices", readVirtualMFADevices),
	}
}

func (r *reader) iam() *iam.Client { return iam.NewFromConfig(r.config) }

// AccountSummary is what IAM counts in the account.
type AccountSummary struct {
	AccountID  string           `doc:"The account."`
	SummaryMap map[string]int32 // Users, UsersQuota, AccountMFAEnabled and so on
}

func readAccountSummary(ctx context.Context, r *reader, emit emit[AccountSummary]) error {
	out, err := r.iam().GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
	if err != nil {
		return err
	}
	return emit(r.owner, AccountSummary{AccountID: r.owner, SummaryMap: out.SummaryMap})
}

// PasswordPolicy is the rule for passwords of IAM users. There is one in every
// account; Exists is false where none was set.
type PasswordPolicy struct {
	types.PasswordPolicy
	AccountID string `doc:"The account."`
	Exists    bool   `doc:"Whether the account has a policy of its own."`
}

func readPasswordPolicy(ctx context.Context, r *reader, emit emit[PasswordPolicy]) error {
	out, err := r.iam().GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
	if hasCode(err, noSuchEntity) {
		return emit(r.owner, PasswordPolicy{AccountID: r.owner})
	}
	if err != nil {
		return err
	}
	return emit(r.owner, PasswordPolicy{AccountID: r.owner, Exists: true, PasswordPolicy: *out.PasswordPolicy})
}

const noSuchEntity = "NoSuchEntity"

// Principal is a user, group or role.
type Principal struct {
	Arn             string
	Type            string `doc:"user, group or role."`
	Name            string `doc:"The name of the user, group or role."`
	Path            string
	CreateDate      *time.Time
	Groups          []string               `doc:"The groups of a user."`
	InlinePolicies  []string               `doc:"The names of the policies that are part of the principal."`
	ManagedPolicies []types.AttachedPolicy `doc:"The policies that are attached to it."`
}

func readPrincipals(ctx context.Context, r *reader, emit emit[Principal]) error {
	return r.authorizationDetails(ctx, func(page *iam.GetAccountAuthorizationDetailsOutput) error {
		for _, p := range principalsOf(page) {
			if err := emit(p.Arn, p); err != nil {
				return err
			}
		}
		return nil
	}, types.EntityTypeUser, types.EntityTypeGroup, types.EntityTypeRole)
}

func principalsOf(page *iam.GetAccountAuthorizationDetailsOutput) (all []Principal) {
	for _, u := range page.UserDetailList {
		all = append(all, Principal{
			Arn: aws.ToString(u.Arn), Type: "user", Name: aws.ToString(u.UserName), Path: aws.ToString(u.Path),
			CreateDate: u.CreateDate, Groups: u.GroupList, InlinePolicies: policyNames(u.UserPolicyList), ManagedPolicies: u.AttachedManagedPolicies,
		})
	}
	for _, g := range page.GroupDetailList {
		all = append(all, Principal{
			Arn: aws.ToString(g.Arn), Type: "group", Name: aws.ToString(g.GroupName), Path: aws.ToString(g.Path),
			CreateDate: g.CreateDate, InlinePolicies: policyNames(g.GroupPolicyList), ManagedPolicies: g.AttachedManagedPolicies,
		})
	}
	for _, role := range page.RoleDetailList {
		all = append(all, Principal{
			Arn: aws.ToString(role.Arn), Type: "role", Name: aws.ToString(role.RoleName), Path: aws.ToString(role.Path),
			CreateDate: role.CreateDate, InlinePolicies: policyNames(role.RolePolicyList), ManagedPolicies: role.AttachedManagedPolicies,
		})
	}
	return all
}

func policyNames(policies []types.PolicyDetail) (names []string) {
	for _, p := range policies {
		names = append(names, aws.ToString(p.PolicyName))
	}
	return names
}

func (r *reader) authorizationDetails(ctx context.Context, f func(*iam.GetAccountAuthorizationDetailsOutput) error, which ...types.EntityType) error {
	return pages(ctx, r.iam().GetAccountAuthorizationDetails, &iam.GetAccountAuthorizationDetailsInput{Filter: which}, f)
}

// ManagedPolicy is a policy that the account made.
type ManagedPolicy struct {
	Arn                           string
	PolicyName                    string
	PolicyId                      string
	Path                          string
	AttachmentCount               int32
	PermissionsBoundaryUsageCount int32
	CreateDate                    *time.Time
	UpdateDate                    *time.Time
	DefaultVersionId              string
}

func readManagedPolicies(ctx context.Context, r *reader, emit emit[ManagedPolicy]) error {
	return r.authorizationDetails(ctx, func(page *iam.GetAccountAuthorizationDetailsOutput) error {
		for _, p := range page.Policies {
			policy := ManagedPolicy{
				Arn: aws.ToString(p.Arn), PolicyName: aws.ToString(p.PolicyName), PolicyId: aws.ToString(p.PolicyId), Path: aws.ToString(p.Path),
				AttachmentCount: aws.ToInt32(p.AttachmentCount), PermissionsBoundaryUsageCount: aws.ToInt32(p.PermissionsBoundaryUsageCount),
				CreateDate: p.CreateDate, UpdateDate: p.UpdateDate, DefaultVersionId: aws.ToString(p.DefaultVersionId),
			}
			if err := emit(policy.Arn, policy); err != nil {
				return err
			}
		}
		return nil
	}, types.EntityTypeLocalManagedPolicy)
}

// IAMPolicyStatement is a statement of a policy that the account made, in its
// default version, or of an inline policy.
type IAMPolicyStatement struct {
	PolicyStatement
	Owner      string `doc:"The ARN of the managed policy, or of the user, group or role that the inline policy is part of."`
	PolicyName string
	Inline     bool `doc:"Whether it is of an inline policy."`
}

func readPolicyStatements(ctx context.Context, r *reader, emit emit[IAMPolicyStatement]) error {
	return r.authorizationDetails(ctx, func(page *iam.GetAccountAuthorizationDetailsOutput) error {
		var errs []error
		for _, p := range page.Policies {
			errs = append(errs, emitStatements(emit, p.Arn, p.PolicyName, defaultVersion(p), false))
		}
		inline := func(owner *string, policies []types.PolicyDetail) {
			for _, p := range policies {
				errs = append(errs, emitStatements(emit, owner, p.PolicyName, p.PolicyDocument, true))
			}
		}
		for _, u := range page.UserDetailList {
			inline(u.Arn, u.UserPolicyList)
		}
		for _, g := range page.GroupDetailList {
			inline(g.Arn, g.GroupPolicyList)
		}
		for _, role := range page.RoleDetailList {
			inline(role.Arn, role.RolePolicyList)
		}
		return errors.Join(errs...)
	}, types.EntityTypeUser, types.EntityTypeGroup, types.EntityTypeRole, types.EntityTypeLocalManagedPolicy)
}

// emitStatements emits the statements of a policy as IAM answers it: JSON with
// percent encoding.
func emitStatements(emit emit[IAMPolicyStatement], owner, policy, document *string, inline bool) error {
	text, err := url.PathUnescape(aws.ToString(document))
	if err != nil {
		return err
	}
	statements, err := parsePolicy(text)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", aws.ToString(owner), aws.ToString(policy), err)
	}
	for i, s := range statements {
		statement := IAMPolicyStatement{PolicyStatement: s, Owner: aws.ToString(owner), PolicyName: aws.ToString(policy), Inline: inline}
		if err := emit(fmt.Sprintf("%s/%s/%d", statement.Owner, statement.PolicyName, i), statement); err != nil {
			return err
		}
	}
	return nil
}

func defaultVersion(p types.ManagedPolicyDetail) *string {
	for _, v := range p.PolicyVersionList {
		if v.IsDefaultVersion {
			return v.Document
		}
	}
	return nil
}

// CredentialReportRow is a user, or the root user, in the credential report.
// Times that the report does not have are left out.
type CredentialReportRow struct {
	User                 string `doc:"The user's name; <root_account> for the root user."`
	Arn                  string
	Root                 bool `doc:"Whether it is the root user."`
	UserCreationTime     *time.Time
	PasswordEnabled      bool `doc:"Whether the user has a password for the console. What the report does not support for the root user reads as false."`
	PasswordLastUsed     *time.Time
	PasswordLastChanged  *time.Time
	PasswordNextRotation *time.Time
	MFAActive            bool
	AccessKeys           []ReportedKey `doc:"The access keys that the user has or had: number 1 and 2."`
	Cert1Active          bool
	Cert2Active          bool
	Cert1LastRotated     *time.Time
	Cert2LastRotated     *time.Time
}

// ReportedKey is an access key in the credential report, which has no ids of
// keys.
type ReportedKey struct {
	Number          int `doc:"1 or 2."`
	Active          bool
	LastRotated     *time.Time `doc:"When it was created or last changed."`
	LastUsedDate    *time.Time
	LastUsedRegion  string
	LastUsedService string
}

func readCredentialReport(ctx context.Context, r *reader, emit emit[CredentialReportRow]) error {
	content, err := r.credentialReport(ctx)
	if err != nil {
		return err
	}
	rows, err := parseCredentialReport(content)
	if err != nil {
		return fmt.Errorf("the credential report: %w", err)
	}
	for _, row := range rows {
		if err := emit(row.Arn, row); err != nil {
			return err
		}
	}
	return nil
}

// How long the report is waited for. It takes IAM a few seconds, and minutes in
// accounts with thousands of users.
const (
	reportTries = 60
	reportPause = 3 * time.Second
)

var (
	errReport     = errors.New("the credential report was not ready in time")
	errReportForm = errors.New("it has no column for users")
)

func (r *reader) credentialReport(ctx context.Context) ([]byte, error) {
	client := r.iam()
	for range reportTries {
		made, err := client.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
		if err != nil {
			return nil, err
		}
		if made.State == types.ReportStateTypeComplete {
			out, err := client.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
			if err == nil {
				return out.Content, nil
			}
			if !hasCode(err, "ReportNotPresent", "ReportExpired", "ReportInProgress") {
				return nil, err
			}
		}
		select {
		case <-time.After(reportPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, errReport
}

const rootUser = "<root_account>"

func parseCredentialReport(content []byte) (rows []CredentialReportRow, err error) {
	lines, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 || !slices.Contains(lines[0], "user") {
		return nil, errReportForm
	}
	for _, line := range lines[1:] {
		column := map[string]string{}
		for i, name := range lines[0] {
			column[name] = line[i] // the reader refuses lines of another length
		}
		rows = append(rows, credentialReportRow(column))
	}
	return rows, nil
}

func credentialReportRow(column map[string]string) CredentialReportRow {
	row := CredentialReportRow{
		User: column["user"], Arn: column["arn"], Root: column["user"] == rootUser,
		UserCreationTime: reportTime(column["user_creation_time"]),
		PasswordEnabled:  reportBool(column["password_enabled"]), PasswordLastUsed: reportTime(column["password_last_used"]),
		PasswordLastChanged: reportTime(column["password_last_changed"]), PasswordNextRotation: reportTime(column["password_next_rotation"]),
		MFAActive:   reportBool(column["mfa_active"]),
		Cert1Active: reportBool(column["cert_1_active"]), Cert1LastRotated: reportTime(column["cert_1_last_rotated"]),
		Cert2Active: reportBool(column["cert_2_active"]), Cert2LastRotated: reportTime(column["cert_2_last_rotated"]),
	}
	for number := 1; number <= 2; number++ {
		prefix := fmt.Sprintf("access_key_%d_", number)
		key := ReportedKey{
			Number: number, Active: reportBool(column[prefix+"active"]),
			LastRotated: reportTime(column[prefix+"last_rotated"]), LastUsedDate: reportTime(column[prefix+"last_used_date"]),
			LastUsedRegion: reportText(column[prefix+"last_used_region"]), LastUsedService: reportText(column[prefix+"last_used_service"]),
		}
		if key.Active || key.LastRotated != nil {
			row.AccessKeys = append(row.AccessKeys, key)
		}
	}
	return row
}

func reportBool(text string) bool { return text == "true" || text == "TRUE" }

// reportTime returns nil for N/A, no_information and not_supported.
func reportTime(text string) *time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil
	}
	return &at
}

func reportText(text string) string {
	if text == "N/A" || text == "not_supported" {
		return ""
	}
	return text
}

// ServerCertificate is a certificate in the certificate store of IAM.
type ServerCertificate struct {
	types.ServerCertificateMetadata
	Certificate *CertificateContent `part:"iam:GetServerCertificate" doc:"What the certificate says."`
}

// CertificateContent is what an X.509 certificate says.
type CertificateContent struct {
	Names              []string `doc:"The common name and the alternative names, in lower case, each once."`
	SignatureAlgorithm string   `doc:"Such as SHA256-RSA or SHA1-RSA."`
	NotBefore          time.Time
	NotAfter           time.Time
}

func readServerCertificates(ctx context.Context, r *reader, emit emit[ServerCertificate]) error {
	client := r.iam()
	input := &iam.ListServerCertificatesInput{}
	return pages(ctx, client.ListServerCertificates, input, func(page *iam.ListServerCertificatesOutput) error {
		return forEach(ctx, page.ServerCertificateMetadataList, func(ctx context.Context, m types.ServerCertificateMetadata) error {
			certificate := ServerCertificate{ServerCertificateMetadata: m}
			parts := parts{reader: r, codes: []string{noSuchEntity}}
			parts.read("Certificate", func() error {
				out, err := client.GetServerCertificate(ctx, &iam.GetServerCertificateInput{ServerCertificateName: m.ServerCertificateName})
				if err != nil {
					return err
				}
				certificate.Certificate, err = parseCertificate(aws.ToString(out.ServerCertificate.CertificateBody))
				return err
			})
			if parts.gone {
				return nil
			}
			return emit(aws.ToString(m.Arn), certificate)
		})
	})
}

var errPEM = errors.New("a certificate that is not PEM")

func parseCertificate(text string) (*CertificateContent, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errPEM
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range append(c.DNSNames, c.Subject.CommonName) {
		name = strings.ToLower(name)
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return &CertificateContent{
		Names: names, SignatureAlgorithm: c.SignatureAlgorithm.String(), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
	}, nil
}

func readSAMLProviders(ctx context.Context, r *reader, emit emit[types.SAMLProviderListEntry]) error {
	out, err := r.iam().ListSAMLProviders(ctx, &iam.ListSAMLProvidersInput{})
	if err != nil {
		return err
	}
	for _, p := range out.SAMLProviderList {
		if err := emit(aws.ToString(p.Arn), p); err != nil {
			return err
		}
	}
	return nil
}

// VirtualMFADevice is a virtual MFA device, without its secrets.
type VirtualMFADevice struct {
	SerialNumber string
	EnableDate   *time.Time
	UserArn      string `doc:"The user it is assigned to; that of the root user ends with :root. Empty when it is assigned to nobody."`
}

func readVirtualMFADevices(ctx context.Context, r *reader, emit emit[VirtualMFADevice]) error {
	return pages(ctx, r.iam().ListVirtualMFADevices, &iam.ListVirtualMFADevicesInput{}, func(page *iam.ListVirtualMFADevicesOutput) error {
		for _, d := range page.VirtualMFADevices {
			device := VirtualMFADevice{SerialNumber: aws.ToString(d.SerialNumber), EnableDate: d.EnableDate}
			if d.User != nil {
				device.UserArn = aws.ToString(d.User.Arn)
			}
			if err := emit(device.SerialNumber, device); err != nil {
				return err
			}
		}
		return nil
	})
}
