package supportapi

import (
	"context"
	"crypto/sha256"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/accesslog"
	"github.com/supportd/supportd/internal/awsjson"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/sigv4"
)

const (
	contentType  = "application/x-amz-json-1.1"
	targetPrefix = "AWSSupport_20130415."
	apiVersion   = "2013-04-15"
)

// patience is how long store and attachments may take for one call. A client
// that waits longer is told of an internal error, and repeats.
const patience = 30 * time.Second

// ServeHTTP answers one call. Calls are examined in the order that was recorded
// on services of the same protocol, except that authentication comes first, so
// that strangers learn nothing.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := a.answer(r)
	status := http.StatusOK
	if err != nil {
		status, body = a.refusal(r, err)
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body))) // net/http sends long answers in chunks otherwise
	if status == http.StatusMethodNotAllowed {
		header.Set("Allow", http.MethodPost)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away has no use for an error
}

func (a *API) answer(r *http.Request) ([]byte, error) {
	call, err := a.authenticate(r)
	if err != nil {
		return nil, err
	}
	defer call.release()
	name := call.operation
	operation, known := a.operations[name]
	if known {
		accesslog.From(r.Context()).Operation = name
	}
	if err := call.checkForm(r); err != nil {
		return nil, err
	}
	if !known {
		return nil, call.refuseUnknown()
	}
	run, err := operation(call.input(r))
	if err != nil {
		return nil, err
	}
	if err := iam.Authorize(call.who, "support:"+name, a.context(r, call)); err != nil {
		return nil, err
	}
	if err := a.limits.admit(call.who.Account, name); err != nil {
		return nil, err
	}
	once := cases.NewRequestKey(call.who, name, r.Header.Get("Amz-Sdk-Invocation-Id"), call.contentHash(r))
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	return run(ctx, caller{Identity: call.who, once: once})
}

// call is an authenticated request with its body.
type call struct {
	who       iam.Identity
	operation string // as the client names it
	presigned bool
	region    string
	body      []byte
	bodyHash  [sha256.Size]byte
	release   func() // gives back the body's place in memory
}

// contentHash is of what a call asks for: its body or, where the members are in
// the query, the query without its signature.
func (c *call) contentHash(r *http.Request) [sha256.Size]byte {
	if len(c.body) > 0 {
		return c.bodyHash
	}
	query := r.URL.Query()
	maps.DeleteFunc(query, func(name string, _ []string) bool { return strings.HasPrefix(name, "X-Amz-") })
	return sha256.Sum256([]byte(query.Encode()))
}

// authenticate finds out who calls. What can be refused by the headers alone is
// refused before the body is read.
func (a *API) authenticate(r *http.Request) (*call, error) {
	signature, err := a.verifier.Parse(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	credential, err := a.iam.Credential(ctx, signature.AccessKeyID, signature.SessionToken)
	if err != nil {
		return nil, err
	}
	operation := operationName(r, signature)
	body, release, err := a.readBody(r, credential.Identity.Account, operation)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(body)
	if err := a.verifier.Verify(signature, r, hash, credential.Secret); err != nil {
		release()
		return nil, err
	}
	record := accesslog.From(r.Context())
	record.Account, record.Principal = credential.Identity.Account, credential.Identity.ARN()
	return &call{
		who: credential.Identity, presigned: signature.Presigned, region: signature.Region,
		operation: operation, body: body, bodyHash: hash, release: release,
	}, nil
}

// checkForm looks at method, body and content type. A presigned request may use
// any method, and without a body needs no content type.
func (c *call) checkForm(r *http.Request) error {
	if r.Method != http.MethodPost && !c.presigned {
		return errMethod
	}
	if len(c.body) == 0 {
		if c.presigned {
			return nil
		}
		return &awsjson.Error{Kind: awsjson.Serialization}
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return errContentType
	}
	switch media {
	case contentType, "application/x-amz-json-1.0", "application/json":
		return nil
	}
	return errContentType
}

// input is where the members are: a presigned call without a body has them in
// the query.
func (c *call) input(r *http.Request) input {
	if len(c.body) > 0 {
		return input{body: c.body}
	}
	return input{query: r.URL.Query()}
}

// refuseUnknown reports broken JSON before an unknown target, as AWS does.
func (c *call) refuseUnknown() error {
	if len(c.body) > 0 {
		if syntax := awsjson.CheckSyntax(c.body); syntax != nil {
			return syntax
		}
	}
	return errUnknownOperation
}

// operationName reads the target header or, where there is none, the reference's
// common parameters Action and Version. It is empty when they name nothing, or
// two things. The query is always signed: a target that is not signed cannot
// stand against it.
func operationName(r *http.Request, signature *sigv4.Signature) string {
	query := r.URL.Query()
	action, target := "", r.Header.Values("X-Amz-Target")
	if query.Get("Version") == apiVersion {
		action = query.Get("Action")
	}
	if action != "" && (len(target) == 0 || !slices.Contains(signature.SignedHeaders, "x-amz-target")) {
		return action
	}
	if len(target) != 1 {
		return ""
	}
	name, ok := strings.CutPrefix(target[0], targetPrefix)
	if !ok || action != "" && action != name {
		return ""
	}
	return name
}

// context is what policies may ask about the request itself.
func (a *API) context(r *http.Request, c *call) iam.CallContext {
	return iam.CallContext{
		SourceIP:  remoteIP(r),
		UserAgent: r.UserAgent(),
		Secure:    r.TLS != nil,
		Region:    c.region,
		Time:      a.now(),
	}
}

// remoteIP is the address of the peer. Headers such as X-Forwarded-For are
// anybody's to write and are not looked at.
func remoteIP(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap()
}
