package cases_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/fault"
)

func TestFilesAreOutOfReachUntilAttached(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	set := o.mustAdd(t, "", files("a"))
	// The ids of files that wait are told to nobody, so this one gets an id we know.
	waiting := cases.Attachment{Account: account, ID: "attachment-waiting", SetID: set.ID, Position: 2, FileName: "b"}
	o.mustUpdate(t, func(ctx context.Context, tx cases.Tx) error { return tx.InsertAttachment(ctx, waiting) })
	_, err := o.Attachment(t.Context(), alice(), waiting.ID)
	wantError(t, "Attachment(not attached)", err, cases.ErrAttachmentNotFound)

	in := question()
	in.AttachmentSetID = o.mustAdd(t, "", files("a")).ID
	created := o.now()
	attached := o.mustFindOne(t, o.mustCreate(t, in)).Recent[0].Attachments[0]
	_, err = o.Attachment(t.Context(), stranger(), attached.ID)
	wantError(t, "Attachment(of another account)", err, cases.ErrAttachmentNotFound)
	_, err = o.Attachment(t.Context(), alice(), "attachment-unknown")
	wantError(t, "Attachment(unknown)", err, cases.ErrAttachmentNotFound)
	o.set(created.AddDate(1, 0, 0))
	_, err = o.Attachment(t.Context(), alice(), attached.ID)
	wantError(t, "Attachment(of a case beyond its retention)", err, cases.ErrAttachmentNotFound)
}

// blobFiles returns the files in which the bytes of attachments are.
func (o *office) blobFiles(t testing.TB) (found []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(o.folder, "objects"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestDamagedBytesAreAnErrorNotData(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	in := question()
	in.AttachmentSetID = o.mustAdd(t, "", files("a")).ID
	id := o.mustFindOne(t, o.mustCreate(t, in)).Recent[0].Attachments[0].ID
	file := o.blobFiles(t)[0]
	for name, damage := range map[string]func() error{
		"another bit": func() error { return os.WriteFile(file, []byte("Content of a"), 0o600) },
		"cut":         func() error { return os.Truncate(file, 3) },
		"empty":       func() error { return os.Truncate(file, 0) },
		"longer":      func() error { return os.WriteFile(file, []byte("content of a!"), 0o600) },
		"lost":        func() error { return os.Remove(file) },
	} {
		if err := os.WriteFile(file, []byte("content of a"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Attachment(t.Context(), alice(), id); err != nil {
			t.Errorf("Attachment(sound) = %v, want nil", err)
		}
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		got, err := o.Attachment(t.Context(), alice(), id)
		if _, ok := err.(*fault.Error); err == nil || ok || got.Data != nil {
			t.Errorf("Attachment(%s) = %q, %v, want an internal error and no data", name, got.Data, err)
		}
	}
}
