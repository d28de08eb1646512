package s3blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/supportd/supportd/internal/blob"
)

// partSize is what a Put holds in memory. S3 takes 10,000 parts of at least
// 5 MiB, so a blob has up to 78 GiB.
const partSize = 8 << 20

// Put implements [blob.Store].
func (s *Store) Put(ctx context.Context, key string, r io.Reader) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if err := s.put(ctx, s.name(key), blob.UntilDone(ctx, r)); err != nil {
		return fmt.Errorf("put blob %s: %w", key, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, name string, r io.Reader) error {
	var part bytes.Buffer
	_, err := io.CopyN(&part, r, partSize)
	if err == io.EOF {
		return s.putObject(ctx, name, part.Bytes())
	}
	if err != nil {
		return err
	}
	return s.putParts(ctx, name, &part, r)
}

func (s *Store) putObject(ctx context.Context, name string, content []byte) error {
	// Servers that know the header keep the hash and send it with the object;
	// the others pass over it.
	hash := sha256.Sum256(content)
	return s.request(ctx, func(ctx context.Context) error {
		_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket:         &s.bucket,
			Key:            &name,
			Body:           bytes.NewReader(content),
			ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(hash[:])),
		}, signBody)
		return err
	})
}

// putParts uploads part, and then the rest of r through the same memory.
// Nothing is visible until the upload is completed.
func (s *Store) putParts(ctx context.Context, name string, part *bytes.Buffer, r io.Reader) error {
	id, err := s.beginUpload(ctx, name)
	if err != nil {
		return err
	}
	parts, err := s.uploadParts(ctx, name, id, part, r)
	if err == nil {
		err = s.completeUpload(ctx, name, id, parts)
	}
	if err != nil {
		s.abortUpload(ctx, name, id)
	}
	return err
}

func (s *Store) beginUpload(ctx context.Context, name string) (id *string, err error) {
	err = s.request(ctx, func(ctx context.Context) error {
		out, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &s.bucket, Key: &name})
		if err == nil {
			id = out.UploadId
		}
		return err
	})
	return id, err
}

func (s *Store) uploadParts(ctx context.Context, name string, id *string, part *bytes.Buffer, r io.Reader) ([]types.CompletedPart, error) {
	var parts []types.CompletedPart
	for number := int32(1); part.Len() > 0; number++ {
		err := s.request(ctx, func(ctx context.Context) error {
			out, err := s.client.UploadPart(ctx, &s3.UploadPartInput{
				Bucket: &s.bucket, Key: &name, UploadId: id,
				PartNumber: &number,
				Body:       bytes.NewReader(part.Bytes()),
			}, signBody)
			if err == nil {
				parts = append(parts, types.CompletedPart{ETag: out.ETag, PartNumber: &number})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		part.Reset()
		if _, err := io.CopyN(part, r, partSize); err != nil && err != io.EOF {
			return nil, err
		}
	}
	return parts, nil
}

func (s *Store) completeUpload(ctx context.Context, name string, id *string, parts []types.CompletedPart) error {
	return s.request(ctx, func(ctx context.Context) error {
		_, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &s.bucket, Key: &name, UploadId: id,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
		return err
	})
}

// abortUpload removes the parts, also when ctx is the reason for it.
func (s *Store) abortUpload(ctx context.Context, name string, id *string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.attempt)
	defer cancel()
	// If it fails, the parts stay until the bucket's rule removes them; the
	// error of the Put tells more.
	_ = s.request(ctx, func(ctx context.Context) error {
		_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: &name, UploadId: id})
		return err
	})
}
