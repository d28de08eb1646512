package s3blob_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/blob/s3blob/s3test"
)

// BenchmarkStores compares the bucket with a folder. The server runs on the same
// machine, so what is seen is the work, not the way.
func BenchmarkStores(b *testing.B) {
	folder, err := blob.OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = folder.Close() })
	stores := []struct {
		name  string
		store blob.Store
	}{{"Dir", folder}, {"S3", mustOpen(b, configOf(b, s3test.Start(b)))}}
	for _, size := range []int{1 << 10, 1 << 20} {
		for _, s := range stores {
			b.Run(fmt.Sprintf("Put/%s/%dKB", s.name, size>>10), func(b *testing.B) { benchmarkPut(b, s.store, size) })
			b.Run(fmt.Sprintf("Open/%s/%dKB", s.name, size>>10), func(b *testing.B) { benchmarkOpen(b, s.store, size) })
		}
	}
}

func benchmarkPut(b *testing.B, s blob.Store, size int) {
	content := random(size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		mustPut(b, s, fmt.Sprintf("bench/%d/%02x/%d", size, i%256, i), content)
	}
}

func benchmarkOpen(b *testing.B, s blob.Store, size int) {
	mustPut(b, s, "open", random(size))
	defer func() {
		if err := s.Delete(b.Context(), "open"); err != nil {
			b.Fatal(err)
		}
	}()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		r, err := s.Open(b.Context(), "open")
		if err != nil {
			b.Fatal(err)
		}
		// Hidden, as in a handler: else the copy is made by the kernel.
		n, err := io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r})
		if err != nil || n != int64(size) || r.Close() != nil {
			b.Fatalf("read %d bytes, %v", n, err)
		}
	}
}
