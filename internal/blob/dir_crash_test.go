//go:build unix

package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/blob"
)

// The tests below run this binary again as another process, which plays the
// role named in the environment with the folder named there.
const roleVariable, folderVariable = "BLOB_TEST_ROLE", "BLOB_TEST_FOLDER"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "dies":
		putForEver(os.Getenv(folderVariable))
	case "full":
		putBeyondLimit(os.Getenv(folderVariable))
	case "closed":
		putIntoClosed(os.Getenv(folderVariable))
	default:
		os.Exit(m.Run())
	}
}

func play(t *testing.T, role, folder string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, folderVariable+"="+folder)
	cmd.Stderr = t.Output()
	return cmd
}

// putForEver puts a blob whose reader gives a megabyte, says so and then waits.
func putForEver(folder string) {
	d, err := blob.OpenDir(folder)
	if err != nil {
		fmt.Println(err)
		return
	}
	wait, _ := io.Pipe()
	say := blob.ReaderFunc(func([]byte) (int, error) {
		fmt.Println("half")
		return 0, io.EOF
	})
	r := io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), say, wait)
	fmt.Println(d.Put(context.Background(), "a/b", r))
}

func TestKilledWhilePutting(t *testing.T) {
	folder := t.TempDir()
	cmd := play(t, "dies", folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "half\n" {
		t.Fatalf("the other process says %q, %v; want half", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed

	left, err := filepath.Glob(filepath.Join(folder, "tmp", "*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("left behind: %v, %v; want one file", left, err)
	}
	d := mustOpenDir(t, folder)
	if _, err := d.Open(t.Context(), "a/b"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open(half put) = %v, want %v", err, blob.ErrNotFound)
	}
	for info := range d.List(t.Context(), "") {
		t.Errorf("List yields %v, want nothing", info)
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(left[0], old, old); err != nil {
		t.Fatal(err)
	}
	mustOpenDir(t, folder)
	wantFiles(t, filepath.Join(folder, "tmp"))
	mustPut(t, d, "a/b", "again")
}

// putBeyondLimit puts a blob larger than this process may write. The error is
// not that of a full disk, EFBIG for ENOSPC, but it comes at the same place: in
// the middle of the file.
func putBeyondLimit(folder string) {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println(err)
		return
	}
	d, err := blob.OpenDir(folder)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = d.Put(context.Background(), "a/large", bytes.NewReader(make([]byte, 5<<20)))
	fmt.Println(errors.Is(err, syscall.EFBIG), d.Put(context.Background(), "a/small", strings.NewReader("x")))
}

func TestNoSpaceForTheRest(t *testing.T) {
	folder := t.TempDir()
	out, err := play(t, "full", folder).Output()
	if got := string(out); err != nil || got != "true <nil>\n" {
		t.Errorf("Put(too large), then Put(small) = %q, %v; want the error of the file system, then none", got, err)
	}
	wantFiles(t, filepath.Join(folder, "tmp"))
	wantFiles(t, filepath.Join(folder, "objects"), "a+", "a+/small")
}

// putIntoClosed puts while a part of the folder may not be written, and again
// when it may. A mode does not hold back root, so root becomes nobody first.
func putIntoClosed(folder string) {
	const nobody = 65534
	if os.Geteuid() == 0 {
		if err := errors.Join(syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
			fmt.Println(err)
			return
		}
	}
	d, err := blob.OpenDir(folder)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for _, closed := range []string{"objects", "tmp"} {
		for _, mode := range []os.FileMode{0o500, 0o700} {
			if err := os.Chmod(filepath.Join(folder, closed), mode); err != nil {
				fmt.Println(err)
				return
			}
			check, put := d.Check(ctx), d.Put(ctx, closed, strings.NewReader("x"))
			fmt.Println(closed, mode, errors.Is(check, os.ErrPermission), errors.Is(put, os.ErrPermission))
		}
	}
}

func TestReadOnlyFolder(t *testing.T) {
	folder := t.TempDir()
	// Whoever plays the role may write in it.
	if err := errors.Join(os.Chmod(folder, 0o777), os.Chmod(filepath.Dir(folder), 0o755)); err != nil {
		t.Fatal(err)
	}
	out, err := play(t, "closed", folder).Output()
	const want = `objects -r-x------ true true
objects -rwx------ false false
tmp -r-x------ true true
tmp -rwx------ false false
`
	if got := string(out); err != nil || got != want {
		t.Errorf("Check and Put refused, while a part is closed and then open again:\n%s%v; want\n%s", got, err, want)
	}
}
