//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Bin returns the path of a program that comes with the server, such as psql,
// pg_dump or pgbench.
func Bin(t testing.TB, name string) string {
	t.Helper()
	needServer(t)
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("Bin(%q): %v", name, err)
	}
	return path
}

// needServer ends a test on a machine without PostgreSQL.
func needServer(t testing.TB) {
	t.Helper()
	_, missing := binaries()
	if missing == nil {
		_, missing = serverUser()
	}
	if missing == nil {
		return
	}
	const install = "install it with: apt-get install postgresql"
	if os.Getenv("SUPPORTD_POSTGRES") == "required" {
		t.Fatalf("%v and SUPPORTD_POSTGRES=required: %s", missing, install)
	}
	fmt.Fprintf(os.Stderr, "%s: NOT TESTED: %v\n", t.Name(), missing)
	t.Skipf("NOT TESTED: %v; %s", missing, install)
}

// binaries returns the directory of the server's programs.
func binaries() (string, error) {
	if dir := os.Getenv("SUPPORTD_POSTGRES_BIN"); dir != "" {
		if !complete(dir) {
			return "", fmt.Errorf("no PostgreSQL in SUPPORTD_POSTGRES_BIN, %s", dir)
		}
		return dir, nil
	}
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	newest, found := 0, ""
	for _, dir := range dirs {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err == nil && version > newest && complete(dir) {
			newest, found = version, dir
		}
	}
	if found != "" {
		return found, nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("there is no PostgreSQL")
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	if dir := filepath.Dir(path); complete(dir) {
		return dir, nil
	}
	return "", fmt.Errorf("%s has no postgres beside it", path)
}

// complete reports whether a directory has what makes and runs a server.
func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// serverUser returns whom the server runs as, nil if as ourselves. It refuses
// to run as root.
func serverUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("root cannot run PostgreSQL: %w", err)
	}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("groups of the user postgres: %w", err)
	}
	ids := make([]uint32, 0, 2+len(groups))
	for _, text := range append([]string{u.Uid, u.Gid}, groups...) {
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("id of the user postgres: %w", err)
		}
		ids = append(ids, uint32(id))
	}
	return &syscall.Credential{Uid: ids[0], Gid: ids[1], Groups: ids[2:]}, nil
}

// locale returns one that sorts unlike C if the machine has any, so that the
// tests notice who relies on the order of bytes.
func locale() string {
	out, err := exec.Command("locale", "-a").Output()
	if err != nil {
		return "C"
	}
	found := "C"
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		lower := strings.ToLower(name)
		if !strings.HasSuffix(lower, ".utf8") && !strings.HasSuffix(lower, ".utf-8") {
			continue
		}
		if !strings.HasPrefix(name, "C.") {
			return name
		}
		found = name
	}
	return found
}
