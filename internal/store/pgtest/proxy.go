//go:build unix

package pgtest

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Proxy is a network between clients and a server that a test can break. At
// first it passes everything on.
type Proxy struct {
	network, address string // of the server
	database         string
	listener         net.Listener
	running          sync.WaitGroup

	mu     sync.Mutex
	open   chan struct{} // closed while the proxy passes
	links  map[*link]struct{}
	closed bool
}

// link is one connection of a client.
type link struct {
	cut  context.CancelFunc
	gone chan struct{}
}

// NewProxy starts a proxy in front of the server at the URL, which ends with
// the test.
func NewProxy(t testing.TB, url string) *Proxy {
	t.Helper()
	server, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatalf("NewProxy(%q): %v", url, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("NewProxy(%q): %v", url, err)
	}
	p := &Proxy{database: server.Database, listener: listener, open: make(chan struct{}), links: map[*link]struct{}{}}
	p.network, p.address = pgconn.NetworkAddress(server.Host, server.Port)
	close(p.open)
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// URL returns the address of the database behind the proxy.
func (p *Proxy) URL() string {
	return tcpURL(p.listener.Addr().String(), p.database)
}

// Hang makes the proxy a black hole: connections, old and new, stay open and
// nothing passes, not even their end.
func (p *Proxy) Hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.passes() {
		p.open = make(chan struct{})
	}
}

// Resume ends Hang. What was sent meanwhile arrives late.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.passes() {
		close(p.open)
	}
}

// Cut closes all connections, also those that hang, and returns how many there
// were. New ones are welcome.
func (p *Proxy) Cut() int {
	p.mu.Lock()
	links := make([]*link, 0, len(p.links))
	for l := range p.links {
		links = append(links, l)
	}
	p.mu.Unlock()
	for _, l := range links {
		l.cut()
		<-l.gone
	}
	return len(links)
}

func (p *Proxy) passes() bool {
	select {
	case <-p.open:
		return true
	default:
		return false
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		ctx, cut := context.WithCancel(context.Background())
		l := &link{cut: cut, gone: make(chan struct{})}
		if !p.add(l) {
			cut()
			_ = client.Close() // nobody is there to be told
			return
		}
		p.running.Go(func() {
			p.serve(ctx, l, client)
			p.remove(l)
		})
	}
}

func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
	close(l.gone)
}

// serve connects a client to the server until either leaves or ctx ends.
func (p *Proxy) serve(ctx context.Context, l *link, client net.Conn) {
	defer l.cut()
	defer client.Close()
	if !p.wait(ctx) {
		return
	}
	server, err := new(net.Dialer).DialContext(ctx, p.network, p.address)
	if err != nil {
		return
	}
	defer server.Close()
	defer context.AfterFunc(ctx, func() {
		_ = client.Close() // wakes those who read
		_ = server.Close()
	})()
	var directions sync.WaitGroup
	for _, d := range [][2]net.Conn{{client, server}, {server, client}} {
		directions.Go(func() {
			p.pass(ctx, d[0], d[1])
			l.cut()
		})
	}
	directions.Wait()
}

// pass passes on what arrives, and returns at its end.
func (p *Proxy) pass(ctx context.Context, to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, failed := from.Read(buffer)
		if !p.wait(ctx) {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// wait waits until the proxy passes and reports whether it does before ctx ends.
func (p *Proxy) wait(ctx context.Context) bool {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	select {
	case <-open:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close() // it is gone either way
	p.Cut()
	p.running.Wait()
}
