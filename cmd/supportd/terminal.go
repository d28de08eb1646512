package main

import (
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// colors reports whether standard output is a terminal whose user wants
// colours, see https://no-color.org.
func (p *program) colors() bool {
	return isTerminal(p.stdout) && lookup(p.env, "NO_COLOR") == "" && lookup(p.env, "TERM") != "dumb"
}

// isTerminal reports whether somebody sits before what is written to or read
// from.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}

// terminalWidth returns how many characters a line of a terminal has, 0 of what
// is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
