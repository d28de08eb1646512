package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

// document is what a command found, in two forms: rows under column titles for
// people, and value for programs.
type document struct {
	columns []string
	rows    [][]string
	value   any
	cut     bool   // the last column is text, of which a terminal shows what fits into a line
	hint    string // for people, after the rows
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
	rows := d.rows
	if d.columns != nil {
		rows = append([][]string{d.columns}, rows...)
	}
	width := 0
	if d.cut {
		width = terminalWidth(p.stdout)
	}
	if err := writeRows(p.stdout, rows, width); err != nil {
		return err
	}
	if d.hint != "" {
		fmt.Fprintf(p.stderr, "supportd: %s\n", d.hint)
	}
	return nil
}

// writeRows writes cells in columns. What is last in a row makes no column wider,
// and is cut when the row would be longer than a width that is not 0.
func writeRows(w io.Writer, rows [][]string, width int) error {
	const gap, shortest = 2, 12
	var widths []int
	for _, row := range rows {
		for i, cell := range row[:max(0, len(row)-1)] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(cell))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		at := 0
		for i, cell := range row {
			if i < len(row)-1 {
				cell += strings.Repeat(" ", widths[i]+gap-text.StringWidthWithoutEscSequences(cell))
				at += widths[i] + gap
			} else if width > 0 {
				cell = cutText(cell, max(shortest, width-at))
			}
			out.WriteString(cell)
		}
		out.WriteByte('\n')
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// cutText returns a text with … instead of what does not fit into a width.
func cutText(s string, width int) string {
	if text.StringWidthWithoutEscSequences(s) <= width {
		return s
	}
	used := 1 // the …
	for i, r := range s {
		if used += text.RuneWidth(r); used > width {
			return s[:i] + "…"
		}
	}
	return s
}

// timeText formats a time for people and programs; the zero time is empty.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
