package desk

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const maxTags, maxTagLength = 20, 50

// Tag adds and removes tags. They are compared in lower case and with hyphens
// for spaces; a case has at most 20.
func (s *Service) Tag(ctx context.Context, who Caller, ref string, add, remove []string) (Item, error) {
	return s.workOn(ctx, who, ref, "case.tag", func(t *task) error { return t.tag(ctx, add, remove) })
}

func (t *task) tag(ctx context.Context, add, remove []string) error {
	add, err := checkTags(add)
	if err != nil {
		return err
	}
	var gone []string
	for _, tag := range remove {
		gone = append(gone, foldTag(tag))
	}
	before := t.item.Tags
	after := slices.DeleteFunc(slices.Concat(before, add), func(tag string) bool { return slices.Contains(gone, tag) })
	slices.Sort(after)
	after = slices.Compact(after)
	if len(after) > maxTags {
		return ErrInvalid.With("A case has at most %d tags.", maxTags)
	}
	detail := tagged{Added: without(after, before), Removed: without(before, after)}
	if len(detail.Added)+len(detail.Removed) == 0 {
		return nil
	}
	if err := t.checkRecords(); err != nil {
		return err
	}
	t.item.Tags = after
	return t.did(ctx, eventTagged, detail)
}

// checkTags returns tags as they are compared.
func checkTags(tags []string) (folded []string, err error) {
	for _, tag := range tags {
		f := foldTag(tag)
		if n := utf8.RuneCountInString(f); n == 0 || n > maxTagLength || !utf8.ValidString(tag) {
			return nil, ErrInvalid.With("A tag has 1 to %d characters in UTF-8; %q has %d.", maxTagLength, tag, n)
		}
		if strings.ContainsFunc(f, isUnfitForTag) {
			return nil, ErrInvalid.With("The tag %q may not contain commas, control or invisible characters.", tag)
		}
		folded = append(folded, f)
	}
	return folded, nil
}

func foldTag(tag string) string {
	return norm.NFC.String(strings.ToLower(strings.Join(strings.Fields(norm.NFKC.String(tag)), "-")))
}

func isUnfitForTag(r rune) bool {
	return r == ',' || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// without returns what is in a and not in b.
func without(a, b []string) (rest []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			rest = append(rest, s)
		}
	}
	return rest
}
