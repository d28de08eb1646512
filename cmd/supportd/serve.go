package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
)

// serve runs the server until it is told to stop.
func (p *program) serve(c *cobra.Command, _ []string) (err error) {
	config, err := p.settings.config(c.Flags(), p.env)
	if err != nil {
		return err
	}
	if config.Log, err = p.settings.logger(p.stderr); err != nil {
		return err
	}
	cleanUp, err := p.settings.test(&config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cleanUp()) }()
	s, err := server.Open(c.Context(), config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	listener, err := s.Listen()
	if err != nil {
		return err
	}
	first, err := begin(c.Context(), s)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	url := publicURL(listener.Addr())
	p.printEnvironment(config, s, url, first)
	return <-ended
}

// begin makes what a first run makes, and what tests begin with.
func begin(ctx context.Context, s *server.Server) (server.First, error) {
	first, err := s.FirstRun(ctx)
	if err == nil && s.Test != nil {
		err = s.BeginTest(ctx)
	}
	return first, err
}

// printEnvironment prints what a shell needs to use the server, and nothing
// else, on standard output, and the banner before it. AWS CLI v1 and boto3 know
// the region only by its older name.
func (p *program) printEnvironment(config server.Config, s *server.Server, url string, first server.First) {
	key := first.Key
	if s.Test != nil {
		key = nil // test/test is shorter
		p.greetTester(config, s, url, first)
	} else {
		p.greet(config, url, key)
	}
	fmt.Fprintf(p.stdout, "export AWS_ENDPOINT_URL_SUPPORT=%s\n", url)
	fmt.Fprintf(p.stdout, "export AWS_REGION=us-east-1\n")
	fmt.Fprintf(p.stdout, "export AWS_DEFAULT_REGION=us-east-1\n")
	if key != nil {
		fmt.Fprintf(p.stdout, "export AWS_ACCESS_KEY_ID=%s\n", key.ID)
		fmt.Fprintf(p.stdout, "export AWS_SECRET_ACCESS_KEY=%s\n", key.Secret)
	}
	if s.Test != nil {
		p.printTestEnvironment(s)
	}
	if first.DeskToken != "" {
		fmt.Fprintf(p.stdout, "export SUPPORTD_DESK_TOKEN=%s\n", first.DeskToken)
	}
}

func (p *program) greet(config server.Config, url string, key *iam.NewKey) {
	fmt.Fprintf(p.stderr, "supportd %s serves the AWS Support API on %s from %s\n", server.Version(), url, config.Place())
	if key == nil {
		fmt.Fprintf(p.stderr, "Make an access key with: supportd key create --account ID --user NAME | --root\n")
		return
	}
	fmt.Fprintf(p.stderr, `First run: account %s (enterprise plan) and its access key are new; the secret is shown only this once.
Paste the export lines into a shell, then: aws support create-case --subject 'Hello' --communication-body 'First case'
Agents find it with: supportd desk queue
AWS CLI before 1.29 or 2.13 and boto3 before 1.28 (Debian 12's, for example) also need: --endpoint-url %s
`, key.Account, url)
}

// publicURL returns the address for clients on this machine: where the server
// listens on every address, the loopback one.
func publicURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
