package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/server"
)

func viewForTests() deskView {
	return deskView{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), agents: map[string]string{"agent-1": "Jo", "agent-2": "Ann"}}
}

func TestTimelinesSayInWordsWhatHappened(t *testing.T) {
	t.Parallel()
	v := viewForTests()
	for _, test := range []struct{ event, detail, want string }{
		{"communication", `{"number":1,"submittedBy":"a","body":"One\ntwo\u001b[2J","attachments":[{"id":"x","fileName":"a.txt","size":3}]}`, "#1 [a.txt] One two\uFFFD[2J"},
		{"moved", `{"event":"open","from":"unassigned","to":"opened"}`, "unassigned → opened"},
		{"status", `{"from":"opened","to":"resolved","reason":"It rained."}`, "opened → resolved: It rained."},
		{"severity", `{"from":"low","to":"high","reason":"Worse"}`, "low → high: Worse"},
		{"assigned", `{"to":"agent-1"}`, "to Jo"},
		{"assigned", `{"from":"agent-2","to":"agent-1","team":"billing"}`, "to Jo, team billing, before Ann"},
		{"assigned", `{"from":"agent-3"}`, "to nobody, before agent-3"},
		{"note", `{"body":"Asked\tthe vendor."}`, "Asked the vendor."},
		{"tagged", `{"added":["a","b"],"removed":["c"]}`, `+"a" +"b" -"c"`},
		{"merged", `{"case":"case-1","status":"opened","assignee":"agent-1","move":3}`, "case-1"},
		{"replied-for", `{"number":4}`, "#4 on behalf of the customer"},
		{"clock-warning", `{"clock":"first-response","number":1,"startedAt":"2026-03-02T08:00:00Z","at":"2026-03-02T08:45:00.5Z","dueAt":"2026-03-02T09:00:00.5Z","target":3600,"counted":2700}`, "first-response is due 2026-03-02T09:00:00Z"},
		{"clock-breach", `{"clock":"resolution","number":1,"at":"2026-03-02T09:00:00Z","target":5400,"counted":5400}`, "resolution was due 2026-03-02T09:00:00Z, 1h 30m were promised"},
		{"of-a-newer-server", `{"a":1}`, `{"a":1}`},
		{"note", `{"body":7}`, `{"body":7}`},
		{"note", `{"body":"` + strings.Repeat("long ", 100) + `"}`, strings.Repeat("long ", 31) + "long…"},
	} {
		if got := v.phrase(deskLine{Event: test.event, Detail: json.RawMessage(test.detail)}); got != test.want {
			t.Errorf("%s %s = %q, want %q", test.event, test.detail, got, test.want)
		}
	}
}

func TestTextsOfOthersDoNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"one\r\n\ttwo Grüße 日本": "one\n\ttwo Grüße 日本",
		"\x1b[2J\x07\r\x7f":     "\uFFFD[2J\uFFFD\uFFFD\uFFFD",
		"\u009b2J":              "\uFFFD2J",
		"\u202egpj.exe\u2066":   "\uFFFDgpj.exe\uFFFD",
	} {
		if got := plain(text); got != want {
			t.Errorf("plain(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestWhoDidWhat(t *testing.T) {
	t.Parallel()
	v := viewForTests()
	for actor, want := range map[string]string{
		"agent-1": "Jo", "agent-9": "agent-9", "desk": "desk", "": "-", "ops@example.com": "ops@example.com",
		"arn:aws:iam::111122223333:user/alice": "customer user/alice",
		"arn:aws:iam::111122223333:root":       "customer root",
	} {
		if got := v.actor(actor); got != want {
			t.Errorf("actor(%q) = %q, want %q", actor, got, want)
		}
	}
}

func TestTimesAreToldFromNow(t *testing.T) {
	t.Parallel()
	v := viewForTests()
	for d, want := range map[time.Duration]string{
		59 * time.Second:                "in 59s",
		42*time.Minute + 59*time.Second: "in 42m",
		time.Hour:                       "in 1h",
		3*time.Hour + 5*time.Minute:     "in 3h 5m",
		51 * time.Hour:                  "in 2d 3h",
		0:                               "in 0s",
		-time.Second:                    "1s late",
		-90 * time.Minute:               "1h 30m late",
	} {
		if got := v.away(v.now.Add(d)); got != want {
			t.Errorf("away(%v) = %q, want %q", d, got, want)
		}
	}
	if got := v.away(time.Time{}); got != "-" {
		t.Errorf("away of no time = %q, want -", got)
	}
}

func TestClocksOfACase(t *testing.T) {
	t.Parallel()
	v := viewForTests()
	due, over := v.now.Add(time.Minute), v.now.Add(-time.Minute)
	for _, test := range []struct {
		clock deskClock
		want  string
	}{
		{deskClock{DueAt: due}, "due 2026-03-02T09:01:00Z (in 1m)"},
		{deskClock{DueAt: over, Breached: true}, "breached 2026-03-02T08:59:00Z (1m late)"},
		{deskClock{Paused: true, CountedSeconds: 1200, TargetSeconds: 3600}, "paused, 20m of 1h"},
		{deskClock{StoppedAt: over, CountedSeconds: 240, TargetSeconds: 3600}, "met, 4m of 1h"},
		{deskClock{StoppedAt: over, CountedSeconds: 3900, TargetSeconds: 3600, Breached: true}, "missed, 1h 5m of 1h"},
	} {
		if got := v.clock(test.clock); got != test.want {
			t.Errorf("clock %+v = %q, want %q", test.clock, got, test.want)
		}
	}
}

func TestACaseTellsWhoElseIsAtItAndWhatIsNotShown(t *testing.T) {
	t.Parallel()
	var d deskDetail
	mustNot(t, json.Unmarshal([]byte(`{"displayId": "17", "communicationCount": 102, "communications": [{"number": 102, "body": "Hello."}],
		"present": [{"agent": "agent-1", "replying": true}, {"agent": "agent-2"}]}`), &d))
	var got strings.Builder
	mustNot(t, writeRows(&got, viewForTests().detailRows(d), 0))
	for _, want := range []string{
		"Present   Jo, writing a reply\n", "Present   Ann\n",
		"\n(101 earlier communications: supportd desk timeline 17 --json)\n", "\n  Hello.\n",
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("the case is shown as\n%s\nwant %q in it", got.String(), want)
		}
	}
}

func TestAReplyTellsWhoElseHasTheCaseOpen(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	ann, err := s.Desk.CreateAgent(t.Context(), desk.Operator(), desk.Agent{Name: "Ann", Email: "ann@example.com", Role: desk.RoleAgent, Active: true})
	mustNot(t, err)
	c := s.mustCase(t, "One", "1")
	_, err = s.Desk.SetPresence(t.Context(), desk.Caller{Agent: ann, Allowed: ann.Role.Permissions()}, c.ID, true)
	mustNot(t, err)
	got := command(t, s.env(), "", "desk", "reply", c.ID, "--body", "Hello.")
	if want := "supportd: Ann has the case open as well\n"; got.err != nil || got.stderr != want {
		t.Errorf("a reply = %v, stderr %q, want %q", got.err, got.stderr, want)
	}
}

func TestAgentsOfOneNameAreToldApart(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	other, err := s.Desk.CreateAgent(t.Context(), desk.Operator(), desk.Agent{Name: "Jo", Email: "jo@example.org", Role: desk.RoleAgent, Active: true})
	mustNot(t, err)
	c := s.mustCase(t, "One", "1")
	if got := s.mustDesk(t, "", "assign", c.ID, "--agent", other.ID); !strings.Contains(got, "Jo <jo@example.org>") {
		t.Errorf("the case of the second Jo is shown as\n%s\nwant the address", got)
	}
}

// A token that only works cannot read who the agents are.
func TestWithoutTheirNamesAgentsAreShownByID(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	_, token, err := s.Desk.CreateToken(t.Context(), desk.Operator(), s.agent.ID, desk.NewToken{Name: "robot", Permissions: []desk.Permission{desk.Work}})
	mustNot(t, err)
	c := s.mustCase(t, "One", "1")
	if got := s.mustDesk(t, "", "claim", c.ID, "--token", token); !strings.Contains(got, s.agent.ID) {
		t.Errorf("a claimed case is shown as\n%s\nwant the id of the agent", got)
	}
}

func TestTimesFollowTheClockOfTheServer(t *testing.T) {
	t.Parallel()
	moved := time.Now().Add(400 * 24 * time.Hour)
	s := newDeskServer(t, func(c *server.Config) { c.Now = func() time.Time { return moved } })
	s.mustCase(t, "One", "1")
	if got := s.mustDesk(t, "", "queue"); !strings.Contains(got, "in 1d ") {
		t.Errorf("a case that is due in a day by the server's clock is shown as\n%s", got)
	}
}

func TestRowsAreAlignedAndCut(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"NAME", "WHAT"}, {"Jürgen 山田", "all of a long story"}, {"Jo", ""}, {"alone in a row that is long"}}
	for width, want := range map[int]string{
		0:  "NAME         WHAT\nJürgen 山田  all of a long story\nJo           \nalone in a row that is long\n",
		26: "NAME         WHAT\nJürgen 山田  all of a lon…\nJo           \nalone in a row that is lo…\n",
		5:  "NAME         WHAT\nJürgen 山田  all of a lo…\nJo           \nalone in a …\n",
	} {
		var got strings.Builder
		mustNot(t, writeRows(&got, rows, width))
		if got.String() != want {
			t.Errorf("rows of width %d are\n%swant\n%s", width, got.String(), want)
		}
	}
	if got := cutText("山田山田", 6); got != "山田…" {
		t.Errorf("cutText of wide characters = %q, want 山田…", got)
	}
}
