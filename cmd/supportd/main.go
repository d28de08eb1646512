package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/supportd/supportd/checks"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends what does not listen to the first
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "supportd:", err)
	os.Exit(exitCode(err))
}

// endings are the signals that ask the program to end. Whoever starts it with
// nohup wants it to outlive the terminal.
func endings() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{os.Interrupt, syscall.SIGTERM}
	}
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitError is an error of a command that has exit codes of its own.
type exitError struct {
	error
	code int
}

func (e exitError) Unwrap() error { return e.error }

// exitCode is 2 for a mistake in the command line and 1 for everything else,
// but for the commands that say otherwise.
func exitCode(err error) int {
	if own, ok := errors.AsType[exitError](err); ok {
		return own.code
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}

// run runs one command. Standard output is for programs and pipes; everything
// meant for the eyes of the one who starts a server goes to standard error.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) error {
	p := &program{env: env, stdin: stdin, stdout: stdout, stderr: stderr, checks: checks.FS}
	return p.run(ctx, args)
}

func (p *program) run(ctx context.Context, args []string) error {
	root := p.rootCommand()
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	return root.ExecuteContext(ctx)
}
