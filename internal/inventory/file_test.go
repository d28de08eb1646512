package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func sample() (Header, []Resource, Summary) {
	h := Header{Account: "111122223333", CollectedAt: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), Regions: []string{"us-east-1"}, Needs: Needs{"x.disk": {"Owner"}}}
	all := []Resource{
		{Kind: "x.disk", ID: `a "quoted" \ ü`, Region: "us-east-1", Attributes: map[string]any{"Size": 8.0, "Tags": []any{map[string]any{"Key": "<a&b>"}}, "On": false, "Nil": nil}},
		{Kind: "x.disk", ID: "b", Attributes: map[string]any{}},
		{Kind: `odd "kind"`, ID: "c", Attributes: map[string]any{"kind": "x.other", "end": map[string]any{"resources": 1.0}}},
	}
	return h, all, Summary{Resources: 3, Failures: []Failure{{Kind: "x.disk", Part: "Owner", Region: "us-east-1", Cause: "denied"}}, Prices: map[string]float64{"disk": 0.5}}
}

func mustWrite(tb testing.TB) []byte {
	tb.Helper()
	h, all, end := sample()
	var out bytes.Buffer
	w, err := NewWriter(&out, h)
	for _, r := range all {
		err = errors.Join(err, w.Add(r))
	}
	if err := errors.Join(err, w.Close(end.Failures, end.Prices)); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// read reads a file of a text.
func read(tb testing.TB, text []byte) (h Header, all []Resource, end Summary, err error) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "inventory")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		return h, nil, end, err
	}
	end, err = f.Read(tb.Context(), func(r Resource) error {
		all = append(all, r)
		return nil
	})
	return f.Header(), all, end, err
}

func TestFileHasWhatWasWritten(t *testing.T) {
	h, all, end, err := read(t, mustWrite(t))
	if err != nil {
		t.Fatal(err)
	}
	wantHeader, wantAll, wantEnd := sample()
	if diff := cmp.Diff([]any{wantHeader, wantAll, wantEnd}, []any{h, all, end}); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}
	if again := mustWrite(t); !bytes.Equal(again, mustWrite(t)) {
		t.Error("the same inventory is written differently the second time")
	}
}

func TestFileThatIsCutOffAnywhereIsRefused(t *testing.T) {
	text := mustWrite(t)
	for i := range len(text) - 1 { // the last line's end may be missing
		if _, _, _, err := read(t, text[:i]); err == nil {
			t.Errorf("a file of the first %d of %d bytes was read", i, len(text))
		}
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i := range lines[:len(lines)-1] {
		if _, _, _, err := read(t, bytes.Join(slices.Delete(slices.Clone(lines), i, i+1), nil)); err == nil {
			t.Errorf("a file without line %d was read", i+1)
		}
	}
}

func TestBadFilesAreRefused(t *testing.T) {
	first, _, _ := strings.Cut(string(mustWrite(t)), "\n")
	for name, test := range map[string]struct{ text, want string }{
		"empty":               {"", "inventory: not an inventory: it is empty"},
		"text":                {"hello\n", "its first line has no supportdInventory"},
		"other JSON":          {"{}\n", "its first line has no supportdInventory"},
		"another format":      {`{"supportdInventory":2}` + "\n", "has format 2, and this program reads format 1"},
		"a byte order mark":   {"\ufeff" + first + "\n", ":1: the file begins with a byte order mark"},
		"no time":             {`{"collectedAt":"yesterday","supportdInventory":1}` + "\n", `:1: collectedAt: want a time such as 2026-01-15T12:00:00Z, not "yesterday"`},
		"a wrong header":      {`{"supportdInventory":1,"needs":{"a":["b",7]}}` + "\n", ":1: needs.a.1: want a text, not a number"},
		"a huge header":       {`{"supportdInventory":1,"account":"` + strings.Repeat("x", maxLine) + `"}`, ":1: the line is longer than the 16777216 bytes"},
		"count":               {first + "\n" + `{"end":{"resources":1}}`, ":2: the inventory has 0 resources, and its summary says 1"},
		"no kind":             {first + "\n" + `{"id":"a"}`, ":2: a resource without a kind"},
		"null":                {first + "\nnull\n", ":2: a resource without a kind"},
		"not JSON":            {first + "\n{]\n", ":2: not JSON: invalid character ']'"},
		"a cut line":          {first + "\n{\"kind\":\"a\"\n", ":2: the line is cut off"},
		"an empty line":       {first + "\n\n" + `{"end":{"resources":0}}`, ":2: the line is empty"},
		"a list":              {first + "\n[]\n", ":2: the line: want an object, not a list"},
		"a key twice":         {first + "\n" + `{"kind":"a","id":"a","kind":"b"}`, ":2: not JSON: duplicate object member name \"kind\""},
		"something after":     {first + "\n" + `{"end":{"resources":0}}` + "\n\n{}\n", ":4: something follows the summary"},
		"a bad summary":       {first + "\n" + `{"end":[]}`, ":2: the inventory's summary: the line: want an object, not a list"},
		"half a resource":     {first + "\n" + `{"end":{"resources":0.5}}`, ":2: the inventory's summary: resources: want a whole number, not 0.5"},
		"a huge line":         {first + "\n" + `{"kind":"a","id":"` + strings.Repeat("x", maxLine) + `"}`, ":2: the line is longer than the 16777216 bytes"},
		"a wrong form":        {first + "\n" + `{"kind":"a","id":1}`, ":2: id: want a text, not a number"},
		"wrong attributes":    {first + "\n" + `{"kind":"a","id":"1","attributes":true}`, ":2: attributes: want an object, not true"},
		"a resource twice":    {first + "\n" + strings.Repeat(`{"kind":"a","id":"b","region":"c"}`+"\n", 2) + `{"end":{"resources":2}}`, `:3: the a "b" is in the inventory twice, in c`},
		"one twice, no place": {first + "\n" + strings.Repeat(`{"kind":"a","id":"b"}`+"\n", 2) + `{"end":{"resources":2}}`, `:3: the a "b" is in the inventory twice`},
	} {
		if _, _, _, err := read(t, []byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("OpenFile of nothing = %v, want os.ErrNotExist", err)
	}
}

func TestResourcesThatDifferAreNotTheSame(t *testing.T) {
	text := `{"supportdInventory":1}
{"kind":"a","id":"1"}
{"kind":"b","id":"1"}
{"kind":"a","id":"1","region":"c"}
{"kind":"a","id":"\"\"1"}
{"kind":"a","id":""}
{"kind":"a"}
{"end":{"resources":6}}
`
	if _, all, _, err := read(t, []byte(text)); err != nil || len(all) != 6 {
		t.Errorf("read %d resources, error %v; want 6", len(all), err)
	}
}

func TestEmptyLinesAtTheEndDoNoHarm(t *testing.T) {
	text := "{\"supportdInventory\":1}\r\n{\"end\":{\"resources\":0}}\r\n\r\n \n\n"
	if _, _, _, err := read(t, []byte(text)); err != nil {
		t.Errorf("error %v, want none", err)
	}
}

func TestWhatAPIsTellTwiceIsWrittenOnce(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{})
	for _, r := range []Resource{{Kind: "x", ID: "a"}, {Kind: "x", ID: "b"}, {Kind: "x", ID: "a"}, {Kind: "x", ID: "a", Region: "r"}, {Kind: "x"}, {Kind: "x"}} {
		err = errors.Join(err, w.Add(r))
	}
	if err := errors.Join(err, w.Close(nil, nil)); err != nil {
		t.Fatal(err)
	}
	if _, all, end, err := read(t, out.Bytes()); err != nil || len(all) != 5 || end.Resources != 5 {
		t.Errorf("read %v, %v, error %v; want 5 resources", all, end, err)
	}
}

func TestAResourceThatCouldNotBeReadIsNotWritten(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(Resource{Kind: "x", ID: "big", Attributes: map[string]any{"a": strings.Repeat("x", maxLine)}}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Add of a huge resource = %v, want ErrTooLarge", err)
	}
	if err := w.Add(Resource{Kind: "x", ID: "large", Attributes: map[string]any{"a": strings.Repeat("x", maxLine-100), "b": "\xff"}}); err != nil {
		t.Errorf("Add = %v", err)
	}
	if err := w.Close(nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, all, _, err := read(t, out.Bytes()); err != nil || len(all) != 1 || all[0].ID != "large" {
		t.Errorf("read %d resources, error %v; want the large one", len(all), err)
	}
}

func TestWritersMayWriteAtOnce(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 500 {
				if err := w.Add(Resource{Kind: "x", ID: fmt.Sprintf("%d-%d", i, j), Attributes: map[string]any{"Text": strings.Repeat("y", j)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if err := w.Close(nil, nil); err != nil {
		t.Fatal(err)
	}
	_, all, _, err := read(t, out.Bytes())
	seen := map[string]bool{}
	for _, r := range all {
		seen[r.ID] = true
	}
	if err != nil || len(seen) != 4000 {
		t.Errorf("read %d resources, error %v; want 4000", len(seen), err)
	}
}

func TestOnlyTheKindsThatAreWantedAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inventory")
	if err := os.WriteFile(path, mustWrite(t), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, all, end := sample()
	for _, inv := range []Inventory{f, struct{ Inventory }{f}, &Memory{All: all, Rest: end}} {
		for _, kind := range []string{"x.disk", `odd "kind"`, "x.other", ""} {
			var got, want []string
			summary, err := ReadKinds(t.Context(), inv, func(k string) Choice { return map[string]Choice{kind: Everything}[k] }, func(r Resource) error {
				got = append(got, r.ID)
				return nil
			})
			for _, r := range all {
				if r.Kind == kind {
					want = append(want, r.ID)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || err != nil || summary.Resources != 3 {
				t.Errorf("%T, %s: error %v, summary %v (-want +got):\n%s", inv, kind, err, summary, diff)
			}
		}
	}
}

func TestAttributesThatAreNotWantedAreNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inventory")
	text := `{"supportdInventory":1}
{"kind":"x.disk","id":"a","attributes":{"Size":1,"Tags":[{"Key":"{"}],"Name":"n"}}
{"kind":"x.disk","id":"b","attributes":null}
{"end":{"resources":2}}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	_, err = ReadKinds(t.Context(), f, func(string) Choice { return func(name string) bool { return name == "Name" } }, func(r Resource) error {
		got = append(got, r.Attributes)
		return nil
	})
	if diff := cmp.Diff([]map[string]any{{"Name": "n"}, nil}, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestReadingEndsWithItsCallerOrContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inventory")
	if err := os.WriteFile(path, mustWrite(t), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	_, all, _ := sample()
	for _, inv := range []Inventory{f, &Memory{All: all}} {
		if _, err := inv.Read(t.Context(), func(Resource) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("%T: Read = %v, want the error of the function", inv, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := inv.Read(ctx, func(Resource) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("%T: Read = %v, want context.Canceled", inv, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(mustWrite(f))
	f.Add([]byte("{\"supportdInventory\":1}\n{\"end\":{\"resources\":0}}\n"))
	f.Add([]byte("{\"supportdInventory\":1}\n{\"kind\":\"x\",\"id\":\"y\",\"attributes\":{\"a\":[1,null]}}\n{\"end\":{\"resources\":1}}\n"))
	f.Add([]byte("{\"supportdInventory\":1}\n{\"kind\":\"x\",\"id\":\"y\"}\n{\"kind\":\"x\"}\n{\"end\":{\"resources\":2}}\n\n"))
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(folder, "inventory")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := OpenFile(path)
		if err != nil {
			return
		}
		var all []Resource
		end, err := file.Read(t.Context(), func(r Resource) error {
			all = append(all, r)
			return nil
		})
		if err != nil {
			return
		}
		if end.Resources != len(all) {
			t.Errorf("%d resources were read, and the summary says %d", len(all), end.Resources)
		}
		var out bytes.Buffer
		w, err := NewWriter(&out, file.Header())
		for _, r := range all {
			err = errors.Join(err, w.Add(r))
		}
		if err := errors.Join(err, w.Close(end.Failures, end.Prices)); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		if _, err := again.Read(t.Context(), func(r Resource) error {
			if diff := cmp.Diff(all[i], r, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("resource %d after writing (-want +got):\n%s", i, diff)
			}
			i++
			return nil
		}); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}
