package sigv4

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// canonicalRequest is step 1 of "Create a signed AWS API request".
func canonicalRequest(sig *Signature, r *http.Request, bodyHash [32]byte) (string, error) {
	query, err := canonicalQuery(r.URL.RawQuery, sig.Presigned)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.Grow(512)
	b.WriteString(r.Method + "\n" + canonicalPath(r.URL) + "\n" + query + "\n")
	for _, name := range sig.SignedHeaders {
		b.WriteString(name)
		b.WriteByte(':')
		b.WriteString(headerValue(r, name))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(strings.Join(sig.SignedHeaders, ";"))
	b.WriteByte('\n')
	b.WriteString(hex.EncodeToString(bodyHash[:]))
	return b.String(), nil
}

// canonicalPath follows the rules for services other than S3: dot segments and
// repeated slashes are removed and what was on the wire is encoded once more.
func canonicalPath(u *url.URL) string {
	wire := wirePath(u)
	clean := path.Clean("/" + wire)
	if strings.HasSuffix(wire, "/") && clean != "/" {
		clean += "/"
	}
	return encode(clean, "/")
}

// wirePath is the path as the client wrote it. URL.EscapedPath alone would
// encode bytes that came unencoded, such as raw UTF-8, which the client's own
// canonical request has encoded once and not twice.
func wirePath(u *url.URL) string {
	if decoded, err := url.PathUnescape(u.RawPath); err == nil && u.RawPath != "" && decoded == u.Path {
		return u.RawPath
	}
	return u.EscapedPath()
}

// headerValue is empty for a header that the request does not have.
func headerValue(r *http.Request, name string) string {
	if name == "host" {
		return collapse(r.Host)
	}
	values := r.Header.Values(name)
	if len(values) == 0 && name == "content-length" && r.ContentLength >= 0 {
		return strconv.FormatInt(r.ContentLength, 10)
	}
	if len(values) == 1 {
		return collapse(values[0])
	}
	collapsed := make([]string, len(values))
	for i, value := range values {
		collapsed[i] = collapse(value)
	}
	return strings.Join(collapsed, ",")
}

// collapse trims a value and leaves one blank of every run of them. Only ASCII
// blanks count, and a line break cannot start a line of its own.
func collapse(value string) string {
	return strings.Join(strings.FieldsFunc(value, isBlank), " ")
}

func isBlank(c rune) bool {
	return c == ' ' || '\t' <= c && c <= '\r'
}

// encode is UriEncode of the guide: everything but the unreserved characters of
// RFC 3986 and those in keep becomes %XX with upper-case digits.
func encode(s, keep string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		c := s[i]
		if unreserved(c) || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}
