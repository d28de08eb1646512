package server_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/store"
)

// BenchmarkDesk reads pages of queues, all counts and a search, with half of the
// cases open: the cost may not depend on how many there are.
func BenchmarkDesk(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("cases=%d", n), func(b *testing.B) {
			if testing.Short() && n > 1_000 {
				b.Skip("short: a million cases take some minutes to make")
			}
			s, token := startDeskBench(b, n)
			for _, read := range []struct{ name, path string }{
				{"unassigned", "cases?view=unassigned&limit=50"},
				{"mine", "cases?view=mine&limit=50"},
				{"breaching", "cases?view=breaching&limit=50"},
				{"severity", "cases?severity=critical&limit=50"},
				{"unassigned of a service", "cases?view=unassigned&service=aws-lambda&limit=50"},
				{"counts", "views"},
				{"search", "cases?text=scattered-7&limit=50"},
			} {
				answer, err := s.get(s.url+"desk/v1/"+read.path, token)
				if err != nil {
					b.Fatal(err)
				}
				bare := startBare(b, answer)
				for _, twin := range []struct{ name, url string }{{"supportd", s.url + "desk/v1/" + read.path}, {"bare", bare}} {
					b.Run(read.name+"/"+twin.name, func(b *testing.B) {
						runClients(b, 1, func() error {
							_, err := s.get(twin.url, token)
							return err
						})
					})
				}
			}
		})
	}
}

func startDeskBench(b *testing.B, n int) (*bench, string) {
	b.Helper()
	data := filepath.Join(b.TempDir(), "data")
	s, err := server.Open(b.Context(), server.Config{Data: data, Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	first, err := s.FirstRun(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	who, err := s.Desk.Authenticate(b.Context(), first.DeskToken)
	if err != nil {
		b.Fatal(err)
	}
	seedDesk(b, data, who.Agent.ID, n)
	return serveBench(b, s), first.DeskToken
}

func (s *bench) get(url, token string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return s.send(r, url)
}

// seedDesk puts n cases with their items beside the server, of which every
// second one is open, every tenth of those has an agent, and one in a thousand
// is the given one's.
func seedDesk(b *testing.B, data, agent string, n int) {
	b.Helper()
	db, err := store.Open(b.Context(), "sqlite://"+filepath.Join(data, "supportd.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	first := time.Now().UTC().Truncate(time.Second).Add(-time.Duration(n) * 20 * time.Second)
	const batch = 1000
	for done := 0; done < n; done += batch {
		err := db.Desk().Update(b.Context(), server.FirstAccountID, func(tx desk.Tx) error {
			for i := done; i < done+batch; i++ {
				at := first.Add(time.Duration(i) * 20 * time.Second)
				if err := seedCase(b.Context(), tx, server.FirstAccountID, i, at); err != nil {
					return err
				}
				if err := seedItem(b.Context(), tx, i, at, agent); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func seedItem(ctx context.Context, tx desk.Tx, i int, at time.Time, agent string) error {
	scattered := uint64(i) * 0x9E3779B97F4A7C15
	item := desk.Item{
		Key:    desk.Key{Account: server.FirstAccountID, CaseID: fmt.Sprintf("case-%s-muen-%d-%016x", server.FirstAccountID, at.Year(), scattered)},
		Status: cases.Unassigned, Severity: "high", Service: "amazon-elastic-compute-cloud-linux", Language: "en",
		Due: at.Add(4 * time.Hour), Version: 1, CreatedAt: at, ChangedAt: at,
		History: desk.History{Plan: "enterprise", Moments: []desk.Moment{{At: at, What: desk.Opened, Severity: "high"}}},
	}
	switch {
	case i%2 == 0:
		item.Status, item.Due = cases.Resolved, time.Time{}
	case i%1000 == 1:
		item.Assignee, item.Status = agent, cases.Opened
	case i%10 == 3:
		item.Assignee, item.Status = fmt.Sprintf("agent-%d", i%70), cases.WorkInProgress
	}
	if i%100 == 7 {
		item.Severity, item.Service = "critical", "aws-lambda"
	}
	if err := tx.InsertItem(ctx, item); err != nil {
		return err
	}
	terms := desk.Terms(fmt.Sprintf("The instance does not start scattered-%d", i%1000))
	return tx.InsertText(ctx, desk.Text{Key: item.Key, Terms: terms, At: at})
}
