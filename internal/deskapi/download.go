package deskapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/supportd/supportd/internal/cases"
)

// download is the content of a file that somebody sent: whatever it is, a browser
// must save it and not look into it.
type download struct{ cases.File }

func (d *download) serve(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Disposition", disposition(d.Name))
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	send(w, http.StatusOK, "application/octet-stream", d.Data)
}

// disposition names the file in ASCII for old clients and in UTF-8 for others
// (RFC 6266, section 5; RFC 8187).
func disposition(name string) string {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\/%`, r) {
			return '_'
		}
		return r
	}, name)
	value := `attachment; filename="` + ascii + `"`
	if ascii == name {
		return value
	}
	// PathEscape leaves some characters that RFC 8187, section 3.2.1 does not.
	encoded := strings.NewReplacer(":", "%3A", "=", "%3D", "@", "%40").Replace(url.PathEscape(name))
	return value + "; filename*=UTF-8''" + encoded
}
