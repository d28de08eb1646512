package supportapi_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"

	"github.com/supportd/supportd/supporttest"
)

func TestPaginatorOfCases(t *testing.T) {
	t.Parallel()
	srv, client := newClient(t)
	var want []string
	for i := range 25 {
		if i%3 > 0 { // some have nearly the same time
			srv.Advance(time.Second)
		}
		want = append(want, mustCreate(t, client, fmt.Sprintf("case %d", i)))
	}
	var got []string
	var sizes []int
	pages := support.NewDescribeCasesPaginator(client, &support.DescribeCasesInput{MaxResults: aws.Int32(10)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		sizes = append(sizes, len(page.Cases))
		for _, c := range page.Cases {
			got = append(got, *c.CaseId)
		}
	}
	if !slices.Equal(got, want) || !slices.Equal(sizes, []int{10, 10, 5}) {
		t.Errorf("pages of %v: %v, want 10, 10, 5: %v, oldest first", sizes, got, want)
	}
}

// A case that comes while a client pages is on the last page, and none is seen
// twice or left out.
func TestPagesGoOnWhereTheyWere(t *testing.T) {
	t.Parallel()
	_, client := newClient(t)
	var want []string
	for i := range 11 {
		want = append(want, mustCreate(t, client, fmt.Sprintf("case %d", i)))
	}
	var got []string
	pages := support.NewDescribeCasesPaginator(client, &support.DescribeCasesInput{MaxResults: aws.Int32(10)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		for _, c := range page.Cases {
			got = append(got, *c.CaseId)
		}
		if len(got) == 10 {
			_, err := client.ResolveCase(t.Context(), &support.ResolveCaseInput{CaseId: &want[3]})
			must(t, err)
			want = append(want, mustCreate(t, client, "late"))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages = %v, want %v", got, want)
	}
}

// The page that is exactly full is the last one.
func TestAFullLastPageHasNoToken(t *testing.T) {
	t.Parallel()
	_, client := newClient(t)
	for i := range 10 {
		mustCreate(t, client, fmt.Sprintf("case %d", i))
	}
	page, err := client.DescribeCases(t.Context(), &support.DescribeCasesInput{MaxResults: aws.Int32(10)})
	must(t, err)
	if len(page.Cases) != 10 || page.NextToken != nil {
		t.Errorf("DescribeCases = %d cases, token %v, want 10 and none", len(page.Cases), page.NextToken)
	}
}

func TestPaginatorOfCommunications(t *testing.T) {
	t.Parallel()
	_, client := newClient(t, supporttest.WithTime(started()))
	id := mustCreate(t, client, "long")
	want := []string{"Body of long"}
	for i := range 24 {
		body := fmt.Sprintf("reply %d", i)
		_, err := client.AddCommunicationToCase(t.Context(), &support.AddCommunicationToCaseInput{CaseId: &id, CommunicationBody: &body})
		must(t, err)
		want = append(want, body)
	}
	slices.Reverse(want)

	var got []string
	var sizes []int
	pages := support.NewDescribeCommunicationsPaginator(client, &support.DescribeCommunicationsInput{CaseId: &id, MaxResults: aws.Int32(10)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		sizes = append(sizes, len(page.Communications))
		for _, c := range page.Communications {
			got = append(got, *c.Body)
		}
	}
	if !slices.Equal(got, want) || !slices.Equal(sizes, []int{10, 10, 5}) {
		t.Errorf("pages of %v: %v, want 10, 10, 5: %v, newest first", sizes, got, want)
	}

	// The token of a case's five recent communications leads to the older ones.
	found, err := client.DescribeCases(t.Context(), &support.DescribeCasesInput{})
	must(t, err)
	recent := found.Cases[0].RecentCommunications
	got = nil
	for _, c := range recent.Communications {
		got = append(got, *c.Body)
	}
	older, err := client.DescribeCommunications(t.Context(), &support.DescribeCommunicationsInput{CaseId: &id, NextToken: recent.NextToken})
	must(t, err)
	for _, c := range older.Communications {
		got = append(got, *c.Body)
	}
	if len(recent.Communications) != 5 || !slices.Equal(got, want) || older.NextToken != nil {
		t.Errorf("%d recent communications and the older ones = %v, token %v, want 5 and %v", len(recent.Communications), got, older.NextToken, want)
	}
}
