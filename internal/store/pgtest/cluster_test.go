//go:build unix

package pgtest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/store/pgtest"
)

// endVariable tells a process of this test how to end once its cluster runs.
const endVariable = "PGTEST_END"

func TestMain(m *testing.M) {
	if os.Getenv(endVariable) != "" && len(os.Args) == 1 {
		os.Args = append(os.Args, "-test.run=^TestServersEndWithTheProcess$")
	}
	os.Exit(m.Run())
}

func TestRestartKeepsWhatIsCommitted(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Durable: true})
	url := c.CreateDatabase(t)
	pgtest.Exec(t, url, `CREATE TABLE things (name TEXT)`)
	for _, mode := range []pgtest.Mode{pgtest.Immediate, pgtest.Fast} {
		conn := mustConnect(t, url)
		before := pgtest.Query[int64](t, url, `SELECT count(*) FROM things`)[0]
		pgtest.Exec(t, url, `INSERT INTO things (name) VALUES ('a')`)
		c.Restart(t, mode)
		if got := pgtest.Query[int64](t, url, `SELECT count(*) FROM things`)[0]; got != before+1 {
			t.Errorf("things after Restart(%d) = %d, want %d", mode, got, before+1)
		}
		if err := conn.Ping(t.Context()); err == nil {
			t.Errorf("Ping() after Restart(%d) = nil, want an error", mode)
		}
	}
}

func TestStoppedServerRefusesConnections(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{TCP: true})
	url := c.CreateDatabase(t)
	c.Stop(t, pgtest.Fast)
	if got := connectError(t, url); !errors.Is(got, syscall.ECONNREFUSED) {
		t.Errorf("Connect(%q) = %v, want %v", url, got, syscall.ECONNREFUSED)
	}
	c.Stop(t, pgtest.Fast)
	c.StartAgain(t)
	mustConnect(t, url)
}

func TestCutConnectionsOfTheClusterCutsAll(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{})
	a, b := mustConnect(t, c.CreateDatabase(t)), mustConnect(t, c.CreateDatabase(t))
	if got := c.CutConnections(t); got != 2 {
		t.Errorf("CutConnections() = %d, want 2", got)
	}
	if a.Ping(t.Context()) == nil || b.Ping(t.Context()) == nil {
		t.Error("Ping() = nil after CutConnections, want an error")
	}
}

func TestSettingsAreTheCallers(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Settings: map[string]string{"max_connections": "17", "timezone": "Asia/Tokyo"}})
	url := c.URL("postgres")
	for name, want := range map[string]string{"max_connections": "17", "TimeZone": "Asia/Tokyo", "fsync": "off", "listen_addresses": ""} {
		if got := pgtest.Query[string](t, url, `SELECT current_setting($1)`, name)[0]; got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestFailedStartShowsTheServersLog(t *testing.T) {
	t.Parallel()
	pgtest.Bin(t, "postgres")
	err := pgtest.StartError(pgtest.Options{Settings: map[string]string{"no_such_setting": "1"}})
	if err == nil || !strings.Contains(err.Error(), "unrecognized configuration parameter") {
		t.Errorf("start with an unknown setting = %v, want the server's words", err)
	}
}

func TestNothingIsLeftOfACluster(t *testing.T) {
	t.Parallel()
	var dir string
	t.Run("has a cluster", func(t *testing.T) {
		c := pgtest.Start(t, pgtest.Options{})
		mustConnect(t, c.CreateDatabase(t))
		dir = c.Dir()
	})
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Stat(%q) = %v, want %v", dir, err, os.ErrNotExist)
	}
	if left := processes(t, dir); len(left) > 0 {
		t.Errorf("processes left = %q, want none", left)
	}
}

func TestServersEndWithTheProcess(t *testing.T) {
	if how := os.Getenv(endVariable); how != "" {
		end(t, how)
	}
	pgtest.Bin(t, "postgres")
	tests := []struct {
		how         string
		directories int // how many the process has when it is killed; zero is never
	}{
		{"exits", 0},
		{"panics", 0},
		{"is killed while initdb runs", 1},
		{"is killed while the server starts", 2},
		{"is killed while servers run", 4},
	}
	for _, test := range tests {
		t.Run(test.how, func(t *testing.T) {
			t.Parallel()
			temp := mustTempDir(t)
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), endVariable+"="+test.how, "TMPDIR="+temp)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			until(t, func() bool { return used(t, temp) >= max(test.directories, 1) })
			if test.directories > 0 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			if err := cmd.Wait(); err == nil {
				t.Error("Wait() = nil, want a bad end")
			}
			began := time.Now()
			until(t, func() bool { return len(entries(t, temp)) == 0 && len(processes(t, temp)) == 0 })
			t.Logf("gone after %s", time.Since(began))
		})
	}
}

// end starts servers and ends as it is told.
func end(t *testing.T, how string) {
	pgtest.Start(t, pgtest.Options{})
	mustConnect(t, pgtest.Database(t))
	pgtest.Start(t, pgtest.Options{})
	switch how {
	case "exits":
		os.Exit(3)
	case "panics":
		go panic("as the test wants it")
	}
	select {}
}

// mustTempDir is t.TempDir for directories that the user postgres may enter.
func mustTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ends")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // the test has looked
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// used returns how many directories in dir have something in them: one without
// may be so new that nobody has been told to remove it.
func used(t *testing.T, dir string) (n int) {
	t.Helper()
	for _, e := range entries(t, dir) {
		if in, err := os.ReadDir(filepath.Join(dir, e.Name())); err == nil && len(in) > 0 {
			n++
		}
	}
	return n
}

func entries(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// processes returns the processes that name the directory in their arguments. One
// that has ended may be listed for long, until somebody collects it, but has no
// arguments.
func processes(t *testing.T, dir string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-axww", "-o", "args=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	var found []string
	for args := range strings.Lines(string(out)) {
		if strings.Contains(args, dir) {
			found = append(found, args)
		}
	}
	return found
}

// until waits for what other processes do.
func until(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.Tick(10 * time.Millisecond)
	for deadline := time.Now().Add(time.Minute); !done(); <-tick {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen in a minute")
		}
	}
}
