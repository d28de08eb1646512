package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/server"
)

func (p *program) exportCommand() *cobra.Command {
	var c *cobra.Command
	var allowMissing bool
	c = p.command("export DIR", "Write everything into a folder, beside a running server, to move to another database or store", true, server.Open, func(ctx context.Context, s *server.Server) (document, error) {
		folder := c.Flags().Arg(0)
		served, err := s.Served()
		if err != nil {
			return document{}, err
		}
		shown := newProgressLine(p.stderr)
		moved, err := s.Export(ctx, folder, server.ExportOptions{AllowMissing: allowMissing, Tell: shown.tell})
		shown.end()
		if err == nil {
			err = p.tellServed(s, served)
		}
		return movedDocument(moved, "the export is in %s; it holds secrets, guard it as you guard the data folder; the master key is not in it", folder), err
	})
	c.Args = oneArgument("DIR")
	c.Long = `Write everything into a folder, beside a running server: all rows of the
database and the files that customers attached. supportd import fills another
installation from it, with SQLite or PostgreSQL and a folder or a bucket.

An export that was interrupted goes on when it is run again; a later export into
the same folder writes what has changed. The folder holds secrets. The master key is
not in it: the new installation needs the same one.`
	c.Flags().BoolVar(&allowMissing, "allow-missing", false, "export without the attachments whose bytes are missing or damaged")
	return c
}

// tellServed warns of an export that is not the last word of its installation.
func (p *program) tellServed(s *server.Server, before bool) error {
	now, err := s.Served()
	switch {
	case now:
		fmt.Fprintln(p.stderr, "supportd: a server is running on this database: what it writes from now on is not in the export")
	case before:
		fmt.Fprintln(p.stderr, "supportd: a server was running on this database when the export began: what it wrote since then is not in the export")
	}
	return err
}

// movedDocument says what an export or import has moved, and where.
func movedDocument(moved server.Moved, format string, args ...any) document {
	d := document{columns: []string{"WHAT", "COUNT", "BYTES"}, value: moved}
	for _, t := range moved.Tables {
		d.rows = append(d.rows, []string{t.Name, strconv.FormatInt(t.Rows, 10)})
	}
	a := moved.Attachments
	d.rows = append(d.rows, []string{"(attached files)", strconv.FormatInt(a.Count, 10), strconv.FormatInt(a.Bytes, 10)})
	for _, key := range a.Missing {
		d.rows = append(d.rows, []string{"missing: " + key})
	}
	d.rows = append(d.rows, []string{fmt.Sprintf(format, args...)})
	return d
}

// progressLine shows how far a command is: on a terminal in a line that it
// writes again and again, elsewhere in a line now and then.
type progressLine struct {
	w        io.Writer
	terminal bool
	now      func() time.Time
	last     time.Time
	written  bool // the line of a terminal
}

const (
	redrawEvery = 200 * time.Millisecond
	logEvery    = 5 * time.Second
)

func newProgressLine(w io.Writer) *progressLine {
	l := &progressLine{w: w, terminal: isTerminal(w), now: time.Now}
	l.last = l.now()
	return l
}

func (l *progressLine) tell(p server.Progress) {
	every := logEvery
	if l.terminal {
		every = redrawEvery
	}
	if l.now().Sub(l.last) < every {
		return
	}
	l.last = l.now()
	if l.terminal {
		fmt.Fprintf(l.w, "\r\x1b[K%s %s", progressBar(p), progressText(p))
		l.written = true
		return
	}
	fmt.Fprintf(l.w, "supportd: %s\n", progressText(p))
}

// end takes the line of a terminal away.
func (l *progressLine) end() {
	if l.written {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}

// barWidth is how many characters a full bar has.
const barWidth = 24

func progressBar(p server.Progress) string {
	full := int64(barWidth)
	if p.Total > 0 {
		full = min(barWidth, p.Done*barWidth/p.Total)
	}
	return "[" + strings.Repeat("#", int(full)) + strings.Repeat(".", barWidth-int(full)) + "]"
}

func progressText(p server.Progress) string {
	percent := int64(100)
	if p.Total > 0 {
		percent = min(100, p.Done*100/p.Total)
	}
	done, total, unit := p.Done, p.Total, p.Unit
	if unit == "bytes" {
		done, total, unit = done/1e6, total/1e6, "MB"
	}
	return fmt.Sprintf("%s: %d of %d %s (%d%%)", p.What, done, total, unit, percent)
}
