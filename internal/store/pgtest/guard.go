//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// guard is a temporary directory and the process that works in it, both of
// which a watchdog removes when this process is gone. The watchdog notices by
// the end of a pipe, which the kernel closes after a panic and SIGKILL too; a
// parent-death signal would come with the end of the thread that forked.
type guard struct {
	dir      string
	user     *syscall.Credential // nil is ourselves
	pipe     *os.File            // the watchdog reads who works in the directory
	watchdog *os.Process
	worker   *os.Process // nil if nobody does
}

// The watchdog reads lines, each the id of the process that works now, empty if
// there is none. SIGQUIT makes a server leave at once, with all of its processes
// and shared memory; the file goes last. Waiting for the process alone is no
// good where nobody collects orphans.
const watch = `
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ] && kill -QUIT "$pid"; then
	tries=0
	while [ -e "$1/data/postmaster.pid" ] && kill -0 "$pid" && [ $tries -lt 200 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
	kill -KILL "$pid"
fi
tries=0
until rm -rf -- "$1" || [ $tries -eq 50 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
`

// The worker waits for a line until the watchdog knows of it, and ends if the
// line never comes.
const work = `read -r line && exec "$@"`

// newGuard makes a directory, on the disk if it has to be.
func newGuard(disk bool) (*guard, error) {
	credential, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent(disk), "pgtest")
	if err != nil {
		return nil, err
	}
	g := &guard{dir: dir, user: credential}
	if err := g.prepare(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return g, nil
}

// parent returns where to make a directory such that the path of a socket in it
// stays within the 103 bytes that some systems allow.
func parent(disk bool) string {
	if dir := memoryDir(); dir != "" && !disk {
		return dir
	}
	if dir := os.TempDir(); len(dir) <= 70 {
		return dir
	}
	return "/tmp"
}

// prepare gives the directory its owner and its watchdog. The watchdog runs as
// ourselves, because the owner of a directory may not be allowed to remove it.
func (g *guard) prepare() error {
	if g.user != nil {
		if err := os.Chown(g.dir, int(g.user.Uid), int(g.user.Gid)); err != nil {
			return err
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	g.watchdog, g.pipe, err = spawn("/", nil, null, watch, g.dir)
	return err
}

// start starts a program in the directory. Only one can work at a time.
func (g *guard) start(program string, args ...string) error {
	log, err := os.OpenFile(g.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	worker, gate, err := spawn(g.dir, g.user, log, work, append([]string{program}, args...)...)
	if err != nil {
		return err
	}
	defer gate.Close()
	g.worker = worker
	if _, err := fmt.Fprintln(g.pipe, worker.Pid); err != nil {
		return err
	}
	_, err = fmt.Fprintln(gate)
	return err
}

// spawn starts a shell in a session of its own, so that no signal from a
// terminal reaches it. It returns the other end of its input.
func spawn(dir string, as *syscall.Credential, out *os.File, script string, args ...string) (*os.Process, *os.File, error) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		return nil, nil, err
	}
	in, input, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	process, err := os.StartProcess(sh, append([]string{"sh", "-c", script, "sh"}, args...), &os.ProcAttr{
		Dir:   dir,
		Env:   environment(),
		Files: []*os.File{in, out, out},
		Sys:   &syscall.SysProcAttr{Credential: as, Setsid: true},
	})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("shell in %s: %w", dir, err), input.Close())
	}
	return process, input, nil
}

// run runs a program in the directory to its end.
func (g *guard) run(program string, args ...string) error {
	if err := g.start(program, args...); err != nil {
		return err
	}
	status, err := g.wait()
	if err == nil && status != 0 {
		err = fmt.Errorf("exit status %d", status.ExitStatus())
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, g.logTail())
	}
	return nil
}

// stop sends the worker a signal and waits for its end.
func (g *guard) stop(signal syscall.Signal) error {
	if g.worker == nil {
		return nil
	}
	if err := g.worker.Signal(signal); err != nil {
		return err
	}
	if _, err := g.wait(); err != nil {
		return errors.Join(fmt.Errorf("%s does not end it: %w", signal, err), g.worker.Kill())
	}
	return nil
}

// wait waits for the end of the worker.
func (g *guard) wait() (syscall.WaitStatus, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		status, ended, err := g.ended()
		if ended || err != nil {
			return status, err
		}
		if time.Now().After(deadline) {
			return 0, errTimeout
		}
	}
}

var errTimeout = fmt.Errorf("no end after %s", patience)

// ended reports whether the worker has ended. Asking, unlike waiting, needs no
// goroutine, which a test that counts them would find.
func (g *guard) ended() (syscall.WaitStatus, bool, error) {
	status, ended, err := reap(g.worker)
	if !ended || err != nil {
		return status, ended, err
	}
	g.worker = nil
	_, err = fmt.Fprintln(g.pipe)
	return status, true, err
}

func reap(p *os.Process) (status syscall.WaitStatus, ended bool, err error) {
	pid, err := syscall.Wait4(p.Pid, &status, syscall.WNOHANG, nil)
	if errors.Is(err, syscall.EINTR) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("wait for process %d: %w", p.Pid, err)
	}
	return status, pid == p.Pid, nil
}

// close ends the worker and removes the directory.
func (g *guard) close() error {
	err := g.stop(syscall.SIGQUIT)
	if closed := g.pipe.Close(); closed != nil {
		return errors.Join(err, closed)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		_, ended, failed := reap(g.watchdog)
		if ended || failed != nil {
			return errors.Join(err, failed)
		}
		if time.Now().After(deadline) {
			return errors.Join(err, fmt.Errorf("watchdog of %s: %w", g.dir, errTimeout))
		}
	}
}

func (g *guard) path(name string) string {
	return filepath.Join(g.dir, name)
}

// logTail returns the last of what was printed in the directory.
func (g *guard) logTail() string {
	const tail = 4 << 10
	log, err := os.Open(g.path("log"))
	if err != nil {
		return err.Error()
	}
	defer log.Close()
	if info, err := log.Stat(); err == nil && info.Size() > tail {
		_, _ = log.Seek(-tail, io.SeekEnd) // the whole log does as well
	}
	text, err := io.ReadAll(log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// environment is ours without what changes the programs of PostgreSQL.
func environment() []string {
	kept := []string{"LC_ALL=C"}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "PG") && !strings.HasPrefix(variable, "LC_") && !strings.HasPrefix(variable, "LANG") {
			kept = append(kept, variable)
		}
	}
	return kept
}
