package server_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/uuid"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// The benchmarks on PostgreSQL stand beside pgbench, which sends the same
// statements for the same rows, with as many clients, to the same server.

// cluster is several nodes on one PostgreSQL, and clients of several accounts.
type cluster struct {
	database string // URL
	nodes    []*bench
	keys     []aws.Credentials
	next     atomic.Int64
}

const benchClients = 8

func startCluster(b *testing.B, postgres *pgtest.Cluster, nodes, accounts int) *cluster {
	b.Helper()
	data := filepath.Join(b.TempDir(), "data")
	c := &cluster{database: postgres.CreateDatabase(b)}
	for i := range nodes {
		s, err := server.Open(b.Context(), server.Config{Data: data, Database: c.database, Blobs: "file://" + filepath.Join(data, "attachments"), Listen: "127.0.0.1:0"})
		if err != nil {
			b.Fatal(err)
		}
		if i == 0 {
			c.mustCreateAccounts(b, s, accounts)
		}
		c.nodes = append(c.nodes, serveBench(b, s))
	}
	return c
}

func (c *cluster) mustCreateAccounts(b *testing.B, s *server.Server, n int) {
	b.Helper()
	for i := range n {
		a := iam.Account{ID: benchAccount(i), Name: "Bench", Email: "owner@example.com", Plan: "enterprise"}
		if _, err := s.IAM.CreateAccount(b.Context(), a); err != nil {
			b.Fatal(err)
		}
		key, err := s.IAM.CreateKey(b.Context(), a.ID, "")
		if err != nil {
			b.Fatal(err)
		}
		c.keys = append(c.keys, aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret})
	}
}

func benchAccount(i int) string { return strconv.Itoa(100_000_000_000 + i) }

// run shares the calls among the nodes and the accounts.
func (c *cluster) run(b *testing.B, operation string, body []byte) {
	b.Helper()
	runClients(b, benchClients, func() error {
		n := int(c.next.Add(1))
		node := *c.nodes[n%len(c.nodes)]
		node.keys = c.keys[n/len(c.nodes)%len(c.keys)]
		_, err := node.do(node.url, operation, body, uuid.NewString())
		return err
	})
}

// pgbench runs a script with prepared statements on as many connections as the
// benchmark has clients, and reports its time for one run of the script.
func pgbench(b *testing.B, url, script string) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "script.sql")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		b.Fatal(err)
	}
	each := max(1, b.N/benchClients)
	command := exec.CommandContext(b.Context(), pgtest.Bin(b, "pgbench"), "--no-vacuum", "--protocol=prepared",
		"--client="+strconv.Itoa(benchClients), "--jobs=2", "--transactions="+strconv.Itoa(each), "--file="+file, url)
	var failures bytes.Buffer
	command.Stderr = &failures
	out, err := command.Output()
	if err != nil {
		b.Fatalf("pgbench: %v\n%s", err, failures.Bytes())
	}
	tps := regexp.MustCompile(`tps = ([0-9.]+) \(without`).FindSubmatch(out)
	if tps == nil {
		b.Fatalf("pgbench says %s", out)
	}
	rate, err := strconv.ParseFloat(string(tps[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(1e9/rate, "ns/op")
}

// createScript inserts what CreateCase does, into as many accounts.
func createScript(accounts int, body string) string {
	return fmt.Sprintf(`\set account 100000000000 + random(0, %d)
\set id random(1, 9000000000000000)
\set key random(1, 9000000000000000)
\set now 1790000000000000 + random(1, 1000000000)
BEGIN;
SELECT answer FROM answers WHERE account = (:account)::bigint::text AND key = int8send(:key);
INSERT INTO cases (account, id, display_id, subject, status, service_code, category_code, severity_code, issue_type, language,
	submitted_by, cc_addresses, created_at, resolved_at, communications, moves)
VALUES ((:account)::bigint::text, 'case-100000000000-muen-2026-' || (:id)::bigint, (:id)::bigint::text, 'The instance does not start', 'unassigned',
	'amazon-elastic-compute-cloud-linux', 'instance-issue', 'high', 'technical', 'en', 'owner@example.com', '', :now, 0, 1, 0)
ON CONFLICT (account, display_id) DO NOTHING;
INSERT INTO communications (account, case_id, number, body, submitted_by, created_at)
VALUES ((:account)::bigint::text, 'case-100000000000-muen-2026-' || (:id)::bigint, 1, '%s', 'owner@example.com', :now);
INSERT INTO answers (account, key, answer, created_at) VALUES ((:account)::bigint::text, int8send(:key), int8send(:id), :now);
COMMIT;
`, accounts-1, body)
}

func BenchmarkPostgresCreateCase(b *testing.B) {
	text := strings.Repeat("It was stopped yesterday. ", 20)
	body := []byte(`{"subject":"The instance does not start","communicationBody":"` + text +
		`","serviceCode":"amazon-elastic-compute-cloud-linux","categoryCode":"instance-issue","severityCode":"high","language":"en"}`)
	postgres := pgtest.Start(b, pgtest.Options{Durable: true})
	for _, accounts := range []int{1, benchClients} {
		for _, nodes := range []int{1, 2} {
			b.Run(fmt.Sprintf("accounts=%d/nodes=%d", accounts, nodes), func(b *testing.B) {
				c := startCluster(b, postgres, nodes, accounts)
				b.Run("supportd", func(b *testing.B) { c.run(b, "CreateCase", body) })
			})
		}
		b.Run(fmt.Sprintf("accounts=%d/pgbench", accounts), func(b *testing.B) {
			c := startCluster(b, postgres, 1, accounts)
			b.Run("script", func(b *testing.B) { pgbench(b, c.database, createScript(accounts, text)) })
		})
	}
}

// describeScript reads the rows of a page of ten and of its communications.
func describeScript(after time.Time) string {
	page := fmt.Sprintf(`SELECT * FROM cases WHERE account = '%s' AND (created_at, id) > (%d, '') ORDER BY created_at, id LIMIT 11`,
		benchAccount(0), after.UnixMicro())
	return `SELECT version FROM iam_version WHERE id = 1;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
` + page + `;
SELECT m.* FROM (` + page + `) AS c JOIN communications AS m
	ON m.account = c.account AND m.case_id = c.id AND m.number > c.communications - 5 ORDER BY c.id, m.number DESC;
SELECT a.* FROM (` + page + `) AS c JOIN attachments AS a
	ON a.account = c.account AND a.case_id = c.id AND a.communication > c.communications - 5;
COMMIT;
`
}

func BenchmarkPostgresDescribeCases(b *testing.B) {
	postgres := pgtest.Start(b, pgtest.Options{Durable: true})
	c := startCluster(b, postgres, 2, 2)
	for _, n := range []int{1_000, 1_000_000} {
		if testing.Short() && n > 1_000 {
			b.Skip("short: a million cases take minutes to make")
		}
		middle := seedCases(b, c.database, benchAccount(0), n)
		neighbour := seedCases(b, c.database, benchAccount(1), 1_000)
		pgtest.Exec(b, c.database, "VACUUM ANALYZE") // as autovacuum does after a while
		for i, at := range []time.Time{middle, neighbour} {
			name := fmt.Sprintf("cases=%d", n)
			if i == 1 {
				name += "/neighbour"
			}
			body := fmt.Appendf(nil, `{"maxResults":10,"includeResolvedCases":true,"afterTime":%q}`, at.Format(time.RFC3339))
			for _, nodes := range []int{1, 2} {
				some := &cluster{nodes: c.nodes[:nodes], keys: c.keys[i : i+1]}
				b.Run(fmt.Sprintf("%s/nodes=%d", name, nodes), func(b *testing.B) { some.run(b, "DescribeCases", body) })
			}
		}
		b.Run(fmt.Sprintf("cases=%d/pgbench", n), func(b *testing.B) { pgbench(b, c.database, describeScript(middle)) })
	}
}

// seedCases replaces the cases of an account by n with two communications each,
// half of them resolved, one every few seconds, and returns the time of the
// middle one.
func seedCases(b *testing.B, database, account string, n int) time.Time {
	b.Helper()
	for _, table := range []string{"cases", "communications"} {
		pgtest.Exec(b, database, "DELETE FROM "+table+" WHERE account = $1", account)
	}
	db, err := store.Open(b.Context(), database)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	return seedStore(b, db, account, n)
}
