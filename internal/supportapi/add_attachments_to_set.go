package supportapi

import (
	"context"

	"github.com/supportd/supportd/internal/cases"
)

type addAttachmentsToSetInput struct {
	AttachmentSetID *string      `json:"attachmentSetId"`
	Attachments     []attachment `json:"attachments" constraint:"required"`
}

type attachment struct {
	Data     []byte  `json:"data"`
	FileName *string `json:"fileName"`
}

type addAttachmentsToSetOutput struct {
	AttachmentSetID *string `json:"attachmentSetId"`
	ExpiryTime      *string `json:"expiryTime"`
}

func (a *API) addAttachmentsToSet(ctx context.Context, who caller, in *addAttachmentsToSetInput) (*addAttachmentsToSetOutput, error) {
	files := make([]cases.File, len(in.Attachments))
	for i, f := range in.Attachments {
		if f.Data == nil {
			return nil, errNoData.With("The attachment %q has no data.", value(f.FileName))
		}
		files[i] = cases.File{Name: value(f.FileName), Data: f.Data}
	}
	set, err := a.cases.AddAttachments(ctx, who.Identity, who.once, value(in.AttachmentSetID), files)
	return &addAttachmentsToSetOutput{
		AttachmentSetID: &set.ID,
		ExpiryTime:      new(offsetTime(set.ExpiresAt)),
	}, err
}
