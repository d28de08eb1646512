package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// document is what an administration command found, in two forms: rows under
// column titles for people, and value for programs. A document without columns
// prints nothing for people.
type document struct {
	columns []string
	rows    [][]string
	value   any
}

// list makes a document of many things, each given by value and row.
func list[T any](columns []string, all []T, row func(T) []string) document {
	d := document{columns: columns, value: all}
	if all == nil {
		d.value = []T{} // a list without elements, not null
	}
	for _, one := range all {
		d.rows = append(d.rows, row(one))
	}
	return d
}

// one makes a document of a single thing.
func one[T any](columns []string, it T, row func(T) []string) document {
	return document{columns: columns, value: it, rows: [][]string{row(it)}}
}

// done makes a document that says what was done.
func done(format string, args ...any) document {
	text := fmt.Sprintf(format, args...)
	return document{rows: [][]string{{text}}, value: map[string]string{"done": text}}
}

func (p *program) print(d document) error {
	if p.json {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(d.value)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
	if d.columns != nil {
		fmt.Fprintln(w, strings.Join(d.columns, "\t"))
	}
	for _, row := range d.rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// timeText formats a time for people and programs; the zero time is empty.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
