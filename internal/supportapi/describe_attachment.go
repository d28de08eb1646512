package supportapi

import (
	"context"
)

type describeAttachmentInput struct {
	AttachmentID *string `json:"attachmentId" constraint:"required"`
}

type describeAttachmentOutput struct {
	Attachment *attachment `json:"attachment"`
}

func (a *API) describeAttachment(ctx context.Context, who caller, in *describeAttachmentInput) (*describeAttachmentOutput, error) {
	file, err := a.cases.Attachment(ctx, who.Identity, *in.AttachmentID)
	return &describeAttachmentOutput{Attachment: &attachment{Data: file.Data, FileName: &file.Name}}, err
}
