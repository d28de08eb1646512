package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/supportd/supportd/internal/store"
)

// No request makes such rows. The order of those that both engines read is the
// same all the same, and none is lost between two pages.
func TestAttachmentBytesOfOneHashAndManySizesHaveAnOrder(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, s *store.Store) {
		const many = 600 // more than a page
		table := store.Tables()[slices.IndexFunc(store.Tables(), func(t store.Table) bool { return t.Name == "attachments" })]
		var rows []store.Row
		for i := range int64(many) {
			rows = append(rows, store.Row{"1", fmt.Sprint(i), "set", i, "a.txt", many - i, "hash", "", int64(0)})
		}
		if err := s.BeginImport(t.Context(), []byte{0}); err != nil {
			t.Fatal(err)
		}
		if err := s.Import(t.Context(), table, rows, []byte{0}, []byte{1}); err != nil {
			t.Fatal(err)
		}
		err := s.Snapshot(t.Context(), func(view store.Snapshot) error {
			next := int64(0)
			for row, err := range view.Rows(t.Context(), store.AttachmentBytes()) {
				if err != nil {
					return err
				}
				if next++; row[3] != next {
					t.Fatalf("row %d has size %v", next, row[3])
				}
			}
			if next != many {
				t.Errorf("%d rows were read, want %d", next, many)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
