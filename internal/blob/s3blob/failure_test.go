package s3blob_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/blob/s3blob"
	"github.com/supportd/supportd/internal/blob/s3blob/s3test"
)

// between stands between a store and its server. What is set takes the place of
// passing on.
type between struct {
	request  atomic.Pointer[func(w http.ResponseWriter, r *http.Request) (handled bool)]
	response atomic.Pointer[func(r *http.Response)]
	seen     atomic.Int64
}

// openBetween returns a store that reaches the server through b.
func openBetween(t *testing.T, b *between, change func(c *s3blob.Config)) (*s3blob.Store, *s3test.Server, s3blob.Config) {
	t.Helper()
	server := s3test.Start(t)
	target, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ModifyResponse: func(r *http.Response) error {
			if f := b.response.Load(); f != nil {
				(*f)(r)
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.seen.Add(1)
		if f := b.request.Load(); f != nil && (*f)(w, r) {
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	c := configOf(t, server)
	c.Endpoint = front.URL
	if change != nil {
		change(&c)
	}
	return mustOpen(t, c), server, c
}

func (b *between) onRequest(f func(w http.ResponseWriter, r *http.Request) bool) { b.request.Store(&f) }

func (b *between) onResponse(f func(r *http.Response)) { b.response.Store(&f) }

// cut ends the bodies of downloads in the middle, as a lost connection does.
func cut(r *http.Response) {
	if r.Request.Method == http.MethodGet {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r.Body, r.ContentLength/2), r.Body}
	}
}

func TestDownloadCutShort(t *testing.T) {
	for _, size := range []int{10, s3blob.WholeUpTo, s3blob.WholeUpTo + 1, s3blob.PartSize + 1} {
		var b between
		s, _, _ := openBetween(t, &b, func(c *s3blob.Config) { c.RequestTimeout = 200 * time.Millisecond })
		content := random(size)
		mustPut(t, s, "a", content)
		b.onResponse(cut)
		if got, err := read(t, s, "a"); err == nil {
			t.Errorf("reading %d bytes of which half come: %d bytes, nil; want an error", size, len(got))
		}
		if size > s3blob.WholeUpTo {
			continue
		}
		var once atomic.Bool
		b.onResponse(func(r *http.Response) {
			if once.CompareAndSwap(false, true) {
				cut(r)
			}
		})
		wantContent(t, s, "a", content)
	}
}

// A proxy that also shortens the header hides the cut from HTTP, but not from
// the checksum.
func TestDownloadDamaged(t *testing.T) {
	damages := map[string]func(content []byte) []byte{
		"cut":     func(content []byte) []byte { return content[:len(content)/2] },
		"flipped": func(content []byte) []byte { content[len(content)/2] ^= 1; return content },
	}
	for name, damage := range damages {
		for _, size := range []int{10, s3blob.WholeUpTo + 1} {
			var b between
			s, _, _ := openBetween(t, &b, func(c *s3blob.Config) { c.RequestTimeout = 200 * time.Millisecond })
			mustPut(t, s, "a", random(size))
			b.onResponse(func(r *http.Response) {
				content, _ := io.ReadAll(r.Body) // what there is
				content = damage(content)
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
				r.Header.Del("Content-Length")
			})
			if got, err := read(t, s, "a"); err == nil {
				t.Errorf("reading %d bytes that were %s on the way: %d bytes, nil; want an error", size, name, len(got))
			}
		}
	}
}

func TestUploadDamaged(t *testing.T) {
	for _, size := range []int{10, s3blob.PartSize + 10} {
		var b between
		s, server, c := openBetween(t, &b, nil)
		b.onRequest(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut {
				content, _ := io.ReadAll(r.Body) // what there is
				content[len(content)/2] ^= 1
				r.Body = io.NopCloser(bytes.NewReader(content))
			}
			return false
		})
		if err := s.Put(t.Context(), "a", bytes.NewReader(random(size))); err == nil {
			t.Errorf("Put(%d bytes of which one is flipped on the way) = nil, want an error", size)
		}
		wantKeys(t, s)
		wantNoUploads(t, server, c.Bucket)
	}
}

func TestServerIsBusy(t *testing.T) {
	var b between
	s, _, _ := openBetween(t, &b, nil)
	calls := map[string]func() error{
		"Put":      func() error { return s.Put(t.Context(), "a", strings.NewReader("x")) },
		"long Put": func() error { return s.Put(t.Context(), "b", bytes.NewReader(random(s3blob.PartSize+1))) },
		"Check":    func() error { return s.Check(t.Context()) },
		"Delete":   func() error { return s.Delete(t.Context(), "c") },
		"List": func() error {
			for _, err := range s.List(t.Context(), "") {
				return err
			}
			return nil
		},
		"Open": func() error {
			if _, err := s.Open(t.Context(), "none"); !errors.Is(err, blob.ErrNotFound) {
				return err
			}
			return nil
		},
	}
	for name, call := range calls {
		var refused atomic.Int64
		b.onRequest(func(w http.ResponseWriter, _ *http.Request) bool {
			if refused.Add(1) > 2 {
				return false
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>")
			return true
		})
		if err := call(); err != nil {
			t.Errorf("%s of a server that is busy at first = %v, want nil", name, err)
		}
		if n := refused.Load(); n < 3 {
			t.Errorf("%s asks %d times, want it repeated", name, n)
		}
	}
}

// hang takes requests and never answers.
func hang(_ http.ResponseWriter, r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body) // else the end of the connection is not seen
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

func TestServerHangs(t *testing.T) {
	var b between
	s, _, c := openBetween(t, &b, func(c *s3blob.Config) {
		c.AttemptTimeout, c.RequestTimeout = 50*time.Millisecond, 300*time.Millisecond
	})
	b.onRequest(hang)
	calls := map[string]func(ctx context.Context) error{
		"Put":    func(ctx context.Context) error { return s.Put(ctx, "a", strings.NewReader("x")) },
		"Delete": func(ctx context.Context) error { return s.Delete(ctx, "a") },
		"Check":  s.Check,
		"Open": func(ctx context.Context) error {
			_, err := s.Open(ctx, "a")
			return err
		},
		"List": func(ctx context.Context) error {
			for _, err := range s.List(ctx, "") {
				return err
			}
			return nil
		},
		"opening": func(ctx context.Context) error {
			_, err := s3blob.Open(ctx, c)
			return err
		},
	}
	const long = 5 * time.Second // for a machine with much else to do
	for name, call := range calls {
		b.seen.Store(0)
		start := time.Now()
		if err := call(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer") || time.Since(start) > long {
			t.Errorf("%s of a server that hangs = %v after %v, want that it does not answer", name, err, time.Since(start))
		}
		if n := b.seen.Load(); n < 2 {
			t.Errorf("%s of a server that hangs asks %d times, want it repeated", name, n)
		}
	}

	c.AttemptTimeout, c.RequestTimeout = 0, 0
	b.request.Store(nil)
	s = mustOpen(t, c)
	b.onRequest(hang)
	for name, call := range calls {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		start := time.Now()
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > long {
			t.Errorf("%s with a deadline = %v after %v, want %v", name, err, time.Since(start), context.DeadlineExceeded)
		}
		cancel()
	}
}

func TestServerHangsWithinADownload(t *testing.T) {
	var b between
	s, _, _ := openBetween(t, &b, func(c *s3blob.Config) {
		c.AttemptTimeout, c.RequestTimeout = 500*time.Millisecond, 100*time.Millisecond
	})
	sizes := []int{1000, s3blob.WholeUpTo + 1}
	for _, size := range sizes {
		mustPut(t, s, "a", random(size))
		b.onResponse(func(r *http.Response) {
			rest := blob.ReaderFunc(func([]byte) (int, error) {
				<-r.Request.Context().Done()
				return 0, r.Request.Context().Err()
			})
			r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, r.ContentLength/2), rest))
		})
		start := time.Now()
		_, err := read(t, s, "a")
		if err == nil || !strings.Contains(err.Error(), "does not answer") || time.Since(start) > 5*time.Second {
			t.Errorf("reading %d bytes of which the rest does not come = %v after %v, want that the server does not answer", size, err, time.Since(start))
		}
		b.response.Store(nil)
	}
}

// A slow reader is not a slow server: the time before and between reads does
// not count.
func TestSlowReader(t *testing.T) {
	var b between
	s, _, _ := openBetween(t, &b, func(c *s3blob.Config) { c.AttemptTimeout = 200 * time.Millisecond })
	content := random(3 * s3blob.PartSize)
	mustPut(t, s, "a", content)
	r, err := s.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	half := make([]byte, len(content)/2)
	<-time.After(300 * time.Millisecond)
	if _, err := io.ReadFull(r, half); err != nil {
		t.Fatal(err)
	}
	<-time.After(300 * time.Millisecond) // longer than the server may be silent
	rest, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(append(half, rest...), content) {
		t.Errorf("reading with a pause: %d bytes, %v; want the %d put", len(half)+len(rest), err, len(content))
	}
}

func TestCancelledWithinAnUpload(t *testing.T) {
	var b between
	s, server, c := openBetween(t, &b, nil)
	for _, size := range []int{10, s3blob.PartSize + 10} {
		ctx, cancel := context.WithCancel(t.Context())
		b.onRequest(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut {
				return false
			}
			cancel()
			return hang(w, r)
		})
		if err := s.Put(ctx, "a", bytes.NewReader(random(size))); !errors.Is(err, context.Canceled) {
			t.Errorf("Put(%d bytes, cancelled on the way) = %v, want %v", size, err, context.Canceled)
		}
		cancel()
		wantKeys(t, s)
		wantNoUploads(t, server, c.Bucket)
	}
}

// What a Put sends is verified by servers old and new, also where TLS ends
// before them: no checksum after the body, a hash of it in the signature and one
// to keep.
func TestPutSendsItsHash(t *testing.T) {
	var sent []http.Header
	front := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			sent = append(sent, r.Header)
			return
		}
		_, _ = io.WriteString(w, "<ListBucketResult/>")
	}))
	t.Cleanup(front.Close)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	if err := os.WriteFile(bundle, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	c := s3blob.Config{Bucket: "bucket", Endpoint: front.URL, PathStyle: true, AccessKeyID: "key", SecretAccessKey: "secret"}
	mustPut(t, mustOpen(t, c), "a", []byte("x"))
	want := map[string]string{
		"X-Amz-Content-Sha256":  "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
		"X-Amz-Checksum-Sha256": "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=",
		"X-Amz-Trailer":         "",
		"Content-Encoding":      "",
	}
	for name, want := range want {
		if len(sent) != 1 || sent[0].Get(name) != want {
			t.Errorf("Put sends %v, want %s %q", sent, name, want)
		}
	}
}
