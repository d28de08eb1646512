package desk

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/supportd/supportd/internal/cases"
)

// ApplyMacro does what a macro says: its reply, note, tags and status, all or
// nothing. Its texts may have the variables case.displayId, case.subject,
// agent.name and account.name, and those that are given, which replace none of
// these.
func (s *Service) ApplyMacro(ctx context.Context, who Caller, ref, macro string, variables map[string]string) (Replied, error) {
	key, err := s.key(ctx, who, Work, ref)
	if err != nil {
		return Replied{}, err
	}
	account, err := s.IAM.Account(ctx, key.Account)
	if err != nil {
		return Replied{}, err
	}
	return work(ctx, s, who, key, "case.macro", func(t *task) (Replied, error) {
		m, err := readDocument[Macro](ctx, t.tx, macro)
		if err != nil {
			return Replied{}, err
		}
		if m, err = m.filledIn(t.variables(account.Name, variables)); err != nil {
			return Replied{}, err
		}
		number, err := t.apply(ctx, m)
		if err != nil {
			return Replied{}, err
		}
		return t.replied(ctx, number)
	})
}

func (t *task) variables(account string, given map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, given)
	all["case.displayId"], all["case.subject"] = t.item.DisplayID, t.item.Subject
	all["agent.name"], all["account.name"] = t.who.Agent.Name, account
	return all
}

func (t *task) apply(ctx context.Context, m Macro) (number int64, err error) {
	if m.Note != "" {
		if err := t.note(ctx, m.Note); err != nil {
			return 0, err
		}
	}
	if err := t.tag(ctx, m.AddTags, nil); err != nil {
		return 0, err
	}
	if m.Body != "" {
		return t.reply(ctx, NewReply{Body: m.Body, Status: m.Status}, "")
	}
	if m.Status == "" || m.Status == keepStatus {
		return 0, nil
	}
	return 0, t.moveTo(ctx, cases.Status(m.Status))
}

// filledIn returns the macro with its variables replaced.
func (m Macro) filledIn(variables map[string]string) (Macro, error) {
	f := filling{variables: variables, room: maxFilledIn}
	m.Body, m.Note = f.in(m.Body), f.in(m.Note)
	if len(f.unknown) > 0 {
		slices.Sort(f.unknown)
		return m, ErrInvalid.With("The macro %s has variables without a value: %s.", m.ID, strings.Join(slices.Compact(f.unknown), ", "))
	}
	if f.room < 0 {
		return m, ErrInvalid.With("The values make the texts of the macro %s too long.", m.ID)
	}
	return m, nil
}

// maxFilledIn is how many bytes the values in a macro have at most, which is more
// than a reply and a note may have: a large value that stands in many places is
// not to be written out before it is refused.
const maxFilledIn = utf8.UTFMax * (maxReply + maxNote)

// filling replaces the variables of texts.
type filling struct {
	variables map[string]string
	unknown   []string // variables without a value
	room      int      // for values; less than none: they are left out
}

var variable = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// in replaces variables in one pass: what a value has between braces is text,
// since customers choose some of the values.
func (f *filling) in(text string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.TrimSpace(found[2 : len(found)-2])
		value, ok := f.variables[name]
		if !ok {
			f.unknown = append(f.unknown, name)
		}
		if f.room -= len(value); f.room < 0 {
			return ""
		}
		return value
	})
}
