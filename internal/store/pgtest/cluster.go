//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options are the settings of a cluster; the zero value is a fast one.
type Options struct {
	// Durable keeps what is committed when the server crashes, as in an
	// immediate stop. Otherwise the server does not wait for its files, and
	// they are in memory if the machine has enough and TMPDIR is not set.
	// That is much faster.
	Durable bool

	// TCP makes the server listen on a free port of 127.0.0.1, beside the
	// Unix socket that it always has.
	TCP bool

	// Settings are of postgresql.conf and win over those of this package.
	Settings map[string]string
}

// Mode is a way to stop a server.
type Mode int

// The modes of pg_ctl stop. Immediate is a crash, and the next start recovers
// from it; Fast ends the connections and writes everything down.
const (
	Immediate Mode = iota
	Fast
)

func (m Mode) signal() syscall.Signal {
	if m == Fast {
		return syscall.SIGINT
	}
	return syscall.SIGQUIT
}

// Cluster is a PostgreSQL server with its data. Only one goroutine at a time
// may stop and start it.
type Cluster struct {
	options  Options
	binaries string
	port     int
	home     *guard // the data, the socket and the log; the server works in it
}

// Start starts a cluster for one test. It accepts connections when Start
// returns, and is gone when the test has ended.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	needServer(t)
	c, err := newCluster(o)
	if err != nil {
		t.Fatalf("PostgreSQL server: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("PostgreSQL server:\n%s", c.home.logTail())
		}
		if err := c.home.close(); err != nil {
			t.Errorf("end of the PostgreSQL server: %v", err)
		}
	})
	return c
}

// URL returns the address of a database. It has the server's port on TCP if the
// options ask for TCP, else the Unix socket.
func (c *Cluster) URL(database string) string {
	if !c.options.TCP {
		return c.socketURL(database)
	}
	return tcpURL(net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)), database)
}

// CreateDatabase creates an empty database, which lasts as long as the cluster,
// and returns its URL.
func (c *Cluster) CreateDatabase(t testing.TB) (url string) {
	t.Helper()
	return c.URL(c.createDatabase(t))
}

// Stop stops the server.
func (c *Cluster) Stop(t testing.TB, m Mode) {
	t.Helper()
	if err := c.home.stop(m.signal()); err != nil {
		t.Fatalf("stop the PostgreSQL server: %v\n%s", err, c.home.logTail())
	}
}

// StartAgain starts a stopped server with the data and the address that it had.
// It accepts connections when StartAgain returns.
func (c *Cluster) StartAgain(t testing.TB) {
	t.Helper()
	if err := c.start(); err != nil {
		t.Fatalf("start the PostgreSQL server again: %v", err)
	}
}

// Restart stops the server and starts it again. It returns how long the server
// was away.
func (c *Cluster) Restart(t testing.TB, m Mode) time.Duration {
	t.Helper()
	began := time.Now()
	c.Stop(t, m)
	c.StartAgain(t)
	return time.Since(began)
}

// CutConnections makes the server end the connections of all clients to all
// databases, and returns how many there were.
func (c *Cluster) CutConnections(t testing.TB) int {
	t.Helper()
	return len(Query[bool](t, c.adminURL(), `SELECT pg_terminate_backend(pid, $1) FROM pg_stat_activity
		WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`, patience.Milliseconds()))
}

func (c *Cluster) createDatabase(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	// Nobody can be connected to template0, so tests do not wait for each other.
	create := "CREATE DATABASE " + name + " TEMPLATE template0"
	err := connected(c.adminURL(), func(ctx context.Context, conn *pgx.Conn) error {
		// Servers since 15 write all of it to the log otherwise, which takes twice as long.
		version, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), ".")
		if major, err := strconv.Atoi(version); err == nil && major >= 15 {
			create += " STRATEGY file_copy"
		}
		_, err := conn.Exec(ctx, create)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", create, err)
	}
	return name
}

func newCluster(o Options) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	from, err := template()
	if err != nil {
		return nil, err
	}
	home, err := newGuard(o.Durable)
	if err != nil {
		return nil, err
	}
	c := &Cluster{options: o, binaries: bin, port: 5432, home: home}
	err = home.run("cp", "-R", from.path("data"), c.home.path("data"))
	if err == nil {
		err = c.startFirst()
	}
	if err != nil {
		return nil, errors.Join(err, home.close())
	}
	return c, nil
}

// template returns the data of an empty cluster, which takes longer to make
// than to copy. It belongs to the process, see shared.
var template = sync.OnceValues(func() (*guard, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	g, err := newGuard(false)
	if err != nil {
		return nil, err
	}
	args := []string{
		"--pgdata=" + g.path("data"), "--username=postgres", "--auth=trust", "--encoding=UTF8",
		"--locale=" + locale(), "--lc-messages=C", "--no-sync",
	}
	// English sorts unlike bytes, whatever the machine has; servers before 15 and some builds do not know of it.
	initdb := filepath.Join(bin, "initdb")
	err = g.run(initdb, append(args, "--locale-provider=icu", "--icu-locale=en")...)
	if err != nil {
		err = g.run(initdb, args...)
	}
	if err != nil {
		return nil, errors.Join(err, g.close())
	}
	return g, nil
})

// startFirst starts the server on a port that is free. Somebody may take the
// port before the server does.
func (c *Cluster) startFirst() error {
	if !c.options.TCP {
		return c.start()
	}
	var err error
	for range 5 {
		if c.port, err = freePort(); err != nil {
			return err
		}
		err = c.start()
		if err == nil || !strings.Contains(err.Error(), "could not create any TCP/IP sockets") {
			return err
		}
	}
	return err
}

func (c *Cluster) start() error {
	args := []string{"-D", c.home.path("data")}
	settings := c.settings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	err := c.home.start(filepath.Join(c.binaries, "postgres"), args...)
	if err == nil {
		err = c.ready()
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, c.home.logTail())
	}
	return nil
}

func (c *Cluster) settings() map[string]string {
	s := map[string]string{
		"listen_addresses":        "",
		"log_line_prefix":         "%m [%p] %d ",
		"max_connections":         "300",
		"port":                    strconv.Itoa(c.port),
		"unix_socket_directories": c.home.dir,
	}
	if c.options.TCP {
		s["listen_addresses"] = "127.0.0.1"
	}
	if !c.options.Durable {
		s["fsync"] = "off"
		s["full_page_writes"] = "off"
		s["max_wal_size"] = "256MB"
		s["synchronous_commit"] = "off"
	}
	maps.Copy(s, c.options.Settings)
	return s
}

// ready waits until the server accepts connections.
func (c *Cluster) ready() error {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		status, ended, err := c.home.ended()
		if err != nil {
			return err
		}
		if ended {
			return fmt.Errorf("the server ended with status %d", status.ExitStatus())
		}
		err = connected(c.adminURL(), func(ctx context.Context, conn *pgx.Conn) error { return conn.Ping(ctx) })
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server is not ready after %s: %w", patience, err)
		}
	}
}

// adminURL is where databases are made and dropped.
func (c *Cluster) adminURL() string {
	return c.socketURL("postgres")
}

func (c *Cluster) socketURL(database string) string {
	parameters := url.Values{"host": {c.home.dir}, "port": {strconv.Itoa(c.port)}, "user": {"postgres"}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: parameters.Encode()}).String()
}

func tcpURL(address, database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Host: address, Path: "/" + database, RawQuery: "sslmode=disable"}).String()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
