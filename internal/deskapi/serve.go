package deskapi

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/accesslog"
	"github.com/supportd/supportd/internal/desk"
)

// patience is how long the token, and then store and attachments, may take.
const patience = 30 * time.Second

// ServeHTTP answers one call.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Date", a.now().UTC().Format(http.TimeFormat)) // by the clock of the times in answers, which tests move
	// ServeMux would answer other spellings of a path with a redirect to it.
	if path.Clean(r.URL.Path) != r.URL.Path {
		refuse(w, r, errNoRoute)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// handler answers the calls of a route.
func (a *API) handler(route route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		accesslog.From(r.Context()).Operation = "desk." + route.name
		out, err := a.call(r, route)
		if err == nil {
			err = answer(w, r, out)
		}
		if err != nil {
			refuse(w, r, err)
		}
	}
}

// call is the order of examination: who asks, how often, may they; only then is
// the body read.
func (a *API) call(r *http.Request, route route) (out any, err error) {
	// Nothing is written yet: a panic is an internal error like others.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	who, err := a.admit(r, route)
	if err != nil {
		return nil, err
	}
	var body []byte
	if !isRead(r) {
		if who.IfVersion, err = ifVersion(r.Header); err != nil {
			return nil, err
		}
		var release func()
		if body, release, err = a.readBody(r, route.operation, who.Agent.ID); err != nil {
			return nil, err
		}
		defer release()
		if who.Once, err = repeatable(r, body); err != nil {
			return nil, err
		}
	}
	// Not before: how long a body takes is up to the client and its connection.
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	record := accesslog.From(ctx)
	record.Account = accountOf(r.PathValue("case"))
	out, err = route.run(ctx, who, r, body)
	if known, ok := out.(interface{ account() string }); ok && err == nil {
		record.Account = known.account()
	}
	return out, err
}

// admit finds out who calls and whether they may.
func (a *API) admit(r *http.Request, route route) (desk.Caller, error) {
	if route.need == public {
		return desk.Caller{}, nil
	}
	token, ok := bearer(r.Header)
	if !ok {
		return desk.Caller{}, errNoToken
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	who, err := a.desk.Authenticate(ctx, token)
	if err != nil {
		return desk.Caller{}, err
	}
	record := accesslog.From(ctx)
	record.Principal, who.RequestID = "agent:"+who.Agent.ID, record.RequestID
	if err := a.limits.admit(who.TokenID); err != nil {
		return desk.Caller{}, err
	}
	if route.need != everyAgent && !who.May(route.need) {
		return desk.Caller{}, desk.ErrDenied.With("This needs the permission %q.", route.need)
	}
	return who, nil
}

// bearer returns the token of a request. Of two headers nobody knows which one a
// proxy in between has looked at.
func bearer(header http.Header) (token string, ok bool) {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && isVisible(token)
}

// setChallenge says with a refusal what the caller can do about it.
func setChallenge(header http.Header, told problem, err error) {
	switch told.Status {
	case http.StatusUnauthorized:
		challenge := `Bearer realm="supportd desk"`
		if told.Code != errNoToken.Code { // RFC 6750, section 3.1
			challenge += `, error="invalid_token"`
		}
		header.Set("WWW-Authenticate", challenge)
	case http.StatusTooManyRequests:
		header.Set("Retry-After", retryAfter(err))
	}
}

// unknown answers what no route does: 405 where the path knows other methods.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(probe); strings.Contains(pattern, " ") {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 || slices.Contains(allowed, r.Method) {
		refuse(w, r, errNoRoute)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	refuse(w, r, errMethod)
}

func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away has no use for an error
}
