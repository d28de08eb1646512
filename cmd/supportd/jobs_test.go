package main

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
)

// mustBuryJobs puts dead jobs into the installation in the folder.
func mustBuryJobs(t *testing.T, folder string, all ...jobs.Job) {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite://"+filepath.Join(folder, "supportd.db"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	err = s.Jobs().Update(ctx, func(tx jobs.Tx) error {
		for _, j := range all {
			if _, err := tx.Enqueue(ctx, j); err != nil {
				return err
			}
			claimed, err := tx.Claim(ctx, []string{j.Kind}, time.Now(), jobs.Lease{Token: j.ID}, 1)
			if err != nil {
				return err
			}
			claimed[0].Error = "refused:\nthe account " + strings.Repeat("is gone ", 20)
			if err := tx.Bury(ctx, claimed[0]); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestAnOperatorLooksAfterJobs(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	env := []string{"SUPPORTD_DATA=" + folder}
	mustRun(t, env, "account", "list")
	const a = "111122223333"
	mustBuryJobs(t, folder,
		jobs.Job{ID: "p", Kind: "purge"}, jobs.Job{ID: "q", Kind: "purge"}, jobs.Job{ID: "r", Kind: "mail"},
		jobs.Job{Account: a, ID: "c", Kind: "refresh"}, jobs.Job{Account: a, ID: "d", Kind: "refresh"})
	for _, step := range []struct{ args, want string }{
		{"jobs list", `ACCOUNT +KIND +ID +STATE +ATTEMPT +RUN AT +ERROR\n +purge +p +dead +1 +refused: the account .{0,70}…\n( .*\n){2}` + a + ` +refresh +c .*\n` + a + ` +refresh +d .*\n`},
		{"jobs list --account " + a + " --kind refresh --limit 1", `ACCOUNT.*\n` + a + ` +refresh +c +dead .*\n`},
		{"jobs list --account= --state dead", `ACCOUNT.*\n( .*\n){3}`},
		{"jobs list --state running", `ACCOUNT.*\n`},
		{"jobs retry p", `job p: tried again\n`},
		{"jobs list --state waiting", `ACCOUNT.*\n +purge +p +waiting +0 +\n`},
		{"jobs discard c --account " + a, `job c: removed\n`},
		{"jobs retry --all --account " + a, `dead jobs tried again: 1\n`},
		{"jobs discard --all --kind purge", `dead jobs removed: 1\n`},
		{"jobs discard --all", `dead jobs removed: 1\n`},
		{"jobs list --json", `\[\n  \{\n    "account": "",\n    "kind": "purge",\n    "id": "p",\n    "state": "waiting",\n    "attempt": 0\n  \},\n  \{\n    "account": "` + a + `",\n(.*\n)*\]\n`},
		{"jobs list --json --kind none", `\[\]\n`},
	} {
		got := mustRun(t, env, strings.Fields(step.args)...)
		if !regexp.MustCompile(`\A` + step.want + `\z`).MatchString(got) {
			t.Errorf("supportd %s prints\n%swant\n%s", step.args, got, step.want)
		}
	}
	for args, refusal := range map[string]struct {
		code int
		want string
	}{
		"jobs retry":                     {2, "give either"},
		"jobs retry p --all":             {2, "give either"},
		"jobs retry p --kind purge":      {2, "--kind goes with --all"},
		"jobs list --state broken":       {2, "want waiting, running or dead"},
		"jobs retry p":                   {1, "p: the job is not dead"},
		"jobs discard none":              {1, "none: no such job"},
		"jobs discard p --account " + a:  {1, "p: no such job"},
		"jobs list surplus":              {2, "surplus"},
		"jobs retry d --account " + a:    {1, "not dead"},
		"jobs discard p d none --all=no": {2, "invalid argument"},
	} {
		fields := strings.Fields(args)
		checkRefusal(t, command(t, env, "", fields...), refusal.code, refusal.want, fields...)
	}
}
