package cases_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/cases"
)

// mustWalk collects the ids of all pages; between runs after each page.
func (o *office) mustWalk(t *testing.T, q cases.Query, between func()) (ids []string) {
	t.Helper()
	for {
		page, err := o.Find(t.Context(), alice(), q)
		if err != nil {
			t.Fatalf("Find() = %v", err)
		}
		for _, c := range page.Cases {
			ids = append(ids, c.ID)
		}
		if len(page.Cases) == 0 && q.From != (cases.Cursor{}) {
			t.Errorf("Next of a page in a walk by %d leads to an empty page, want none", q.Limit)
		}
		if page.Next == nil {
			return ids
		}
		if len(page.Cases) != q.Limit {
			t.Errorf("a page with a next one has %d cases, want %d", len(page.Cases), q.Limit)
		}
		q.From = *page.Next
		between()
	}
}

func TestAWalkMeetsEachCaseOnce(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	want := map[string]int{}
	for i := range 250 {
		if i%100 == 0 {
			o.pass(time.Second) // otherwise all at the same time
		}
		want[o.mustCreate(t, question())] = 1
	}
	for _, limit := range []int{1, 10, 100, 125, 250, 1000} {
		got := map[string]int{}
		for _, id := range o.mustWalk(t, cases.Query{Limit: limit}, func() {}) {
			got[id]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("cases of a walk in pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	got := map[string]int{}
	for _, id := range o.mustWalk(t, cases.Query{Limit: 10}, func() { o.mustCreate(t, question()) }) {
		got[id]++
	}
	for id, n := range got {
		if n != 1 {
			t.Errorf("a walk while cases are added meets %s %d times, want once", id, n)
		}
	}
	for id := range want {
		if got[id] != 1 {
			t.Errorf("a walk while cases are added does not meet %s", id)
		}
	}
}

func TestCasesComeOldestFirst(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	var want []string
	for range 12 {
		want = append(want, o.mustCreate(t, question()))
		o.pass(time.Microsecond)
	}
	if diff := cmp.Diff(want, o.mustWalk(t, cases.Query{Limit: 5}, func() {})); diff != "" {
		t.Errorf("order of a walk (-want +got):\n%s", diff)
	}
	var reversed []string
	for i := range want {
		reversed = append(reversed, want[len(want)-1-i])
	}
	if diff := cmp.Diff(want, o.mustWalk(t, byID(reversed...), func() {})); diff != "" {
		t.Errorf("order of cases by id (-want +got):\n%s", diff)
	}
}

// What is asked for by id passes the same filters as what is listed.
func TestFiltersAreTheSameForIDs(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	start := o.now()
	var ids, displayIDs []string
	for i := range 12 {
		in := question()
		in.Language = []string{"en", "ja", "ko"}[i%3]
		id := o.mustCreate(t, in)
		if i%4 == 0 {
			o.mustResolve(t, id)
		}
		if i%2 == 0 {
			o.pass(time.Second)
		}
		ids, displayIDs = append(ids, id), append(displayIDs, o.mustFindOne(t, id).DisplayID)
	}
	rapid.Check(t, func(rt *rapid.T) {
		when := func(name string) time.Time {
			n := rapid.IntRange(-3, 7).Draw(rt, name)
			if n < 0 {
				return time.Time{}
			}
			return start.Add(time.Duration(n) * time.Second)
		}
		q := cases.Query{Limit: 100, PageQuery: cases.PageQuery{
			TimeRange:       cases.TimeRange{After: when("after"), Before: when("before")},
			Language:        rapid.SampledFrom([]string{"", "en", "ja", "zh"}).Draw(rt, "language"),
			DisplayID:       rapid.SampledFrom([]string{"", "", "", displayIDs[4], "1"}).Draw(rt, "display id"),
			IncludeResolved: rapid.Bool().Draw(rt, "resolved"),
		}}
		listed, err := o.Find(t.Context(), alice(), q)
		if err != nil {
			rt.Fatalf("Find() = %v", err)
		}
		q.IDs = ids
		asked, err := o.Find(t.Context(), alice(), q)
		if err != nil {
			rt.Fatalf("Find(ids) = %v", err)
		}
		if diff := cmp.Diff(listed, asked); diff != "" {
			rt.Errorf("Find(%+v) (-listed +by id):\n%s", q.PageQuery, diff)
		}
	})
}

func TestACaseCarriesItsFiveLastCommunications(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	for _, total := range []int{1, 5, 6, 20} {
		id := o.mustCreate(t, question())
		for n := 2; n <= total; n++ {
			o.mustReply(t, id, fmt.Sprint(n))
		}
		got := o.mustFindOne(t, id)
		var numbers, want []int64
		for _, c := range got.Recent {
			numbers = append(numbers, c.Number)
		}
		for n := total; n > max(0, total-5); n-- {
			want = append(want, int64(n))
		}
		if diff := cmp.Diff(want, numbers); diff != "" {
			t.Errorf("recent of %d communications (-want +got):\n%s", total, diff)
		}
		if got.HasOlder() != (total > 5) {
			t.Errorf("HasOlder() with %d communications = %v, want %v", total, got.HasOlder(), total > 5)
		}
		bare := byID(id)
		bare.Communications = false
		if page, err := o.Find(t.Context(), alice(), bare); err != nil || page.Cases[0].Recent != nil {
			t.Errorf("Find(without communications) = %v, %v, want none", page.Cases, err)
		}
	}
}

func TestAWalkMeetsEachCommunicationOnceNewestFirst(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	id := o.mustCreate(t, question())
	for n := 2; n <= 120; n++ {
		o.mustReply(t, id, fmt.Sprint(n)) // all at the same time
	}
	for _, limit := range []int{1, 7, 60, 120, 121} {
		total := o.mustFindOne(t, id).Communications
		q := cases.CommunicationsQuery{CaseID: id, Limit: limit}
		next := total
		for {
			page, err := o.Communications(t.Context(), alice(), q)
			if err != nil {
				t.Fatalf("Communications() = %v", err)
			}
			for _, c := range page.Communications {
				if c.Number != next {
					t.Fatalf("walk in pages of %d meets communication %d, want %d", limit, c.Number, next)
				}
				next--
			}
			if len(page.Communications) == 0 {
				t.Errorf("Next of a page in a walk by %d leads to an empty page, want none", limit)
			}
			if page.Next == 0 {
				break
			}
			if limit == 7 {
				o.mustReply(t, id, "while walking")
			}
			q.OlderThan = page.Next
		}
		if next != 0 {
			t.Errorf("walk in pages of %d ends before communication %d, want all", limit, next)
		}
	}
}

func TestCommunicationsAreSelectedByTime(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	start := o.now()
	id := o.mustCreate(t, question())
	for n := 2; n <= 10; n++ {
		o.pass(time.Second)
		o.mustReply(t, id, fmt.Sprint(n))
	}
	page, err := o.Communications(t.Context(), alice(), cases.CommunicationsQuery{
		CaseID: id, Limit: 100, TimeRange: cases.TimeRange{After: start.Add(3 * time.Second), Before: start.Add(6 * time.Second)},
	})
	var got []int64
	for _, c := range page.Communications {
		got = append(got, c.Number)
	}
	if diff := cmp.Diff([]int64{6, 5, 4}, got); diff != "" || err != nil {
		t.Errorf("Communications(3 s to 6 s) = %v (-want +got):\n%s", err, diff)
	}
}

func TestAForeignAccountSeesNothing(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	id := o.mustCreate(t, question())
	page, err := o.Find(t.Context(), stranger(), cases.Query{Limit: 100, Communications: true})
	if err != nil || len(page.Cases) != 0 || page.Next != nil {
		t.Errorf("Find() of a foreign account = %+v, %v, want nothing", page, err)
	}
	own := o.mustFindOne(t, id)
	_, byIDErr := o.Find(t.Context(), stranger(), byID(id))
	_, resolveErr := o.Resolve(t.Context(), stranger(), unrepeated(), id)
	_, readErr := o.Communications(t.Context(), stranger(), cases.CommunicationsQuery{CaseID: id, Limit: 10})
	for call, err := range map[string]error{
		"Find(id)": byIDErr, "Resolve": resolveErr, "Communications": readErr, "Communicate": o.replyWith(t, stranger(), id, ""),
	} {
		wantError(t, call+" of a foreign account", err, cases.ErrCaseNotFound)
		_, unknown := o.Resolve(t.Context(), stranger(), unrepeated(), id)
		if err.Error() != unknown.Error() {
			t.Errorf("%s of a foreign account = %q, want the text for an unknown case, %q", call, err, unknown)
		}
	}
	if diff := cmp.Diff(own, o.mustFindOne(t, id)); diff != "" {
		t.Errorf("case after foreign attempts (-before +after):\n%s", diff)
	}
	_, err = o.Find(t.Context(), alice(), byID(id, "case-unknown"))
	wantError(t, "Find(known and unknown id)", err, cases.ErrCaseNotFound)
}
