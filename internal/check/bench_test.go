package check_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/checks"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/collect"
	"github.com/supportd/supportd/internal/inventory"
)

// The resources of a file are not held in memory, but for what joins keep.
func TestMemoryStaysBoundedWhateverTheSizeOfTheInventory(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	n := 10_000
	if raceDetector { // it takes several times as long
		n = 3_000
	}
	pack := mustPack(t)
	file := large(t, pack, n)
	// The collector runs when the heap has grown by a tenth, so that the heap in
	// use is close to what is reachable.
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	var most, last uint64
	read := 0
	watched := watching{file, func() {
		if read++; read%1_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most, last = max(most, m.HeapInuse), m.HeapInuse
		}
	}}
	results, err := check.Evaluation{Checks: pack.Checks()}.Run(t.Context(), watched)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("heap in use: at most %d MB, %d MB in the end; %d rows of %d checks", most>>20, last>>20, rows(results), len(results))
	if most > 100<<20 {
		t.Errorf("heap in use: %d MB, want at most 100", most>>20)
	}
}

// Of a file only the attributes are read that expressions use; nothing comes out
// differently when all are.
func TestResultsAreTheSameWhenAllAttributesAreRead(t *testing.T) {
	pack := mustPack(t)
	file := large(t, pack, 2_000)
	e := check.Evaluation{Checks: pack.Checks()}
	some, err := e.Run(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	all, err := e.Run(t.Context(), struct{ inventory.Inventory }{file})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, some); diff != "" || rows(all) == 0 {
		t.Errorf("%d rows (-all attributes +those that are used):\n%s", rows(all), diff)
	}
}

func rows(results []check.Result) (n int) {
	for _, r := range results {
		n += len(r.Rows)
	}
	return n
}

// inventoryVariable names the file that a process of the test evaluates.
const inventoryVariable = "SUPPORTD_TEST_INVENTORY"

// The whole pack over 100,000 resources is evaluated in a process of its own,
// which has neither made the file nor done anything else.
func TestWholePackOver100000ResourcesStaysUnder500MB(t *testing.T) {
	if path := os.Getenv(inventoryVariable); path != "" {
		tellPeak(t, path)
		return
	}
	switch {
	case testing.Short():
		t.Skip("NOT TESTED: the memory of a large inventory; it takes many seconds")
	case raceDetector:
		t.Skip("NOT TESTED: the memory of a large inventory; the race detector takes several times as much. Run it without -race")
	case peak() == 0:
		t.Skip("NOT TESTED: the memory of a large inventory; the system does not tell it in /proc/self/status")
	}
	path := filepath.Join(t.TempDir(), "inventory")
	writeLarge(t, mustPack(t), path, 100_000)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inventoryVariable+"="+path)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, told, _ := strings.Cut(string(out), "peak: ")
	var mb int
	if _, err := fmt.Sscanf(told, "%d MB", &mb); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	line, _, _ := strings.Cut(told, "\n")
	t.Log("resident memory at its peak: " + line)
	if mb > 500 {
		t.Errorf("resident memory at its peak: %d MB, want at most 500", mb)
	}
}

// tellPeak evaluates the whole pack over a file and prints what it took.
func tellPeak(t *testing.T, path string) {
	file, err := inventory.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pack := mustPack(t)
	begun := used()
	results, err := check.Evaluation{Checks: pack.Checks()}.Run(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("peak: %d MB; %v of processor time, %d rows of %d checks\n", peak()/1e6, used()-begun, rows(results), len(results))
}

// watching calls seen with every resource that is read.
type watching struct {
	*inventory.File
	seen func()
}

func (w watching) ReadKinds(ctx context.Context, wanted func(string) inventory.Choice, f func(inventory.Resource) error) (inventory.Summary, error) {
	return w.File.ReadKinds(ctx, wanted, func(r inventory.Resource) error {
		w.seen()
		return f(r)
	})
}

func BenchmarkWholePackOver100000Resources(b *testing.B) {
	pack := mustPack(b)
	file := large(b, pack, 100_000)
	runtime.GC()
	b.Run("evaluate", func(b *testing.B) {
		defer processor(b)()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := (check.Evaluation{Checks: pack.Checks()}).Run(b.Context(), file); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		defer processor(b)()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := file.Read(b.Context(), func(inventory.Resource) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("scan", func(b *testing.B) {
		defer processor(b)()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := file.ReadKinds(b.Context(), func(string) inventory.Choice { return nil }, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// processor reports the processor time of an iteration, which does not depend on
// what else the machine does.
func processor(b *testing.B) func() {
	begun := used()
	return func() { b.ReportMetric(float64(used()-begun)/float64(max(b.N, 1))/1e6, "cpu-ms/op") }
}

func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // of this process: cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak returns the most memory that the process had, in bytes.
func peak() (kb int) {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range bytes.Lines(text) {
		if _, err := fmt.Sscanf(string(line), "VmHWM: %d kB", &kb); err == nil {
			return kb * 1000
		}
	}
	return 0
}

const typical = `id: typical
name: Typical
category: security
about: A typical check.
resource: ec2.volume
parameters: {days: 30}
let:
  age: days(now - resource.CreateTime)
where: resource.State == "in-use"
error: "!resource.Encrypted && age > params.days"
warning: resource.Size > 1000
columns: {Region: region, Volume: resource.VolumeId}
`

func BenchmarkTypicalCheckOver1000000Resources(b *testing.B) {
	pack, err := check.Load(collect.Kinds(), fstest.MapFS{"security/typical/check.yaml": {Data: []byte(typical)}})
	if err != nil {
		b.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const lines = 1_000_000
	attributes := make([]map[string]any, 1000)
	for i := range attributes {
		attributes[i] = map[string]any{
			"VolumeId": fmt.Sprintf("vol-%d", i), "State": "in-use", "Encrypted": i%100 != 0, "Size": 100.0,
			"CreateTime": "2025-11-01T00:00:00Z", "Tags": []any{map[string]any{"Key": "Name", "Value": "data"}},
		}
	}
	inv := repeated{attributes, lines}
	b.Run("supportd", func(b *testing.B) {
		defer processor(b)()
		b.ReportAllocs()
		for b.Loop() {
			results, err := check.Evaluation{Checks: pack.Checks()}.Run(b.Context(), inv)
			if err != nil || results[0].Flagged != lines/100 {
				b.Fatal(results, err)
			}
		}
	})
	b.Run("go", func(b *testing.B) {
		defer processor(b)()
		b.ReportAllocs()
		for b.Loop() {
			now, flagged := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), 0
			_, _ = inv.Read(b.Context(), func(r inventory.Resource) error {
				if r.Attributes["State"] != "in-use" {
					return nil
				}
				made, _ := time.Parse(time.RFC3339, r.Attributes["CreateTime"].(string))
				if r.Attributes["Encrypted"] == false && now.Sub(made).Hours()/24 > 30 || r.Attributes["Size"].(float64) > 1000 {
					flagged++
				}
				return nil
			})
			if flagged != lines/100 {
				b.Fatal(flagged)
			}
		}
	})
}

// repeated is an inventory of volumes, of which there are few in memory.
type repeated struct {
	attributes []map[string]any
	n          int
}

func (r repeated) Header() inventory.Header {
	return inventory.Header{Account: "111122223333", CollectedAt: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), Needs: inventory.Needs{"ec2.volume": nil}}
}

func (r repeated) Read(_ context.Context, f func(inventory.Resource) error) (inventory.Summary, error) {
	for i := range r.n {
		if err := f(inventory.Resource{Kind: "ec2.volume", ID: "vol", Region: "us-east-1", Attributes: r.attributes[i%len(r.attributes)]}); err != nil {
			return inventory.Summary{}, err
		}
	}
	return inventory.Summary{Resources: r.n}, nil
}

func BenchmarkLoadPack(b *testing.B) {
	kinds := collect.Kinds()
	b.Run("load", func(b *testing.B) {
		defer processor(b)()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := check.Load(kinds, checks.FS); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("compile", func(b *testing.B) {
		defer processor(b)()
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			pack, err := check.Load(kinds, checks.FS)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if err := pack.Compile(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDecode is what reading costs at least: the lines of volumes, decoded
// with encoding/json into maps.
func BenchmarkDecode(b *testing.B) {
	var text bytes.Buffer
	w, err := inventory.NewWriter(&text, inventory.Header{})
	if err != nil {
		b.Fatal(err)
	}
	v := values{random: rand.New(rand.NewPCG(1, 2)), absent: 0.3}
	for _, r := range v.resources([]string{"ec2.volume", "ec2.snapshot"}, 10_000) {
		if err := w.Add(r); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(nil, nil); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "inventory")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	file, err := inventory.OpenFile(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("inventory", func(b *testing.B) {
		defer processor(b)()
		b.ReportAllocs()
		b.SetBytes(int64(text.Len()))
		for b.Loop() {
			if _, err := file.Read(b.Context(), func(inventory.Resource) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		defer processor(b)()
		b.ReportAllocs()
		b.SetBytes(int64(text.Len()))
		for b.Loop() {
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			lines := bufio.NewScanner(f)
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				var line map[string]any
				if err := json.Unmarshal(lines.Bytes(), &line); err != nil && err != io.EOF {
					b.Fatal(err)
				}
			}
			f.Close()
		}
	})
}
