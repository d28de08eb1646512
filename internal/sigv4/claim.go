package sigv4

import (
	"net/http"
	"strings"
)

// claim is what a request says about its signature, in its own words.
type claim struct {
	algorithm     string
	credential    string
	signature     string
	signedHeaders string
	token         string
	date          date
	presigned     bool
	expires       *string // nil where the request does not say
}

// The query parameters of the presigned form, in the order in which the real
// service names those that are missing.
const (
	paramAlgorithm     = "X-Amz-Algorithm"
	paramCredential    = "X-Amz-Credential"
	paramSignature     = "X-Amz-Signature"
	paramSignedHeaders = "X-Amz-SignedHeaders"
	paramDate          = "X-Amz-Date"
	paramExpires       = "X-Amz-Expires"
	paramToken         = "X-Amz-Security-Token"
)

func claimOf(r *http.Request) (claim, error) {
	params, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return claim{}, err
	}
	authorization := r.Header.Values("Authorization")
	found := formParam(params)
	switch {
	case found != "" && len(authorization) > 0:
		return claim{}, invalid("Found both '%s' as a query-string param and 'Authorization' as HTTP header.", found)
	case found != "":
		return queryClaim(params)
	case len(authorization) > 1:
		return claim{}, incomplete("Authorization header must appear only once. Authorization=%s", strings.Join(authorization, ","))
	case len(authorization) == 0 || strings.TrimSpace(authorization[0]) == "":
		return claim{}, &Error{Kind: MissingToken, Message: "Missing Authentication Token"}
	}
	return headerClaim(r.Header)
}

// formParam returns the first parameter that makes a request presigned, or "".
// X-Amz-Date and the rest do not: a request signed in its header may have them.
func formParam(params []param) string {
	for _, name := range []string{paramAlgorithm, paramCredential, paramSignature, paramSignedHeaders} {
		for _, p := range params {
			if p.name == name {
				return name
			}
		}
	}
	return ""
}

func queryClaim(params []param) (claim, error) {
	values, err := authValues(params)
	if err != nil {
		return claim{}, err
	}
	var missing strings.Builder
	for _, name := range []string{paramAlgorithm, paramCredential, paramSignature, paramSignedHeaders, paramDate} {
		if values[name] == "" {
			missing.WriteString("AWS query-string parameters must include '" + name + "'. ")
		}
	}
	if missing.Len() > 0 {
		return claim{}, incomplete("%sRe-examine the query-string parameters.", missing.String())
	}
	c := claim{
		algorithm:     values[paramAlgorithm],
		credential:    values[paramCredential],
		signature:     values[paramSignature],
		signedHeaders: values[paramSignedHeaders],
		token:         values[paramToken],
		date:          date{text: values[paramDate]},
		presigned:     true,
	}
	if expires, ok := values[paramExpires]; ok {
		c.expires = &expires
	}
	return c, nil
}

// authValues picks the parameters of the signature out of a query. One that
// appears twice is refused: two readers could choose differently.
func authValues(params []param) (map[string]string, error) {
	values := make(map[string]string)
	for _, p := range params {
		switch p.name {
		case paramAlgorithm, paramCredential, paramSignature, paramSignedHeaders, paramDate, paramExpires, paramToken:
			if _, seen := values[p.name]; seen {
				return nil, incomplete("AWS query-string parameters must include '%s' only once. Re-examine the query-string parameters.", p.name)
			}
			values[p.name] = p.value
		}
	}
	return values, nil
}

func headerClaim(h http.Header) (claim, error) {
	authorization := h.Get("Authorization")
	scheme, rest, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	if scheme != algorithm {
		rest = "" // another scheme's parameters are not ours, whatever their names
	}
	fields, err := authorizationFields(rest, authorization)
	if err != nil {
		return claim{}, err
	}
	when := headerDate(h)
	var missing strings.Builder
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields[name] == "" {
			missing.WriteString("Authorization header requires '" + name + "' parameter. ")
		}
	}
	if when.text == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		return claim{}, incomplete("%sAuthorization=%s", missing.String(), authorization)
	}
	return claim{
		algorithm:     scheme,
		credential:    fields["Credential"],
		signature:     fields["Signature"],
		signedHeaders: fields["SignedHeaders"],
		token:         strings.Join(h.Values(paramToken), ","),
		date:          when,
	}, nil
}

// authorizationFields reads "Credential=…, SignedHeaders=…, Signature=…". The
// real service takes commas and blanks as separators and passes over names it
// does not know.
func authorizationFields(rest, header string) (map[string]string, error) {
	fields := make(map[string]string, 3)
	for field := range strings.FieldsFuncSeq(rest, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' }) {
		name, value, ok := strings.Cut(field, "=")
		if !ok {
			return nil, incomplete("'%s' not a valid key=value pair (missing equal-sign) in Authorization header: '%s'.", field, header)
		}
		if _, seen := fields[name]; seen {
			return nil, incomplete("Authorization header requires '%s' parameter only once. Authorization=%s", name, header)
		}
		fields[name] = value
	}
	return fields, nil
}
