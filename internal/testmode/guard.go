package testmode

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/supportd/supportd/internal/fault"
)

var errBrowser = fault.New(fault.Denied, "browser", "this is not for browsers")

// noBrowsers refuses what web pages can have a browser send: requests of other
// origins, which carry the header Origin, and requests to a name of theirs that
// leads here by now (DNS rebinding).
func noBrowsers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" {
			writeProblem(w, errBrowser.With("This API is not for browsers: the request has the header Origin: %s.", origin))
			return
		}
		if !ownName(r) {
			writeProblem(w, errBrowser.With("This server is not %q: ask it by its address, or as localhost.", r.Host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ownName reports whether the request names this server in a way that nobody else
// can make lead here. Which port it names does not matter: containers publish
// theirs as others.
func ownName(r *http.Request) bool {
	name := r.Host
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.IsLoopback() || !onLoopback(r)
	}
	return !onLoopback(r) && isPrivateName(name)
}

// isPrivateName reports whether the name is one of a network of the operator's
// own, such as that of a container: without a dot, or under a domain that public
// name servers do not have.
func isPrivateName(name string) bool {
	return name != "" && !strings.Contains(name, ".") ||
		strings.HasSuffix(name, ".internal") || strings.HasSuffix(name, ".local")
}

// onLoopback reports whether the request came over the loopback interface.
func onLoopback(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return true
	}
	at, err := netip.ParseAddrPort(addr.String())
	return err != nil || at.Addr().Unmap().IsLoopback()
}
