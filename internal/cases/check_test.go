package cases_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
)

func TestTextsAreChecked(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	for _, test := range []struct{ subject, body, want string }{
		{"plain", "plain", ""},
		{"emoji 👩‍💻 and ünïcode 日本", "tabs\tand\r\nlines 👍🏽", ""},
		{"two\nlines", "x", "invalid_text"},
		{"a\ttab", "x", "invalid_text"},
		{"nul\x00", "x", "invalid_text"},
		{"escape\x1b[2J", "x", "invalid_text"},
		{"c1 \u0085", "x", "invalid_text"},
		{"x", "nul\x00", "invalid_text"},
	} {
		in := question()
		in.Subject, in.Body = test.subject, test.body
		_, err := o.Create(t.Context(), alice(), unrepeated(), in)
		wantFault(t, fmt.Sprintf("Create(%q, %q)", test.subject, test.body), err, test.want)
	}
	id := o.mustCreate(t, question())
	wantFault(t, "Communicate(NUL)", o.reply(t, id, "a\x00b"), "invalid_text")
}

func TestAddressesAreChecked(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	id := o.mustCreate(t, question())
	for address, valid := range map[string]bool{
		"a@example.com": true, "first.last+tag@sub.example.co.uk": true, "o'neil@example.com": true,
		"": false, " ": false, "a": false, "@example.com": false, "a@": false, "a@@example.com": false, "a b@example.com": false,
		"Ann <a@example.com>": false, "<a@example.com>": false, " a@example.com": false, "a@example.com ": false,
		"a@example.com\n": false, "a@example.com\nb@example.com": false, "a@example.com,b@example.com": false,
		"a\r\nBcc: b@example.com": false, `"a\nb"@example.com`: false, "a@example.com (comment)": false,
		strings.Repeat("a", 242) + "@example.com": true, strings.Repeat("a", 243) + "@example.com": false,
	} {
		want := ""
		if !valid {
			want = "invalid_address"
		}
		in := question()
		in.CCEmailAddresses = []string{"ok@example.com", address}
		_, err := o.Create(t.Context(), alice(), unrepeated(), in)
		wantFault(t, fmt.Sprintf("Create(cc %q)", address), err, want)
		err = o.Communicate(t.Context(), alice(), unrepeated(), cases.NewCommunication{CaseID: id, Body: "x", CCEmailAddresses: []string{address}})
		if !valid {
			wantFault(t, fmt.Sprintf("Communicate(cc %q)", address), err, want)
		}
	}
}

// FuzzAddress looks for an address that is taken and comes back as another one,
// or as two, or could begin a new header line in a mail.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"a@example.com", "\"a b\"@example.com", "a@[10.0.0.1]", "a@example.com\nb@example.com", "ü@exämple.com", "a\u2028@b.c"} {
		f.Add(seed)
	}
	o := mustOpenOffice(f)
	f.Fuzz(func(t *testing.T, address string) {
		in := question()
		in.CCEmailAddresses = []string{address, "last@example.com"}
		id, err := o.Create(context.Background(), alice(), unrepeated(), in)
		if err != nil {
			wantError(t, "Create()", err, cases.ErrInvalidAddress)
			return
		}
		got := o.mustFindOne(t, id).CCEmailAddresses
		if address != "last@example.com" {
			if diff := cmp.Diff(in.CCEmailAddresses, got); diff != "" {
				t.Errorf("addresses of Create(cc %q) (-given +kept):\n%s", address, diff)
			}
		}
		if strings.ContainsFunc(address, unicode.IsControl) {
			t.Errorf("Create(cc %q) = nil, want control characters refused", address)
		}
	})
}

func TestFileNamesAreChecked(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	for name, valid := range map[string]bool{
		"trace.log": true, "with spaces (1).txt": true, ".hidden": true, "a..b": true, "日本語.txt": true,
		"👩‍💻.png": true, "نمی\u200cخواهم.txt": true, strings.Repeat("ü", 255): true,
		"": false, " ": false, "\t": false, ".": false, "..": false, "a/b": false, "../etc/passwd": false, "/": false,
		`a\b`: false, `..\..\x`: false, "a\x00b": false, "a\nb": false, "a\x7f": false, "a\u0085b": false,
		"txt.\u202eexe": false, "\u202dx": false, "a\u2066b": false, "a\u2069b": false, "a\u200eb": false, "a\u200fb": false, "a\u061cb": false,
		"a\u200bb": false, "\ufeffa": false, "a\u00adb": false, "a\u2028b": false, "a\u2029b": false, "a\U000e0041b": false,
		strings.Repeat("a", 256): false,
	} {
		want := ""
		if !valid {
			want = "invalid_file_name"
		}
		_, err := o.AddAttachments(t.Context(), alice(), unrepeated(), "", []cases.File{{Name: name, Data: []byte("x")}})
		wantFault(t, fmt.Sprintf("AddAttachments(%q)", name), err, want)
	}
}

func TestACaseCopiesTenAddressesAtMost(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	addresses := func(from, to int) (all []string) {
		for i := from; i < to; i++ {
			all = append(all, fmt.Sprintf("a%d@example.com", i))
		}
		return all
	}
	in := question()
	in.CCEmailAddresses = addresses(0, 11)
	_, err := o.Create(t.Context(), alice(), unrepeated(), in)
	wantFault(t, "Create(11 addresses)", err, "too_many_cc_addresses")

	in.CCEmailAddresses = addresses(0, 8)
	id := o.mustCreate(t, in)
	add := func(from, to int) error {
		return o.Communicate(t.Context(), alice(), unrepeated(), cases.NewCommunication{CaseID: id, Body: "x", CCEmailAddresses: addresses(from, to)})
	}
	wantFault(t, "Communicate(nothing new)", add(0, 8), "")
	wantFault(t, "Communicate(two new)", add(5, 10), "")
	if diff := cmp.Diff(addresses(0, 10), o.mustFindOne(t, id).CCEmailAddresses); diff != "" {
		t.Errorf("addresses after merging (-want +got):\n%s", diff)
	}
	wantFault(t, "Communicate(eleventh)", add(10, 11), "too_many_cc_addresses")
	wantFault(t, "Communicate(no address)", add(0, 0), "")
	got := o.mustFindOne(t, id)
	if got.Communications != 4 || len(got.CCEmailAddresses) != 10 {
		t.Errorf("case has %d communications and %d addresses, want 4 and 10", got.Communications, len(got.CCEmailAddresses))
	}
}
