package supportapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/iam"
)

// draft is a request to which faults are added. Every one of them is in it when
// it is sent.
type draft struct {
	method, operation, media string
	body                     members
	empty, broken            bool
	noPlan, noPolicy, forged bool
}

// namedFault is something wrong with a request and what is answered to it.
type namedFault struct {
	name  string
	add   func(*draft)
	want  string
	after []string // faults that cannot be in the same request
}

// examination lists the faults in the order in which they are reported.
func examination() []namedFault {
	const denied = "400 AccessDeniedException: User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: support:CreateCase because no identity-based policy allows the support:CreateCase action"
	return []namedFault{
		{"signature", func(d *draft) { d.forged = true }, "400 InvalidSignatureException: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.", nil},
		{"method", func(d *draft) { d.method = http.MethodPut }, "405 UnknownOperationException: ", nil},
		{"empty body", func(d *draft) { d.empty = true }, "400 SerializationException: ", []string{"broken JSON", "type", "constraint", "code"}},
		{"content type", func(d *draft) { d.media = "text/plain" }, "404 UnknownOperationException: ", nil},
		{"broken JSON", func(d *draft) { d.broken = true }, "400 SerializationException: ", nil},
		{"target", func(d *draft) { d.operation = "NoSuchOperation" }, "400 UnknownOperationException: ", nil},
		{"subscription", func(d *draft) { d.noPlan = true }, "400 SubscriptionRequiredException: Amazon Web Services Premium Support Subscription is required to use this service.", nil},
		{"permission", func(d *draft) { d.noPolicy = true }, denied, nil},
		{"type", func(d *draft) { d.body["language"] = 1 }, "400 SerializationException: NUMBER_VALUE can not be converted to a String", nil},
		{"constraint", func(d *draft) { delete(d.body, "subject") }, "400 ValidationException: 1 validation error detected: Value null at 'subject' failed to satisfy constraint: Member must not be null", nil},
		{"code", func(d *draft) { d.body["issueType"] = "none" }, "400 InvalidParameterValueException: Invalid issue type: none. It must be technical, customer-service or service-limit-increase", nil},
	}
}

func TestOfTwoFaultsTheEarlierIsReported(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	keys := draftKeys{
		root: f.first, nobody: f.mustUser(t, firstAccount, "nobody"),
		basic: f.basic, basicNobody: f.mustUser(t, basicAccount, "nobody"),
	}
	before := f.dump(t)
	all := examination()
	for i, first := range all {
		for _, second := range all[i:] {
			if excludes(first, second) {
				continue
			}
			d := &draft{method: http.MethodPost, operation: "CreateCase", media: contentType, body: f.valid("CreateCase")}
			first.add(d)
			second.add(d)
			if got := f.send(t, d.request(t, keys)); got.refusal() != first.want {
				t.Errorf("CreateCase with the faults %s and %s = %s, want %s", first.name, second.name, got.refusal(), first.want)
			}
		}
	}
	f.mustStayAs(t, before, "faulty requests")
}

func excludes(first, second namedFault) bool {
	for _, name := range first.after {
		if name == second.name {
			return true
		}
	}
	return false
}

type draftKeys struct{ root, nobody, basic, basicNobody iam.NewKey }

func (d *draft) request(t *testing.T, keys draftKeys) *http.Request {
	t.Helper()
	body := d.body.text(t)
	if d.broken {
		body = body[:len(body)-1]
	}
	if d.empty {
		body = ""
	}
	key := keys.root
	switch {
	case d.noPlan && d.noPolicy:
		key = keys.basicNobody
	case d.noPlan:
		key = keys.basic
	case d.noPolicy:
		key = keys.nobody
	}
	if d.forged {
		key.Secret = strings.Repeat("x", 40)
	}
	r := newRequest(d.operation, body)
	r.Method = d.method
	r.Header.Set("Content-Type", d.media)
	sign(t, r, key, body)
	return r
}

// Permission is looked at before the limits, and the limits before the types: a
// caller who may not call is not told how busy the account is, and a wrong call
// counts like any other.
func TestLimitsComeAfterPermissionAndBeforeTypes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{api: Limits{RequestsPerSecond: 1}})
	nobody := f.mustUser(t, firstAccount, "nobody")
	wrongType := `{"subject":1}`
	for _, tt := range []struct {
		key  iam.NewKey
		want string
	}{
		{nobody, "AccessDeniedException"},
		{f.first, "SerializationException"},
		{f.first, "ThrottlingException"},
		{nobody, "AccessDeniedException"},
	} {
		if got := f.call(t, tt.key, "CreateCase", wrongType); got.Name != tt.want {
			t.Errorf("CreateCase(%s) of %q = %s, want %s", wrongType, tt.key.Name, got.refusal(), tt.want)
		}
	}
}

// A stranger is told the same whatever is wrong besides: nothing of the body or
// the target is looked at before the caller is known.
func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for _, operation := range []string{"CreateCase", "NoSuchOperation"} {
		for _, body := range []string{"", "{", "{}", `{"subject":1}`, strings.Repeat(" ", maxBody+1)} {
			r := newRequest(operation, body)
			if got, want := f.send(t, r).refusal(), "400 MissingAuthenticationTokenException: Missing Authentication Token"; got != want {
				t.Errorf("%s(%.20q) unsigned = %s, want %s", operation, body, got, want)
			}
			unknown := f.first
			unknown.ID = "AKIAIOSFODNN7EXAMPLE"
			if got, want := f.call(t, unknown, operation, body).refusal(), "400 UnrecognizedClientException: The security token included in the request is invalid."; got != want {
				t.Errorf("%s(%.20q) with an unknown key = %s, want %s", operation, body, got, want)
			}
		}
	}
}

// Only SerializationException and AccessDeniedException write Message with a
// large M, as recorded.
func TestWhichErrorsWriteALargeM(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	nobody := f.mustUser(t, firstAccount, "nobody")
	for _, tt := range []struct {
		name string
		got  answer
		want string
	}{
		{"a wrong type", f.call(t, f.first, "ResolveCase", `{"caseId":1}`), `{"__type":"SerializationException","Message":`},
		{"no permission", f.call(t, nobody, "ResolveCase", `{}`), `{"__type":"AccessDeniedException","Message":`},
		{"no plan", f.call(t, f.basic, "ResolveCase", `{}`), `{"__type":"SubscriptionRequiredException","message":`},
		{"no case", f.call(t, f.first, "ResolveCase", `{}`), `{"__type":"CaseIdNotFound","message":`},
		{"a missing member", f.call(t, f.first, "CreateCase", `{}`), `{"__type":"ValidationException","message":`},
	} {
		if !strings.HasPrefix(tt.got.body, tt.want) || tt.got.header.Get("X-Amzn-Errortype") != "" {
			t.Errorf("%s: body %s, want it to begin with %s and no error header", tt.name, tt.got.body, tt.want)
		}
	}
}
