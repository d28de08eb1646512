package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"
)

// outcome is what is known of a call when its client is done with it.
type outcome int

const (
	acknowledged outcome = iota
	refused              // it did not happen
	inDoubt              // given up: it happened once or not at all, and perhaps later
)

// sentFile is a file that was attached.
type sentFile struct {
	name string
	data []byte
}

// askedCase is a case that a client asked for, with what it asked for later.
type askedCase struct {
	id             string // empty unless acknowledged
	communications []askedCommunication
	statuses       []string // which it may have now
	left           bool     // nobody asks for more, because the last call is in doubt
}

// askedCommunication is a communication by its body, which is unique. The first
// one of a case is also the case's subject.
type askedCommunication struct {
	body    string
	outcome outcome
	files   []sentFile
}

// move notes which statuses the case may have after an event.
func (k *askedCase) move(got outcome, to func(string) string) {
	var moved []string
	for _, status := range k.statuses {
		moved = append(moved, to(status))
	}
	if got == inDoubt {
		moved = append(moved, k.statuses...)
		k.left = true
	}
	slices.Sort(moved)
	k.statuses = slices.Compact(moved)
}

// seenCase is a case as the API shows it.
type seenCase struct {
	types.CaseDetails
	all []types.Communication // newest first
}

// see reads a case with all of its communications.
func see(ctx context.Context, api *support.Client, id string) (seenCase, error) {
	found, err := api.DescribeCases(ctx, &support.DescribeCasesInput{CaseIdList: []string{id}, IncludeResolvedCases: true})
	if err != nil {
		return seenCase{}, err
	}
	if len(found.Cases) != 1 {
		return seenCase{}, fmt.Errorf("DescribeCases(%s) = %d cases, want one", id, len(found.Cases))
	}
	seen := seenCase{CaseDetails: found.Cases[0]}
	seen.all, err = seeCommunications(ctx, api, id)
	return seen, err
}

func seeCommunications(ctx context.Context, api *support.Client, id string) (all []types.Communication, err error) {
	pages := support.NewDescribeCommunicationsPaginator(api, &support.DescribeCommunicationsInput{CaseId: &id, MaxResults: aws.Int32(10)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Communications...)
	}
	return all, nil
}

// compare returns in what a case differs from what was asked for.
func (k *askedCase) compare(seen seenCase) (wrong []error) {
	id := *seen.CaseId
	if !slices.Contains(k.statuses, *seen.Status) {
		wrong = append(wrong, fmt.Errorf("case %s is %s, want one of %q", id, *seen.Status, k.statuses))
	}
	said := slices.DeleteFunc(slices.Clone(seen.all), func(c types.Communication) bool { return *c.Body == witnessBody(id) })
	if n := len(seen.all) - len(said); n > 1 {
		wrong = append(wrong, fmt.Errorf("case %s has %d witnesses: the job took effect more than once", id, n))
	}
	slices.Reverse(said) // oldest first, as they were asked for
	for _, asked := range k.communications {
		if len(said) > 0 && *said[0].Body == asked.body {
			if len(said[0].AttachmentSet) != len(asked.files) {
				wrong = append(wrong, fmt.Errorf("communication %q has %d attachments, want %d", asked.body, len(said[0].AttachmentSet), len(asked.files)))
			}
			said = said[1:]
			continue
		}
		if asked.outcome == acknowledged {
			wrong = append(wrong, fmt.Errorf("case %s: communication %q was acknowledged; it is not in its place before %q", id, asked.body, bodies(said)))
		}
	}
	if len(said) > 0 {
		wrong = append(wrong, fmt.Errorf("case %s has communications that nobody sent, twice or out of order: %q", id, bodies(said)))
	}
	return wrong
}

// compareRecent compares the communications that come with a case with the list
// of all: the newest five, and a token when and only when there are more. The
// token depends on their numbers, so a gap in the numbers shows here. Nobody may
// write between the two.
func (seen seenCase) compareRecent() error {
	recent := seen.RecentCommunications
	want := seen.all[:min(5, len(seen.all))]
	if got := bodies(recent.Communications); !slices.Equal(got, bodies(want)) {
		return fmt.Errorf("case %s comes with the communications %q, want the newest, %q", *seen.CaseId, got, bodies(want))
	}
	for i, one := range recent.Communications {
		if len(one.AttachmentSet) != len(want[i].AttachmentSet) {
			return fmt.Errorf("case %s: recent communication %q has %d attachments, want %d", *seen.CaseId, *one.Body, len(one.AttachmentSet), len(want[i].AttachmentSet))
		}
	}
	if more := len(seen.all) > 5; more != (aws.ToString(recent.NextToken) != "") {
		return fmt.Errorf("case %s has %d communications and a token for more: %v", *seen.CaseId, len(seen.all), !more)
	}
	return nil
}

// compareFiles reads every attachment of a case.
func (k *askedCase) compareFiles(ctx context.Context, api *support.Client, seen seenCase) error {
	var wrong []error
	for _, asked := range k.communications {
		i := slices.IndexFunc(seen.all, func(c types.Communication) bool { return *c.Body == asked.body })
		if i < 0 {
			continue
		}
		for j, want := range asked.files[:min(len(asked.files), len(seen.all[i].AttachmentSet))] {
			wrong = append(wrong, want.compare(ctx, api, seen.all[i].AttachmentSet[j]))
		}
	}
	return errors.Join(wrong...)
}

func (want sentFile) compare(ctx context.Context, api *support.Client, seen types.AttachmentDetails) error {
	out, err := api.DescribeAttachment(ctx, &support.DescribeAttachmentInput{AttachmentId: seen.AttachmentId})
	if err != nil {
		return err
	}
	got := out.Attachment
	if *got.FileName != want.name || *seen.FileName != want.name || !bytes.Equal(got.Data, want.data) {
		return fmt.Errorf("attachment %s is %q with %d bytes, want %q with the %d bytes that were sent",
			*seen.AttachmentId, *got.FileName, len(got.Data), want.name, len(want.data))
	}
	return nil
}
