package cases_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
)

// world is what customers may expect of the service by its documentation, kept
// as naively as can be: everything that ever was, in lists. It invents no ids,
// it is told those of the service.
type world struct {
	now    time.Time
	limits cases.Limits
	months int // of retention
	cases  []*knownCase
	sets   []*knownSet
	// answers are the first ones of requests with a key.
	answers map[answerKey]firstAnswer
}

// knownCase is a case with all that was said and done.
type knownCase struct {
	cases.Case
	said  []cases.Communication
	moves []cases.Move
	gone  bool
}

// knownSet is an attachment set with its files.
type knownSet struct {
	cases.AttachmentSet
	files    []cases.Attachment
	contents [][]byte
	gone     bool
}

type answerKey struct {
	account string
	key     cases.RequestKey
}

type firstAnswer struct {
	at    time.Time
	value any
}

func newWorld(now time.Time) *world {
	return &world{now: now, months: 12, answers: map[answerKey]firstAnswer{}}
}

// end returns when a case stops being available: on the same day so many months
// later or, when that month has no such day, when the month is over.
func (w *world) end(c *knownCase) time.Time {
	y, m, d := c.CreatedAt.Date()
	sinceMidnight := c.CreatedAt.Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
	first := time.Date(y, m+time.Month(w.months), 1, 0, 0, 0, 0, time.UTC)
	end := first.AddDate(0, 0, d-1)
	if end.Month() != first.Month() {
		return first.AddDate(0, 1, 0)
	}
	return end.Add(sinceMidnight)
}

// caseOf returns an available case of the account, nil when it has none such.
func (w *world) caseOf(account, id string) *knownCase {
	for _, c := range w.cases {
		if c.Account == account && c.ID == id && w.now.Before(w.end(c)) {
			return c
		}
	}
	return nil
}

// allOf returns the available cases of an account, oldest first.
func (w *world) allOf(account string) (all []*knownCase) {
	for _, c := range w.cases {
		if c.Account == account && w.now.Before(w.end(c)) {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *knownCase) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	})
	return all
}

func (w *world) set(account, id string) *knownSet {
	for _, s := range w.sets {
		if s.Account == account && s.ID == id && !s.gone {
			return s
		}
	}
	return nil
}

// answered returns the first answer of a request, if it is remembered.
func (w *world) answered(who iam.Identity, key cases.RequestKey) (value any, ok bool) {
	a, ok := w.answers[answerKey{who.Account, key}]
	return a.value, ok
}

func (w *world) remember(who iam.Identity, key cases.RequestKey, value any) {
	if key != unrepeated() {
		w.answers[answerKey{who.Account, key}] = firstAnswer{w.now, value}
	}
}

// The following name the faults that a request may be refused with. The
// documentation does not say which one comes first.

func (w *world) refusalsOfCreate(who iam.Identity, in cases.NewCase) (codes []string) {
	codes = append(codes, refusalsOfSubject(who, in)...)
	codes = append(codes, refusalsOfText(in.Body, nil, in.CCEmailAddresses)...)
	if in.AttachmentSetID != "" {
		codes = append(codes, w.refusalsOfSet(who, in.AttachmentSetID, 0)...)
	}
	recent := 0
	for _, c := range w.cases {
		if c.Account == who.Account && c.CreatedAt.After(w.now.Add(-time.Hour)) {
			recent++
		}
	}
	if most := w.limits.CasesPerHour; most > 0 && recent >= most {
		codes = append(codes, "case_creation_limit")
	}
	return codes
}

// refusalsOfSubject knows the services of the catalogue that the machine asks
// for.
func refusalsOfSubject(who iam.Identity, in cases.NewCase) (codes []string) {
	categories := map[string][]string{
		"":                            {"", "using-aws", "charges"},
		"general-info":                {"", "using-aws", "charges"},
		"alexa-services":              {"", "apis", "general-guidance"},
		"service-quicksight-end-user": {"", "end-user-support"},
	}
	known, ok := categories[in.ServiceCode]
	switch {
	case !ok:
		codes = append(codes, "unknown_service")
	case !slices.Contains(known, in.CategoryCode):
		codes = append(codes, "unknown_category")
	}
	if !slices.Contains([]string{"", "technical", "customer-service", "service-limit-increase"}, in.IssueType) {
		codes = append(codes, "unknown_issue_type")
	}
	if !slices.Contains([]string{"", "en", "ja", "zh", "ko"}, in.Language) {
		codes = append(codes, "unknown_language")
	}
	severities := map[string][]string{
		"developer":  {"", "low", "normal"},
		"business":   {"", "low", "normal", "high", "urgent"},
		"enterprise": {"", "low", "normal", "high", "urgent", "critical"},
	}
	if !slices.Contains(severities[who.Plan.ID], in.SeverityCode) {
		codes = append(codes, "unknown_severity")
	}
	if strings.ContainsFunc(in.Subject, unicode.IsControl) {
		codes = append(codes, "invalid_text")
	}
	return codes
}

func refusalsOfText(body string, have, added []string) (codes []string) {
	if strings.Contains(body, "\x00") {
		codes = append(codes, "invalid_text")
	}
	for _, address := range added {
		if a, err := mail.ParseAddress("<" + address + ">"); err != nil || a.Address != address {
			codes = append(codes, "invalid_address")
		}
	}
	if len(distinct(have, added)) > 10 {
		codes = append(codes, "too_many_cc_addresses")
	}
	return codes
}

func distinct(lists ...[]string) (all []string) {
	for _, text := range slices.Concat(lists...) {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// refusalsOfSet are those of putting n more files into a set, or of giving it
// to a communication.
func (w *world) refusalsOfSet(who iam.Identity, id string, n int) (codes []string) {
	s := w.set(who.Account, id)
	if s == nil || !s.UsedAt.IsZero() {
		return []string{"attachment_set_not_found"}
	}
	if !w.now.Before(s.ExpiresAt) {
		codes = append(codes, "attachment_set_expired")
	}
	if len(s.files)+n > 3 {
		codes = append(codes, "attachment_set_size_limit")
	}
	return codes
}

func (w *world) refusalsOfFiles(who iam.Identity, setID string, files []cases.File) (codes []string) {
	if len(files) == 0 {
		codes = append(codes, "no_files")
	}
	if len(files) > 3 {
		codes = append(codes, "attachment_set_size_limit")
	}
	for _, f := range files {
		if f.Name == "" || strings.Contains(f.Name, "/") {
			codes = append(codes, "invalid_file_name")
		}
	}
	if setID != "" {
		return append(codes, w.refusalsOfSet(who, setID, len(files))...)
	}
	recent := 0
	for _, s := range w.sets {
		if s.Account == who.Account && s.CreatedAt.After(w.now.Add(-10*time.Minute)) {
			recent++
		}
	}
	if most := w.limits.AttachmentSetsPer10m; most > 0 && recent >= most {
		codes = append(codes, "attachment_limit")
	}
	return codes
}

func (w *world) refusalsOfCommunication(who iam.Identity, in cases.NewCommunication) (codes []string) {
	c := w.caseOf(who.Account, in.CaseID)
	if c == nil {
		return append(refusalsOfText(in.Body, nil, in.CCEmailAddresses), "case_not_found")
	}
	codes = refusalsOfText(in.Body, c.CCEmailAddresses, in.CCEmailAddresses)
	if c.Status == cases.Resolved && w.now.After(c.ResolvedAt.Add(14*24*time.Hour)) {
		codes = append(codes, "reopen_window_over")
	}
	if in.AttachmentSetID != "" {
		codes = append(codes, w.refusalsOfSet(who, in.AttachmentSetID, 0)...)
	}
	return codes
}

// The following are what the requests do that are not refused.

func (w *world) create(who iam.Identity, in cases.NewCase, id string) *knownCase {
	c := &knownCase{Case: cases.Case{
		Account: who.Account, ID: id, Subject: in.Subject, Status: cases.Unassigned,
		ServiceCode: in.ServiceCode, CategoryCode: in.CategoryCode,
		SeverityCode: cmp.Or(in.SeverityCode, "low"), IssueType: cmp.Or(in.IssueType, "technical"), Language: cmp.Or(in.Language, "en"),
		SubmittedBy: who.Email, CCEmailAddresses: distinct(in.CCEmailAddresses), CreatedAt: w.now,
	}}
	general := map[string]string{
		"general-info": "using-aws", "alexa-services": "general-guidance", "service-quicksight-end-user": "end-user-support",
	}
	c.ServiceCode = cmp.Or(c.ServiceCode, "general-info")
	c.CategoryCode = cmp.Or(c.CategoryCode, general[c.ServiceCode])
	w.cases = append(w.cases, c)
	w.say(who, c, in.Body, in.AttachmentSetID)
	return c
}

// say adds a communication with the files of a set.
func (w *world) say(who iam.Identity, c *knownCase, body, setID string) {
	c.Communications++
	said := cases.Communication{
		Account: c.Account, CaseID: c.ID, Number: c.Communications, Body: body, SubmittedBy: signature(who), CreatedAt: w.now,
	}
	if s := w.set(who.Account, setID); s != nil {
		s.UsedAt = w.now
		for i := range s.files {
			s.files[i].CaseID, s.files[i].Communication = c.ID, c.Communications
		}
		said.Attachments = slices.Clone(s.files)
	}
	c.said = append(c.said, said)
}

func signature(who iam.Identity) string {
	switch who.Kind {
	case iam.User:
		return who.Name + " (IAM) <" + who.Email + ">"
	case iam.Role:
		return who.Name + " (Role) <" + who.Email + ">"
	}
	return who.Email
}

func (w *world) communicate(who iam.Identity, in cases.NewCommunication) {
	c := w.caseOf(who.Account, in.CaseID)
	switch c.Status {
	case cases.Resolved:
		w.move(c, cases.CustomerReply, cases.Reopened, who)
	case cases.PendingCustomerAction:
		w.move(c, cases.CustomerReply, cases.CustomerActionCompleted, who)
	}
	c.CCEmailAddresses = distinct(c.CCEmailAddresses, in.CCEmailAddresses)
	w.say(who, c, in.Body, in.AttachmentSetID)
}

func (w *world) resolve(who iam.Identity, id string) cases.Resolution {
	c := w.caseOf(who.Account, id)
	before := c.Status
	if before != cases.Resolved {
		w.move(c, cases.Resolve, cases.Resolved, who)
		c.ResolvedAt = w.now
	}
	return cases.Resolution{Initial: before, Final: cases.Resolved}
}

func (w *world) move(c *knownCase, event cases.Event, to cases.Status, who iam.Identity) {
	c.Moves++
	c.moves = append(c.moves, cases.Move{
		Account: c.Account, CaseID: c.ID, Number: c.Moves, Event: event, From: c.Status, To: to, Actor: who.ARN(), At: w.now,
	})
	c.Status = to
}

// addFiles puts files with the ids into a set, which is made when it is new.
func (w *world) addFiles(who iam.Identity, setID string, files []cases.File, fileIDs []string) cases.AttachmentSet {
	s := w.set(who.Account, setID)
	if s == nil {
		s = &knownSet{AttachmentSet: cases.AttachmentSet{Account: who.Account, ID: setID, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}}
		w.sets = append(w.sets, s)
	}
	for i, f := range files {
		s.Files++
		sum := sha256.Sum256(f.Data)
		s.files = append(s.files, cases.Attachment{
			Account: s.Account, ID: fileIDs[i], SetID: s.ID, Position: s.Files, FileName: f.Name,
			Size: int64(len(f.Data)), SHA256: hex.EncodeToString(sum[:]),
		})
		s.contents = append(s.contents, f.Data)
	}
	return s.AttachmentSet
}

// purge forgets cases that are not available any more, sets a day after they
// expired and answers after a day.
func (w *world) purge() {
	dayAgo := w.now.Add(-24 * time.Hour)
	for _, c := range w.cases {
		c.gone = c.gone || !w.now.Before(w.end(c))
	}
	for _, s := range w.sets {
		s.gone = s.gone || s.ExpiresAt.Before(dayAgo)
	}
	for key, a := range w.answers {
		if a.at.Before(dayAgo) {
			delete(w.answers, key)
		}
	}
}

// file returns what the account reads under the id of an attachment.
func (w *world) file(account, id string) (cases.File, bool) {
	for _, s := range w.sets {
		i := slices.IndexFunc(s.files, func(a cases.Attachment) bool { return a.ID == id })
		if i >= 0 && s.Account == account && w.caseOf(account, s.files[i].CaseID) != nil {
			return cases.File{Name: s.files[i].FileName, Data: s.contents[i]}, true
		}
	}
	return cases.File{}, false
}

// bytes returns the keys of the bytes that must be kept.
func (w *world) bytes() map[string]bool {
	purged := map[string]bool{}
	for _, c := range w.cases {
		purged[c.ID] = c.gone
	}
	needed := map[string]bool{}
	for _, s := range w.sets {
		for _, a := range s.files {
			if a.CaseID == "" && !s.gone || a.CaseID != "" && !purged[a.CaseID] {
				needed[a.Account+"/"+a.SetID+"/"+a.SHA256] = true
			}
		}
	}
	return needed
}

// find returns a page of cases, or the ids for which it is refused.
func (w *world) find(account string, q cases.Query) (page cases.Page, unknown []string) {
	for _, id := range q.IDs {
		if w.caseOf(account, id) == nil {
			unknown = append(unknown, id)
		}
	}
	if unknown != nil {
		return cases.Page{}, unknown
	}
	for _, c := range w.allOf(account) {
		if !selected(q, c) {
			continue
		}
		if len(page.Cases) == q.Limit {
			last := page.Cases[q.Limit-1]
			page.Next = &cases.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
			break
		}
		listed := cases.Listed{Case: c.Case}
		if q.Communications {
			listed.Recent = newestFirst(c.said[max(0, len(c.said)-5):])
		}
		page.Cases = append(page.Cases, listed)
	}
	return page, nil
}

func selected(q cases.Query, c *knownCase) bool {
	switch {
	case len(q.IDs) > 0 && !slices.Contains(q.IDs, c.ID),
		q.Language != "" && q.Language != c.Language,
		q.DisplayID != "" && q.DisplayID != c.DisplayID,
		!q.IncludeResolved && c.Status == cases.Resolved:
		return false
	}
	if !q.From.CreatedAt.IsZero() {
		place := cmp.Or(c.CreatedAt.Compare(q.From.CreatedAt), strings.Compare(c.ID, q.From.ID))
		if place <= 0 {
			return false
		}
	}
	return within(q.TimeRange, c.CreatedAt)
}

func within(r cases.TimeRange, t time.Time) bool {
	if !r.After.IsZero() && t.Before(r.After) {
		return false
	}
	return r.Before.IsZero() || t.Before(r.Before)
}

func newestFirst(said []cases.Communication) []cases.Communication {
	said = slices.Clone(said)
	slices.Reverse(said)
	return said
}

// communications returns a page; ok is false when there is no such case.
func (w *world) communications(account string, q cases.CommunicationsQuery) (page cases.CommunicationsPage, ok bool) {
	c := w.caseOf(account, q.CaseID)
	if c == nil {
		return page, false
	}
	for _, m := range newestFirst(c.said) {
		if q.OlderThan > 0 && m.Number >= q.OlderThan || !within(q.TimeRange, m.CreatedAt) {
			continue
		}
		if len(page.Communications) == q.Limit {
			page.Next = page.Communications[q.Limit-1].Number
			break
		}
		page.Communications = append(page.Communications, m)
	}
	return page, true
}

// deadline is a moment at which something changes by itself.
type deadline struct {
	at      time.Time
	what    change
	account string
	id      string // of the case or set
}

type change string

// What changes.
const (
	caseLimit    change = "one case less in the hour"
	caseEnd      change = "the case is over"
	reopenEnd    change = "the case cannot be reopened any more"
	setLimit     change = "one set less in ten minutes"
	setEnd       change = "the set expires"
	setForgotten change = "the expired set is forgotten"
)

// deadlines returns what is going to change, in no order but always the same.
func (w *world) deadlines() (all []deadline) {
	for _, c := range w.cases {
		all = append(all, deadline{c.CreatedAt.Add(time.Hour), caseLimit, c.Account, c.ID}, deadline{w.end(c), caseEnd, c.Account, c.ID})
		if c.Status == cases.Resolved {
			all = append(all, deadline{c.ResolvedAt.Add(14 * 24 * time.Hour), reopenEnd, c.Account, c.ID})
		}
	}
	for _, s := range w.sets {
		all = append(all, deadline{s.CreatedAt.Add(10 * time.Minute), setLimit, s.Account, s.ID},
			deadline{s.ExpiresAt, setEnd, s.Account, s.ID}, deadline{s.ExpiresAt.Add(24 * time.Hour), setForgotten, s.Account, s.ID})
	}
	return slices.DeleteFunc(all, func(d deadline) bool { return !d.at.After(w.now) })
}
