package check_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/inventory"
)

func TestFilesThatWouldNotEndAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file *fstest.MapFile
		want string
	}{
		"pipe":    {&fstest.MapFile{Mode: fs.ModeNamedPipe}, "it is not a file"},
		"long":    {&fstest.MapFile{Data: []byte("id: x\n#" + strings.Repeat("x", 1<<20))}, "at most 1048576 are read"},
		"aliases": {&fstest.MapFile{Data: []byte("id: &a x\nname: *a\n")}, ":1:5: anchors and aliases are not read"},
	} {
		_, err := check.Load(inventory.Kinds{}, fstest.MapFS{"security/bad/check.yaml": test.file})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Load of a %s = %v, want an error with %q", name, err, test.want)
		}
	}
}

func TestLinksThatLeadOutOfThePackAreRefused(t *testing.T) {
	t.Parallel()
	outside, pack := t.TempDir(), t.TempDir()
	const text = "id: x\nname: n\ncategory: security\nabout: a\nunavailable: no\n"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(pack, "security", "kept"), 0o755))
	must(os.WriteFile(filepath.Join(pack, "real.yaml"), []byte(text), 0o600))
	must(os.Symlink("../../real.yaml", filepath.Join(pack, "security", "kept", "check.yaml"))) // as a ConfigMap of Kubernetes has it
	must(os.MkdirAll(filepath.Join(outside, "there"), 0o755))
	must(os.WriteFile(filepath.Join(outside, "there", "check.yaml"), []byte(strings.Replace(text, "id: x", "id: y", 1)), 0o600))
	load := func() error {
		folder, err := check.Folder(pack)
		must(err)
		_, err = check.Load(inventory.Kinds{}, folder)
		return err
	}
	if err := load(); err != nil {
		t.Errorf("Load with a link inside the pack = %v, want nil", err)
	}
	must(os.Mkdir(filepath.Join(pack, "security", "file"), 0o755))
	for link, to := range map[string]string{
		"security/file/check.yaml": filepath.Join(outside, "there", "check.yaml"),
		"security/folder":          filepath.Join(outside, "there"),
		"performance":              outside,
	} {
		must(os.Symlink(to, filepath.Join(pack, link)))
		if err := load(); err == nil || err.Error() != link+": path escapes from parent" {
			t.Errorf("Load with a link %s out of the pack = %v, want an error", link, err)
		}
		must(os.Remove(filepath.Join(pack, link)))
	}
	if _, err := check.Folder(filepath.Join(pack, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Folder of nothing = %v, want fs.ErrNotExist", err)
	}
}

func TestSavingsThatAreNoAmountMakeTheirCheckUnavailable(t *testing.T) {
	t.Parallel()
	definition := func(id, savings string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("id: " + id + "\nname: n\ncategory: security\nabout: a\nresource: t.thing\nwarning: 'true'\nsavings: " + savings + "\n")}
	}
	type thing struct{ Size *int32 }
	kinds := inventory.Kinds{"t.thing": {Name: "t.thing", Type: inventory.TypeOf(reflect.TypeFor[thing]())}}
	pack, err := check.Load(kinds, fstest.MapFS{
		"security/a/check.yaml": definition("a", "1.0 / double(resource.Size - 600)"),
		"security/b/check.yaml": definition("b", "2.0"),
	})
	if err != nil {
		t.Fatal(err)
	}
	results, err := check.Evaluation{Checks: pack.Checks()}.Run(t.Context(), &inventory.Memory{
		Head: inventory.Header{Needs: inventory.Needs{"t.thing": nil}},
		All:  []inventory.Resource{{Kind: "t.thing", ID: "x", Attributes: map[string]any{"Size": 600.0}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Status != check.NotAvailable || !strings.Contains(results[0].Cause, "want an amount") {
		t.Errorf("the check with 1/0 is %s %q, want it not available with the cause", results[0].Status, results[0].Cause)
	}
	if results[1].Status != check.Warning || results[1].Savings != 2 {
		t.Errorf("the check beside it is %s with savings %v, want a warning with 2", results[1].Status, results[1].Savings)
	}
}
