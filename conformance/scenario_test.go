package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestScenariosInProcess(t *testing.T) { playAll(t, inProcess, "scenarios/*.txtar") }

func TestScenariosAgainstTheProgram(t *testing.T) { playAll(t, builtProgram, "scenarios/*.txtar") }

// The clock of the program cannot be moved, so these are played in process only.
func TestScenariosThatTakeTime(t *testing.T) { playAll(t, inProcess, "scenarios/clock/*.txtar") }

// playAll plays each scenario on a server of its own. The scenarios are
// testscript files with these commands besides its own:
//
//	call [FLAGS] OPERATION BODY      sends BODY, a file or the JSON itself
//	    -as NAME                     as the principal NAME: first, second (the roots of
//	                                 the two accounts) or who logged in
//	    -method, -query, -header     what differs from the request of an SDK; a
//	                                 header without a value is removed
//	    -unsigned, -presign          without a signature, with it in the query
//	    -at DURATION                 by a clock that is off
//	    -service, -region            with another credential scope
//	    -forge 'REGEXP => TEXT'      with another Authorization or signed query
//	    -late HEADER                 with a header that changed after signing
//	    -wait DURATION               after moving the clock, in scenarios/clock
//	status CODE                      the last answer had this HTTP status
//	error NAME [TEXT]                the last answer was this error, with TEXT in its message
//	body TEXT                        the last answer's body was exactly TEXT, or that file
//	header NAME REGEXP               the header of the last answer matches
//	field PATH REGEXP                the member at PATH (cases.0.status) is this or matches
//	list PATH VALUE...               the members at PATH (cases.*.status) are these, in order
//	absent PATH                      the last answer has no member at PATH
//	count PATH N                     the list at PATH has N elements
//	save VARIABLE PATH               keeps a member for later bodies and arguments
//	base64 VARIABLE N                keeps N bytes, in base64
//	repeat N [FLAGS] OPERATION BODY  calls N times with $n from 1 on; each must succeed
//	until NAME N [FLAGS] OPERATION BODY
//	                                 calls at most N times, until the answer is the error
//	admin ARGS                       runs supportd ARGS beside the server
//	login NAME ARGS                  runs supportd ARGS and keeps the printed key as NAME,
//	                                 and its id as $NAME
//	limits aws                       starts the server with the limits of AWS; else it has none
//	clock TIME                       starts the server at TIME, in scenarios/clock
//	advance DURATION                 moves the clock, in scenarios/clock
//
// Bodies and texts may hold variables, also between single quotes.
func playAll(t *testing.T, start starter, pattern string) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", pattern, files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s := &story{t: t, start: start}
			testscript.Run(t, testscript.Params{Files: []string{file}, Cmds: s.commands()})
		})
	}
}

// story is one scenario being played.
type story struct {
	t          *testing.T
	start      starter
	setting    setting
	started    *target // nil until something is asked of it
	principals map[string]credentials
	last       answer
}

// target returns the server, which starts when it is first needed.
func (s *story) target() *target {
	if s.started == nil {
		s.started = s.start(s.t, s.setting)
		s.principals = map[string]credentials{
			"first":  s.started.accounts[firstAccount],
			"second": s.started.accounts[secondAccount],
		}
	}
	return s.started
}

func (s *story) commands() map[string]func(*testscript.TestScript, bool, []string) {
	commands := map[string]func(*testscript.TestScript, bool, []string){}
	for name, command := range map[string]struct {
		least int // arguments
		run   func(ts *testscript.TestScript, args []string)
	}{
		"call": {2, s.call}, "repeat": {3, s.repeat}, "until": {4, s.until},
		"status": {1, s.status}, "error": {1, s.error}, "body": {1, s.body}, "header": {2, s.header},
		"field": {2, s.field}, "list": {1, s.list}, "absent": {1, s.absent}, "count": {2, s.count},
		"save": {2, s.save}, "base64": {2, s.base64},
		"admin": {1, s.admin}, "login": {2, s.login},
		"limits": {1, s.limits}, "clock": {1, s.clock}, "advance": {1, s.advance},
	} {
		commands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg || len(args) < command.least {
				ts.Fatalf("%s needs %d arguments and cannot be negated", name, command.least)
			}
			command.run(ts, args)
		}
	}
	return commands
}

func (s *story) call(ts *testscript.TestScript, args []string) {
	url := s.target().url
	q, who := s.request(ts, args)
	principal, ok := s.principals[who]
	if !ok {
		ts.Fatalf("nobody is called %s", who)
	}
	var err error
	s.last, err = q.send(s.t.Context(), url, principal)
	ts.Check(err)
	ts.Logf("%d %.2000s", s.last.status, s.last.body)
	for name, form := range map[string]string{
		"Content-Type":     `application/x-amz-json-1\.1`,
		"X-Amzn-Requestid": `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`,
		"Date":             `\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT`,
		"Content-Length":   `\d+`,
	} {
		s.header(ts, []string{name, form})
	}
}

func (s *story) request(ts *testscript.TestScript, args []string) (q request, who string) {
	flags := flag.NewFlagSet("call", flag.ContinueOnError)
	flags.StringVar(&who, "as", "first", "")
	flags.Func("wait", "", func(d string) error { s.advance(ts, []string{d}); return nil })
	flags.StringVar(&q.method, "method", "", "")
	flags.StringVar(&q.query, "query", "", "")
	flags.BoolVar(&q.unsigned, "unsigned", false, "")
	flags.BoolVar(&q.presigned, "presign", false, "")
	flags.DurationVar(&q.at, "at", 0, "")
	flags.StringVar(&q.service, "service", "", "")
	flags.StringVar(&q.region, "region", "", "")
	flags.StringVar(&q.forge, "forge", "", "")
	flags.Func("header", "", func(line string) error { q.headers = append(q.headers, line); return nil })
	flags.Func("late", "", func(line string) error { q.late = append(q.late, line); return nil })
	ts.Check(flags.Parse(args))
	if flags.NArg() != 2 {
		ts.Fatalf("call [FLAGS] OPERATION BODY: got %q", flags.Args())
	}
	q.operation, q.body = flags.Arg(0), []byte(s.text(ts, flags.Arg(1)))
	q.query = s.text(ts, q.query)
	return q, who
}

// text returns the content of a file, or the argument itself, with the variables
// in it replaced.
func (s *story) text(ts *testscript.TestScript, arg string) string {
	if content, err := os.ReadFile(ts.MkAbs(arg)); err == nil {
		arg = strings.TrimSuffix(string(content), "\n")
	}
	return os.Expand(arg, func(name string) string {
		value := ts.Getenv(name)
		if value == "" {
			ts.Fatalf("the variable %s is not set", name)
		}
		return value
	})
}

func (s *story) repeat(ts *testscript.TestScript, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for i := range n {
		ts.Setenv("n", strconv.Itoa(i+1))
		s.call(ts, args[1:])
		s.status(ts, []string{"200"})
	}
}

func (s *story) until(ts *testscript.TestScript, args []string) {
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	for range most {
		if s.call(ts, args[2:]); s.last.status != 200 {
			break
		}
	}
	s.error(ts, args[:1])
}

func (s *story) status(ts *testscript.TestScript, args []string) {
	if got := strconv.Itoa(s.last.status); got != args[0] {
		ts.Fatalf("status %s, want %s: %.2000s", got, args[0], s.last.body)
	}
}

func (s *story) error(ts *testscript.TestScript, args []string) {
	var told struct {
		Type    string `json:"__type"`
		Message string // either case of it
	}
	ts.Check(json.Unmarshal(s.last.body, &told))
	if told.Type != args[0] || s.last.status < 400 {
		ts.Fatalf("answer %d %.2000s, want error %s", s.last.status, s.last.body, args[0])
	}
	if len(args) < 2 {
		return
	}
	if text := s.text(ts, args[1]); !strings.Contains(told.Message, text) {
		ts.Fatalf("message %q, want %q in it", told.Message, text)
	}
}

func (s *story) body(ts *testscript.TestScript, args []string) {
	if want := s.text(ts, args[0]); string(s.last.body) != want {
		ts.Fatalf("body\n%s\nwant\n%s", s.last.body, want)
	}
}

func (s *story) header(ts *testscript.TestScript, args []string) {
	if got := s.last.header.Get(args[0]); !matches(args[1], got) {
		ts.Fatalf("header %s is %q, want a match of %s: %v", args[0], got, args[1], s.last.header)
	}
}

func (s *story) field(ts *testscript.TestScript, args []string) {
	if got := s.member(ts, args[0]); got != args[1] && !matches(args[1], got) {
		ts.Fatalf("%s is %.2000q, want %.2000s", args[0], got, args[1])
	}
}

func matches(pattern, text string) bool {
	return regexp.MustCompile(`^(?s:` + pattern + `)$`).MatchString(text)
}

func (s *story) list(ts *testscript.TestScript, args []string) {
	var got []string
	for _, found := range s.lookup(ts, args[0]) {
		got = append(got, fmt.Sprint(found))
	}
	if !slices.Equal(got, args[1:]) {
		ts.Fatalf("%s is %q, want %q: %.2000s", args[0], got, args[1:], s.last.body)
	}
}

func (s *story) absent(ts *testscript.TestScript, args []string) {
	if found := s.lookup(ts, args[0]); len(found) > 0 {
		ts.Fatalf("%s is %v, want it absent", args[0], found)
	}
}

func (s *story) count(ts *testscript.TestScript, args []string) {
	found := s.lookup(ts, args[0])
	if len(found) != 1 {
		ts.Fatalf("the answer has no %s: %.2000s", args[0], s.last.body)
	}
	if list, ok := found[0].([]any); !ok || strconv.Itoa(len(list)) != args[1] {
		ts.Fatalf("%s has %d elements, want %s: %.2000s", args[0], len(list), args[1], s.last.body)
	}
}

func (s *story) save(ts *testscript.TestScript, args []string) {
	ts.Setenv(args[0], s.member(ts, args[1]))
}

func (s *story) base64(ts *testscript.TestScript, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Setenv(args[0], base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", n))))
}

func (s *story) admin(ts *testscript.TestScript, args []string) {
	ts.Logf("%s", s.run(ts, args))
}

func (s *story) login(ts *testscript.TestScript, args []string) {
	who := parseExports(s.run(ts, args[1:]))
	s.principals[args[0]] = who
	ts.Setenv(args[0], who.id)
}

func (s *story) run(ts *testscript.TestScript, args []string) string {
	program, err := program()
	ts.Check(err)
	for i, arg := range args {
		if _, err := os.Stat(ts.MkAbs(arg)); err == nil {
			args[i] = ts.MkAbs(arg)
		}
	}
	out, err := admin(s.t.Context(), program, s.target().data, args...)
	ts.Check(err)
	return out
}

func (s *story) limits(ts *testscript.TestScript, args []string) {
	if s.started != nil || args[0] != "aws" {
		ts.Fatalf("limits are aws or not set, and set before the server is needed")
	}
	s.setting.awsLimits = true
}

func (s *story) clock(ts *testscript.TestScript, args []string) {
	if s.started != nil {
		ts.Fatalf("the clock is set before the server is needed")
	}
	var err error
	s.setting.clock, err = time.Parse(time.RFC3339, args[0])
	ts.Check(err)
}

func (s *story) advance(ts *testscript.TestScript, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	s.target().advance(d)
}

func (s *story) member(ts *testscript.TestScript, path string) string {
	found := s.lookup(ts, path)
	if len(found) != 1 {
		ts.Fatalf("the answer has %d of %s, want one: %.2000s", len(found), path, s.last.body)
	}
	return fmt.Sprint(found[0])
}

// lookup follows a path of member names and list indexes, * for all of a list.
func (s *story) lookup(ts *testscript.TestScript, path string) []any {
	var whole any
	if err := json.Unmarshal(s.last.body, &whole); err != nil {
		ts.Fatalf("answer %q: %v", s.last.body, err)
	}
	at := []any{whole}
	for step := range strings.SplitSeq(path, ".") {
		var next []any
		for _, v := range at {
			next = append(next, inside(v, step)...)
		}
		at = next
	}
	return at
}

// inside returns what a step of a path leads to.
func inside(v any, step string) []any {
	switch in := v.(type) {
	case map[string]any:
		if member, ok := in[step]; ok {
			return []any{member}
		}
	case []any:
		if step == "*" {
			return in
		}
		if i, err := strconv.Atoi(step); err == nil && i < len(in) {
			return in[i : i+1]
		}
	}
	return nil
}
