package s3blob

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/supportd/supportd/internal/blob"
)

// S3 lists general purpose buckets in the order of the names' bytes and
// directory buckets in none ("Listing objects" in the user guide).
var errOrder = errors.New("the server does not list in order")

// List implements [blob.Store].
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(blob.Info{}, fmt.Errorf("list blobs: %w", err))
			return
		}
		if !beginsKey(prefix) {
			return // servers refuse some such texts
		}
		s.list(ctx, prefix, yield)
	}
}

// beginsKey reports whether a key can begin with prefix.
func beginsKey(prefix string) bool {
	return prefix == "" || blob.CheckKey(prefix) == nil || blob.CheckKey(prefix+"a") == nil
}

func (s *Store) list(ctx context.Context, prefix string, yield func(blob.Info, error) bool) {
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{
		Bucket: &s.bucket,
		Prefix: aws.String(s.folder + objects + "/" + prefix),
	}, func(o *s3.ListObjectsV2PaginatorOptions) { o.Limit = s.page })
	for last := ""; pages.HasMorePages(); {
		infos, err := s.nextPage(ctx, pages)
		for _, info := range infos {
			if info.Key <= last {
				err = fmt.Errorf("%w: %s after %s", errOrder, info.Key, last)
				break
			}
			if last = info.Key; !yield(info, nil) {
				return
			}
		}
		if err != nil {
			yield(blob.Info{}, fmt.Errorf("list blobs %s: %w", prefix, err))
			return
		}
	}
}

func (s *Store) nextPage(ctx context.Context, pages *s3.ListObjectsV2Paginator) (infos []blob.Info, err error) {
	err = s.request(ctx, func(ctx context.Context) error {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, object := range page.Contents {
			if key, ok := s.key(aws.ToString(object.Key)); ok {
				infos = append(infos, blob.Info{Key: key, Size: aws.ToInt64(object.Size), Modified: aws.ToTime(object.LastModified)})
			}
		}
		return nil
	})
	return infos, err
}
