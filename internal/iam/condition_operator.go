package iam

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// compiler turns one value of the policy into an operand.
type compiler func(text string, s scope) (operand, error)

// scope is what an operand must know of its statement.
type scope struct {
	variables      bool
	unknownMatches bool // what a variable without a value answers, or a value that cannot be read
}

// operatorNamed returns how an operator compares and whether it negates; the
// name is in lower case. See "IAM JSON policy elements: Condition operators".
func operatorNamed(name string) (compile compiler, negated bool) {
	switch name {
	case "stringequals":
		return compileString(equalText), false
	case "stringnotequals":
		return compileString(equalText), true
	case "stringequalsignorecase":
		return compileString(strings.EqualFold), false
	case "stringnotequalsignorecase":
		return compileString(strings.EqualFold), true
	case "stringlike":
		return compileLike, false
	case "stringnotlike":
		return compileLike, true
	case "arnequals", "arnlike":
		return compileARN, false
	case "arnnotequals", "arnnotlike":
		return compileARN, true
	case "numericequals":
		return compileNumber(equal), false
	case "numericnotequals":
		return compileNumber(equal), true
	case "numericlessthan":
		return compileNumber(less), false
	case "numericlessthanequals":
		return compileNumber(atMost), false
	case "numericgreaterthan":
		return compileNumber(greater), false
	case "numericgreaterthanequals":
		return compileNumber(atLeast), false
	case "dateequals":
		return compileDate(equal), false
	case "datenotequals":
		return compileDate(equal), true
	case "datelessthan":
		return compileDate(less), false
	case "datelessthanequals":
		return compileDate(atMost), false
	case "dategreaterthan":
		return compileDate(greater), false
	case "dategreaterthanequals":
		return compileDate(atLeast), false
	case "bool":
		return compileBool, false
	case "binaryequals":
		return compileBinary, false
	case "ipaddress":
		return compileIP, false
	case "notipaddress":
		return compileIP, true
	}
	return nil, false
}

func equalText(a, b string) bool { return a == b }

func equal(order int) bool   { return order == 0 }
func less(order int) bool    { return order < 0 }
func atMost(order int) bool  { return order <= 0 }
func greater(order int) bool { return order > 0 }
func atLeast(order int) bool { return order >= 0 }

func compileString(same func(a, b string) bool) compiler {
	return func(text string, s scope) (operand, error) {
		t, err := parseTemplate(text, syntax{variables: s.variables})
		return func(value string, ctx Context) bool {
			want, known := t.resolve(ctx)
			return known && same(want, value) || !known && s.unknownMatches
		}, err
	}
}

func compileLike(text string, s scope) (operand, error) {
	t, err := parseTemplate(text, syntax{variables: s.variables, wildcards: true})
	return func(value string, ctx Context) bool {
		pattern, known := t.resolve(ctx)
		return known && glob(pattern).match(value) || !known && s.unknownMatches
	}, err
}

// compileARN compares each of the six components by itself, so that a wildcard
// does not reach across a colon; only the last component may contain colons.
func compileARN(text string, s scope) (operand, error) {
	t, err := parseTemplate(text, syntax{variables: s.variables, wildcards: true})
	if err != nil {
		return nil, err
	}
	components := t.split(":", 6)
	if len(components) != 6 || !strings.HasPrefix(text, "arn:") {
		return nil, errors.New("not an ARN of six components, arn:partition:service:region:account:resource")
	}
	return func(value string, ctx Context) bool {
		if !t.known(ctx) {
			return s.unknownMatches
		}
		for i, component := range components {
			pattern, _ := component.resolve(ctx)
			have, rest, found := value, "", true
			if i < len(components)-1 {
				have, rest, found = strings.Cut(value, ":")
			}
			if !found || !glob(pattern).match(have) {
				return false
			}
			value = rest
		}
		return true
	}, nil
}

func compileNumber(accept func(order int) bool) compiler {
	return func(text string, s scope) (operand, error) {
		want, err := parseNumber(text)
		return func(value string, _ Context) bool {
			have, err := parseNumber(value)
			return err == nil && accept(cmp.Compare(have, want)) || err != nil && s.unknownMatches
		}, err
	}
}

// parseNumber refuses what ParseFloat takes besides decimal numbers: infinity,
// hexadecimal digits, underscores.
func parseNumber(text string) (float64, error) {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, errors.New("not a number")
	}
	return number, nil
}

func compileDate(accept func(order int) bool) compiler {
	return func(text string, s scope) (operand, error) {
		want, err := parseDate(text)
		return func(value string, _ Context) bool {
			have, err := parseDate(value)
			return err == nil && accept(have.Compare(want)) || err != nil && s.unknownMatches
		}, err
	}
}

// parseDate reads the forms of the W3C note on ISO 8601 and seconds since 1970;
// four digits are a year. A date without a time begins at midnight UTC.
func parseDate(text string) (time.Time, error) {
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01", "2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 48)
	if err != nil {
		return time.Time{}, errors.New("not a date: 2006-01-02, 2006-01-02T15:04:05Z or seconds since 1970")
	}
	return time.Unix(seconds, 0), nil
}

func compileBool(text string, _ scope) (operand, error) {
	if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
		return nil, errors.New("neither true nor false")
	}
	return func(value string, _ Context) bool { return strings.EqualFold(value, text) }, nil
}

func compileBinary(text string, _ scope) (operand, error) {
	want, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("not base64")
	}
	return func(value string, _ Context) bool { return value == string(want) }, nil
}

func compileIP(text string, s scope) (operand, error) {
	network, err := parseNetwork(text)
	return func(value string, _ Context) bool {
		address, err := netip.ParseAddr(value)
		return err == nil && network.Contains(address.Unmap().WithZone("")) || err != nil && s.unknownMatches
	}, err
}

// parseNetwork reads CIDR, or a single address. An IPv4 network written in IPv6
// is the IPv4 network, as addresses of callers are.
func parseNetwork(text string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(text)
	if address, single := netip.ParseAddr(text); single == nil && address.Zone() == "" {
		network, err = netip.PrefixFrom(address, address.BitLen()), nil
	}
	if err != nil {
		return netip.Prefix{}, errors.New("neither an IP address nor a network such as 203.0.113.0/24")
	}
	if network.Addr().Is4In6() && network.Bits() >= 96 {
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-96)
	}
	return network, nil
}
