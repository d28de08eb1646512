// Waiting lists the open support cases in which AWS Support waits for an answer,
// the longest wait first.
//
// It is an example of a program that uses the AWS Support API, and of testing one
// with package supporttest.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"
)

func main() {
	patience := flag.Duration("for", 0, "list only cases that wait for so long")
	flag.Parse()
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion("us-east-1")) // where AWS Support is
	if err == nil {
		err = list(ctx, os.Stdout, support.NewFromConfig(settings), time.Now().Add(-*patience))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "waiting:", err)
		os.Exit(1)
	}
}

// waiting is a case in which support waits for an answer.
type waiting struct {
	displayID, subject string
	since              time.Time
}

// list prints the cases that have waited since before.
func list(ctx context.Context, out io.Writer, client *support.Client, before time.Time) error {
	cases, err := find(ctx, client)
	if err != nil {
		return err
	}
	slices.SortFunc(cases, func(a, b waiting) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.displayID, b.displayID))
	})
	for _, c := range cases {
		if !c.since.After(before) {
			fmt.Fprintf(out, "%s  since %s  %s\n", c.displayID, c.since.Format(time.DateTime), c.subject)
		}
	}
	return nil
}

func find(ctx context.Context, client *support.Client) (found []waiting, err error) {
	pages := support.NewDescribeCasesPaginator(client, &support.DescribeCasesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Cases {
			if *c.Status != "pending-customer-action" {
				continue
			}
			since, err := lastSaid(c)
			if err != nil {
				return nil, err
			}
			found = append(found, waiting{displayID: *c.DisplayId, subject: *c.Subject, since: since})
		}
	}
	return found, nil
}

// lastSaid returns when the newest communication, which comes first, was made.
func lastSaid(c types.CaseDetails) (time.Time, error) {
	return time.Parse(time.RFC3339, *c.RecentCommunications.Communications[0].TimeCreated)
}
