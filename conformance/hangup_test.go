package conformance_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// A terminal that is closed ends the program like everything else that does, so
// that the temporary folder of test mode goes with it.
func TestAHangUpEndsTheProgramInOrder(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	// These tests may run under nohup, which programs inherit.
	p := exec.Command("env", "--default-signal=HUP", mustProgram(t), "serve", "--test", "--log-level", "error", "--listen", "127.0.0.1:0", "--test-listen", "127.0.0.1:0")
	p.Env = append(os.Environ(), "TMPDIR="+temporary)
	mustStart(t, p)
	if found, err := filepath.Glob(filepath.Join(temporary, "*")); err != nil || len(found) != 1 {
		t.Errorf("while the program runs there are %v, %v, want its folder", found, err)
	}
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("the program ended with %v, want nil", err)
	}
	if found, err := filepath.Glob(filepath.Join(temporary, "*")); err != nil || len(found) > 0 {
		t.Errorf("the program left %v, %v, want nothing", found, err)
	}
}
