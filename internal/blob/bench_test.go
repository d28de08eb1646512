package blob_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

const fiveMegabytes = 5 << 20 // the largest attachment

func BenchmarkPut(b *testing.B) {
	content := make([]byte, fiveMegabytes)
	d := mustOpenDir(b, b.TempDir())
	b.SetBytes(fiveMegabytes)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key := fmt.Sprintf("bench/%02x/%d", i%256, i)
		if err := d.Put(b.Context(), key, bytes.NewReader(content)); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := d.Delete(b.Context(), key); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkPutSmall(b *testing.B) {
	d := mustOpenDir(b, b.TempDir())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := d.Put(b.Context(), fmt.Sprintf("bench/%02x/%d", i%256, i), bytes.NewReader([]byte("x"))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutExisting(b *testing.B) {
	d := mustOpenDir(b, b.TempDir())
	b.ReportAllocs()
	for b.Loop() {
		mustPut(b, d, "bench/00/0", "x")
	}
}

func BenchmarkOpen(b *testing.B) {
	d := mustOpenDir(b, b.TempDir())
	mustPut(b, d, "bench/00/0", string(make([]byte, fiveMegabytes)))
	b.SetBytes(fiveMegabytes)
	b.ReportAllocs()
	for b.Loop() {
		r, err := d.Open(b.Context(), "bench/00/0")
		if err != nil {
			b.Fatal(err)
		}
		// Hidden, as in a handler: else the copy is made by the kernel.
		n, err := io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r})
		if err != nil || n != fiveMegabytes || r.Close() != nil {
			b.Fatalf("read %d bytes, %v", n, err)
		}
	}
}

// BenchmarkWriteFile is the floor: no sync, no move.
func BenchmarkWriteFile(b *testing.B) {
	writeFiles(b, func(*os.File) error { return nil })
}

// BenchmarkWriteFileSync is the floor of what survives a crash.
func BenchmarkWriteFileSync(b *testing.B) {
	writeFiles(b, (*os.File).Sync)
}

func writeFiles(b *testing.B, sync func(*os.File) error) {
	content := make([]byte, fiveMegabytes)
	folder := b.TempDir()
	b.SetBytes(fiveMegabytes)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		name := filepath.Join(folder, fmt.Sprint(i))
		f, err := os.Create(name)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Write(content); err != nil || sync(f) != nil || f.Close() != nil {
			b.Fatalf("write %s: %v", name, err)
		}
		b.StopTimer()
		if err := os.Remove(name); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
