package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store"
)

// A process of this test that finds these writes cases into the file until it
// has written so many, and prints the id of each when its update has returned.
const (
	fileVariable   = "STORE_TEST_FILE"
	prefixVariable = "STORE_TEST_PREFIX"
	countVariable  = "STORE_TEST_COUNT"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(fileVariable); file != "" {
		if err := write(file, os.Getenv(prefixVariable), os.Getenv(countVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func write(file, prefix, count string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, "sqlite://"+file)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	for i := range n {
		id := fmt.Sprintf("%s-%d", prefix, i)
		if err := insert(ctx, s, id); err != nil {
			return err
		}
		fmt.Println(id)
	}
	return s.Close()
}

// mustStartWriter starts a process that writes and returns what it prints.
func mustStartWriter(t *testing.T, file, prefix string, count int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), fileVariable+"="+file, prefixVariable+"="+prefix, countVariable+"="+strconv.Itoa(count))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start a second process: %v", err)
	}
	return cmd, bufio.NewScanner(out)
}

func TestProcessesWriteBesideEachOther(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := mustOpen(t, file)
	const each = 50
	var wg sync.WaitGroup
	for _, prefix := range []string{"second", "third"} {
		cmd, printed := mustStartWriter(t, file, prefix, each)
		wg.Go(func() {
			for printed.Scan() {
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("%s process: %v", prefix, err)
			}
		})
	}
	for i := range each {
		mustInsert(t, s, fmt.Sprintf("first-%d", i))
	}
	wg.Wait()
	for _, prefix := range []string{"first", "second", "third"} {
		for i := range each {
			if id := fmt.Sprintf("%s-%d", prefix, i); !has(t, s, id) {
				t.Errorf("case %s is not there", id)
			}
		}
	}
}

func TestWhatAKilledProcessAcknowledgedIsThere(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	cmd, printed := mustStartWriter(t, file, "victim", 1_000_000)
	var acknowledged []string
	for printed.Scan() {
		acknowledged = append(acknowledged, printed.Text())
		if len(acknowledged) == 100 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	s := mustOpen(t, file)
	if len(acknowledged) < 100 {
		t.Fatalf("the process acknowledged %d updates, want at least 100", len(acknowledged))
	}
	for _, id := range acknowledged {
		if !has(t, s, id) {
			t.Errorf("case %s was acknowledged and is not there", id)
		}
	}
	mustInsert(t, s, "after")
}

func TestEveryStoreOnAFileSeesTheIAMVersion(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	first, second := mustOpen(t, file), mustOpen(t, file)
	for i, pair := range [][2]*store.Store{{first, second}, {second, first}} {
		writer, reader := pair[0], pair[1]
		before := mustVersion(t, reader)
		a := iam.Account{ID: fmt.Sprintf("%012d", i)}
		if err := writer.IAM().Update(t.Context(), func(tx iam.Tx) error { return tx.InsertAccount(t.Context(), a) }); err != nil {
			t.Fatalf("InsertAccount() = %v", err)
		}
		if got := mustVersion(t, reader); got <= before {
			t.Errorf("IAMVersion() beside a change = %d, want more than %d", got, before)
		}
	}
}

func mustVersion(t *testing.T, s *store.Store) int64 {
	t.Helper()
	version, err := s.IAM().IAMVersion(t.Context())
	if err != nil {
		t.Fatalf("IAMVersion() = %v", err)
	}
	return version
}

// An administration command holds the lock for a moment; the server waits.
func TestAnUpdateWaitsForTheLockOfAnother(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	first, w := mustOpenWatched(t, file)
	second := mustOpen(t, file)
	tried := make(chan struct{})
	release := hold(t, second)
	w.intercept(func(text string) error {
		if text == "BEGIN IMMEDIATE" {
			close(tried)
		}
		return nil
	}, nil)
	done := make(chan error, 1)
	go func() { done <- insert(t.Context(), first, "a") }()
	<-tried
	release()
	if err := <-done; err != nil {
		t.Errorf("Update() while another store held the lock = %v, want nil", err)
	}
}
