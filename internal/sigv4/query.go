package sigv4

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

type param struct{ name, value string }

// parseQuery decodes a query by hand: url.ParseQuery drops pairs with a
// semicolon, and a signature covers every byte.
func parseQuery(raw string) ([]param, error) {
	var params []param
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		decodedName, errName := url.QueryUnescape(name)
		decodedValue, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			return nil, incomplete("Query string has a malformed percent escape: '%s'. Re-examine the query-string parameters.", pair)
		}
		params = append(params, param{decodedName, decodedValue})
	}
	return params, nil
}

// canonicalQuery encodes every name and value anew and sorts by name, then by
// value, after encoding. A presigned request cannot sign its own signature.
func canonicalQuery(raw string, presigned bool) (string, error) {
	if raw == "" {
		return "", nil
	}
	params, err := parseQuery(raw)
	if err != nil {
		return "", err
	}
	if presigned {
		params = slices.DeleteFunc(params, func(p param) bool { return p.name == paramSignature })
	}
	for i, p := range params {
		params[i] = param{encode(p.name, ""), encode(p.value, "")}
	}
	slices.SortFunc(params, func(a, b param) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
	})
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = p.name + "=" + p.value
	}
	return strings.Join(pairs, "&"), nil
}
