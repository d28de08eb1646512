package blobtest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/supportd/supportd/internal/blob"
)

func testPutOfOneKeyAtOnce(t *testing.T, s blob.Store) {
	content := random(200_000)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := s.Put(t.Context(), "a/b", iotest.HalfReader(bytes.NewReader(content))); err != nil {
				t.Errorf("Put beside others of the same key = %v, want nil", err)
			}
			// Readable at once, although another may be putting it yet.
			if got, err := read(t, s, "a/b"); err != nil || !bytes.Equal(got, content) {
				t.Errorf("Open after one of the Puts: %d bytes, %v; want the %d put", len(got), err, len(content))
			}
		})
	}
	group.Wait()
	wantKeys(t, s, "", "a/b")
}

// A store with folders removes those that become empty, and must not remove one
// that a Put is about to use.
func testPutBesideDelete(t *testing.T, s blob.Store) {
	const rounds = 40
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range rounds {
				kept := fmt.Sprintf("p/q%d/r/keep-%d", i, worker)
				brief := fmt.Sprintf("p/q%d/r/brief-%d", i, worker)
				for _, key := range []string{brief, kept} {
					if err := s.Put(t.Context(), key, bytes.NewReader([]byte(key))); err != nil {
						t.Errorf("Put(%q) beside Delete = %v, want nil", key, err)
					}
					if err := s.Delete(t.Context(), brief); err != nil {
						t.Errorf("Delete(%q) = %v, want nil", brief, err)
					}
				}
			}
		})
	}
	group.Wait()
	if got, want := len(mustList(t, s, "")), 4*rounds; got != want {
		t.Errorf("List yields %d keys, want %d: all that were put and not deleted", got, want)
	}
	for worker := range 4 {
		for i := range rounds {
			key := fmt.Sprintf("p/q%d/r/keep-%d", i, worker)
			if got, err := read(t, s, key); err != nil || string(got) != key {
				t.Errorf("Open(%q) = %q, %v; want what was put", key, got, err)
			}
		}
	}
}

func testListBesideChanges(t *testing.T, s blob.Store) {
	mustPut(t, s, "a/b/always", nil)
	var group sync.WaitGroup
	group.Go(func() {
		for i := range 50 {
			key := fmt.Sprintf("a/%d/x", i)
			mustPut(t, s, key, nil)
			mustDelete(t, s, key)
		}
	})
	for range 50 {
		found := false
		for info, err := range s.List(t.Context(), "a/") {
			if err != nil {
				t.Errorf("List beside Put and Delete yields %v, want none", err)
			}
			found = found || info.Key == "a/b/always"
		}
		if !found {
			t.Error("List beside Put and Delete misses the key that was always there")
		}
	}
	group.Wait()
}

// A sweep deletes what it lists, and others may run beside it.
func testDeleteWhileListing(t *testing.T, s blob.Store) {
	keys := []string{"a", "b", "c/d", "e/f/g", "e/f/h"}
	for _, key := range keys {
		mustPut(t, s, key, nil)
	}
	for _, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Errorf("List while all keys are deleted yields %v, want no error", err)
		}
		for _, key := range keys {
			mustDelete(t, s, key)
		}
	}
	wantKeys(t, s, "")
}

// random returns n bytes, the same for the same n.
func random(n int) []byte {
	content := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(content) // never fails
	return content
}

func read(t *testing.T, s blob.Store, key string) ([]byte, error) {
	r, err := s.Open(t.Context(), key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func mustRead(t *testing.T, s blob.Store, key string) []byte {
	t.Helper()
	content, err := read(t, s, key)
	if err != nil {
		t.Errorf("Open(%q) = %v", key, err)
	}
	return content
}

func mustPut(t *testing.T, s blob.Store, key string, content []byte) {
	t.Helper()
	if err := s.Put(t.Context(), key, bytes.NewReader(content)); err != nil {
		t.Errorf("Put(%q) = %v", key, err)
	}
}

func mustDelete(t *testing.T, s blob.Store, key string) {
	t.Helper()
	if err := s.Delete(t.Context(), key); err != nil {
		t.Errorf("Delete(%q) = %v", key, err)
	}
}

func mustList(t *testing.T, s blob.Store, prefix string) []blob.Info {
	t.Helper()
	var infos []blob.Info
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Errorf("List(%q) yields %v", prefix, err)
			return infos
		}
		infos = append(infos, info)
	}
	return infos
}

func modified(t *testing.T, s blob.Store, key string) time.Time {
	t.Helper()
	infos := mustList(t, s, key)
	if len(infos) != 1 {
		t.Fatalf("List(%q) yields %d keys, want 1", key, len(infos))
	}
	return infos[0].Modified
}
