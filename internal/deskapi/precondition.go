package deskapi

import (
	"crypto/sha256"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/supportd/supportd/internal/desk"
)

// An entity tag is the version of what is answered: "v12". Version 0 is of what
// has never been written, such as settings that are still the default ones.

func etag(version int64) string { return `"v` + strconv.FormatInt(version, 10) + `"` }

// versioned is an answer that has an entity tag.
type versioned interface{ version() int64 }

// entityTag is a strong one (RFC 9110, section 8.8.3).
var entityTag = regexp.MustCompile(`^"[!#-~\x80-\xff]*"$`)

// ifVersion returns the version that a change wants to find, 0 when it does not
// say. A tag that no answer ever had fits nothing; what is no tag, or a weak one,
// which fits nothing ever, is a mistake of the caller.
func ifVersion(header http.Header) (int64, error) {
	values := header.Values("If-Match")
	if len(values) == 0 {
		return 0, nil
	}
	text := strings.TrimSpace(strings.Join(values, ","))
	if text == "*" {
		return desk.AnyVersion, nil
	}
	if !entityTag.MatchString(text) {
		return 0, errIfMatch
	}
	inner, _ := strings.CutPrefix(strings.Trim(text, `"`), "v")
	version, err := strconv.ParseInt(inner, 10, 64)
	if err != nil || version < 0 || etag(version) != text {
		return 0, desk.ErrChanged.With("If-Match %.100s is no entity tag of this resource.", text)
	}
	if version == 0 {
		return desk.NoVersion, nil
	}
	return version, nil
}

// isKnown reports whether the caller has this version already.
func isKnown(header http.Header, version int64) bool {
	for _, value := range header.Values("If-None-Match") {
		for tag := range strings.SplitSeq(value, ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" || strings.TrimPrefix(tag, "W/") == etag(version) {
				return true
			}
		}
	}
	return false
}

// repeatable returns what makes the request the same as an earlier one.
func repeatable(r *http.Request, body []byte) (desk.Repeatable, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return desk.Repeatable{}, nil
	}
	if len(keys) > 1 || !isKey(keys[0]) {
		return desk.Repeatable{}, errKey
	}
	request := slices.Concat([]byte(r.Method+" "+r.URL.EscapedPath()+"\n"), body)
	return desk.Repeatable{Key: keys[0], Hash: sha256.Sum256(request)}, nil
}

func isKey(key string) bool {
	const most = 255
	return isVisible(key) && len(key) <= most
}

// isVisible reports whether a text consists of visible ASCII characters.
func isVisible(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < '!' || r > '~' })
}
