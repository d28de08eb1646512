// Package blobtest tests implementations of [blob.Store]. It relies on the
// contract of the interface only: not on folders, not on how long a call takes
// and not on what a process that dies leaves behind.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/blob"
)

// Run tests the stores that open returns. Each call of open returns an empty
// store, which is released with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	tests := []struct {
		name string
		run  func(t *testing.T, s blob.Store)
	}{
		{"RoundTrip", testRoundTrip},
		{"MissingIsNotFound", testMissingIsNotFound},
		{"PutAgain", testPutAgain},
		{"PutRenewsModified", testPutRenewsModified},
		{"PutOfOneKeyAtOnce", testPutOfOneKeyAtOnce},
		{"Delete", testDelete},
		{"OpenSurvivesDelete", testOpenSurvivesDelete},
		{"ListByPrefix", testListByPrefix},
		{"ListStopsEarly", testListStopsEarly},
		{"KeyBesideItsExtension", testKeyBesideItsExtension},
		{"BadKeys", testBadKeys},
		{"FailingReaderLeavesNothing", testFailingReaderLeavesNothing},
		{"CancelledContextLeavesNothing", testCancelledContextLeavesNothing},
		{"CancelledContext", testCancelledContext},
		{"PutBesideDelete", testPutBesideDelete},
		{"ListBesideChanges", testListBesideChanges},
		{"DeleteWhileListing", testDeleteWhileListing},
		{"Check", testCheck},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

func testRoundTrip(t *testing.T, s blob.Store) {
	sizes := map[string]int{"empty": 0, "one": 1, "a/b/c/five-megabytes": 5 << 20, "dots.and_more-Signs0": 70_000}
	for key, size := range sizes {
		content := random(size)
		mustPut(t, s, key, content)
		if got := mustRead(t, s, key); !bytes.Equal(got, content) {
			t.Errorf("Open(%q) yields %d bytes that differ from the %d put", key, len(got), size)
		}
	}
	for _, info := range mustList(t, s, "") {
		if info.Size != int64(sizes[info.Key]) {
			t.Errorf("List: %s has size %d, want %d", info.Key, info.Size, sizes[info.Key])
		}
		if age := time.Since(info.Modified); age < -time.Hour || age > time.Hour {
			t.Errorf("List: %s was modified at %v, want about now", info.Key, info.Modified)
		}
	}
}

func testPutAgain(t *testing.T, s blob.Store) {
	content := random(1000)
	mustPut(t, s, "a/b", content)
	for range 2 {
		if err := s.Put(t.Context(), "a/b", iotest.OneByteReader(bytes.NewReader(content))); err != nil {
			t.Errorf("Put(existing key) = %v, want nil", err)
		}
	}
	if got := mustRead(t, s, "a/b"); !bytes.Equal(got, content) {
		t.Errorf("Open after Put again yields %d bytes that differ from those put", len(got))
	}
	wantKeys(t, s, "", "a/b")
}

func testPutRenewsModified(t *testing.T, s blob.Store) {
	mustPut(t, s, "a", []byte("a"))
	first := modified(t, s, "a")
	// Stores keep times as coarse as a second.
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		mustPut(t, s, "a", []byte("a"))
		if modified(t, s, "a").After(first) {
			return
		}
	}
	t.Errorf("List: modified at %v after Put again, want later", first)
}

func testMissingIsNotFound(t *testing.T, s blob.Store) {
	mustPut(t, s, "a/b", []byte("content"))
	for _, key := range []string{"a", "b", "a/c", "a/b/c", "a/b.", "A/b"} {
		wantMissing(t, s, key)
	}
}

func testDelete(t *testing.T, s blob.Store) {
	mustPut(t, s, "a/b", []byte("b"))
	mustPut(t, s, "a/c", []byte("c"))
	for range 2 {
		mustDelete(t, s, "a/b")
		wantMissing(t, s, "a/b")
	}
	mustDelete(t, s, "a")
	wantKeys(t, s, "", "a/c")
	mustPut(t, s, "a/b", []byte("again"))
	if got := mustRead(t, s, "a/b"); string(got) != "again" {
		t.Errorf("Open(a key that was deleted and put again) yields %q, want %q", got, "again")
	}
}

func testOpenSurvivesDelete(t *testing.T, s blob.Store) {
	content := random(1 << 20)
	mustPut(t, s, "a", content)
	r, err := s.Open(t.Context(), "a")
	if err != nil {
		t.Fatalf("Open(a) = %v", err)
	}
	defer r.Close()
	mustDelete(t, s, "a")
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
		t.Errorf("reading while deleted: %d bytes, %v; want the %d put", len(got), err, len(content))
	}
}

func testListByPrefix(t *testing.T, s blob.Store) {
	keys := []string{"a", "a-b", "a.b/c", "a/b", "a/b-c", "a/b/c", "a/b/c/d", "a0", "b/c"} // in order
	for _, i := range rand.Perm(len(keys)) {
		mustPut(t, s, keys[i], []byte(keys[i]))
	}
	wantKeys(t, s, "", keys...)
	for _, prefix := range []string{"a", "a/", "a/b", "a/b/", "a/b/c", "b", "b/c", "c", "a/b/c/d/e", "/", "a//", "..", "a."} {
		var want []string
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) {
				want = append(want, key)
			}
		}
		wantKeys(t, s, prefix, want...)
	}
}

func testListStopsEarly(t *testing.T, s blob.Store) {
	for _, key := range []string{"a/b/c", "a/b/d", "a/e"} {
		mustPut(t, s, key, nil)
	}
	n := 0
	for range s.List(t.Context(), "") {
		n++
		break
	}
	if n != 1 {
		t.Errorf("List yielded %d times, want to stop at 1", n)
	}
}

// In a store with folders a key could be in the way of a longer one.
func testKeyBesideItsExtension(t *testing.T, s blob.Store) {
	for _, key := range []string{"a/b", "a", "a/b/c"} {
		mustPut(t, s, key, []byte(key))
	}
	mustDelete(t, s, "a/b")
	for _, key := range []string{"a", "a/b/c"} {
		if got := string(mustRead(t, s, key)); got != key {
			t.Errorf("Open(%q) yields %q, want %q", key, got, key)
		}
	}
}

func testBadKeys(t *testing.T, s blob.Store) {
	bad := []string{
		"", "/", "a/", "/a", "a//b", ".", "..", "a/..", "../a", "a/./b", "a/b/c/d/e", "a b", "ä", "a\\b", "a\x00", "a\n", "a+", "a~", "a:b",
		"\xff", strings.Repeat("a", 201), "a/" + strings.Repeat("b", 201),
	}
	for _, key := range bad {
		if err := s.Put(t.Context(), key, strings.NewReader("x")); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Put(%q) = %v, want %v", key, err, blob.ErrBadKey)
		}
		if _, err := s.Open(t.Context(), key); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Open(%q) = %v, want %v", key, err, blob.ErrBadKey)
		}
		if err := s.Delete(t.Context(), key); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Delete(%q) = %v, want %v", key, err, blob.ErrBadKey)
		}
	}
	wantKeys(t, s, "")
	long := strings.Repeat("a", 200)
	for _, key := range []string{"...", ".a", "-", long + "/" + long + "/" + long + "/" + long} {
		mustPut(t, s, key, []byte(key))
		if got := string(mustRead(t, s, key)); got != key {
			t.Errorf("Open(%q) yields %q, want %q", key, got, key)
		}
	}
}

func testFailingReaderLeavesNothing(t *testing.T, s blob.Store) {
	broken := errors.New("the client went away")
	for _, sent := range []int{0, 10, 6 << 20} {
		r := io.MultiReader(bytes.NewReader(random(sent)), iotest.ErrReader(broken))
		if err := s.Put(t.Context(), "a/b", r); !errors.Is(err, broken) {
			t.Errorf("Put(reader that fails after %d bytes) = %v, want %v", sent, err, broken)
		}
		wantMissing(t, s, "a/b")
	}
	wantKeys(t, s, "")
	mustPut(t, s, "a/b", []byte("whole"))
	if got := string(mustRead(t, s, "a/b")); got != "whole" {
		t.Errorf("Open after failed Puts yields %q, want %q", got, "whole")
	}
}

func testCancelledContextLeavesNothing(t *testing.T, s blob.Store) {
	for _, sent := range []int{0, 10, 6 << 20} {
		ctx, cancel := context.WithCancel(t.Context())
		last := blob.ReaderFunc(func([]byte) (int, error) {
			cancel()
			return 0, io.EOF
		})
		if err := s.Put(ctx, "a/b", io.MultiReader(bytes.NewReader(random(sent)), last)); !errors.Is(err, context.Canceled) {
			t.Errorf("Put(cancelled after %d bytes) = %v, want %v", sent, err, context.Canceled)
		}
		wantMissing(t, s, "a/b")
	}
	wantKeys(t, s, "")
}

func testCancelledContext(t *testing.T, s blob.Store) {
	mustPut(t, s, "a", []byte("a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want := context.Canceled
	if err := s.Put(ctx, "b", strings.NewReader("b")); !errors.Is(err, want) {
		t.Errorf("Put(cancelled) = %v, want %v", err, want)
	}
	if _, err := s.Open(ctx, "a"); !errors.Is(err, want) {
		t.Errorf("Open(cancelled) = %v, want %v", err, want)
	}
	if err := s.Delete(ctx, "a"); !errors.Is(err, want) {
		t.Errorf("Delete(cancelled) = %v, want %v", err, want)
	}
	if err := s.Check(ctx); !errors.Is(err, want) {
		t.Errorf("Check(cancelled) = %v, want %v", err, want)
	}
	n := 0
	for _, err := range s.List(ctx, "") {
		if n++; !errors.Is(err, want) {
			t.Errorf("List(cancelled) yields %v, want %v", err, want)
		}
	}
	if n != 1 {
		t.Errorf("List(cancelled) yields %d times, want 1", n)
	}
	wantKeys(t, s, "", "a")
}

func testCheck(t *testing.T, s blob.Store) {
	mustPut(t, s, "a", []byte("a"))
	for range 2 {
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("Check() = %v, want nil", err)
		}
	}
	wantKeys(t, s, "", "a")
}

func wantKeys(t *testing.T, s blob.Store, prefix string, want ...string) {
	t.Helper()
	var got []string
	for _, info := range mustList(t, s, prefix) {
		got = append(got, info.Key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("List(%q) (-want +got):\n%s", prefix, diff)
	}
}

func wantMissing(t *testing.T, s blob.Store, key string) {
	t.Helper()
	r, err := s.Open(t.Context(), key)
	if err == nil {
		_ = r.Close() // it should not be open at all
	}
	if !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open(%q) = %v, want %v", key, err, blob.ErrNotFound)
	}
}
