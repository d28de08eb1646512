package supportapi

import (
	"context"
	"net/url"

	"github.com/supportd/supportd/internal/awsjson"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
)

// caller is who calls, and under which key the call may be repeated.
type caller struct {
	iam.Identity
	once cases.RequestKey
}

// input is where the members of a call are: in the body or, for URLs that boto3
// presigns, in the query.
type input struct {
	body  []byte
	query url.Values // nil when the members are in the body
}

// operation reads the input of a call and returns what runs it. It fails only
// where the input's text is broken; wrong types are found out when it runs,
// after the caller's permission was looked at, as at AWS.
type operation func(in input) (invocation, error)

type invocation func(ctx context.Context, who caller) (body []byte, err error)

// op makes an operation of a function that maps one call.
func op[In, Out any](f func(context.Context, caller, *In) (*Out, error)) operation {
	return encodedOp(func(ctx context.Context, who caller, in *In) ([]byte, error) {
		out, err := f(ctx, who, in)
		if err != nil {
			return nil, err
		}
		return awsjson.Encode(out)
	})
}

// encodedOp makes an operation of a function that encodes its answer itself.
func encodedOp[In any](f func(context.Context, caller, *In) ([]byte, error)) operation {
	codec := awsjson.NewCodec[In]()
	return func(from input) (invocation, error) {
		in := new(In)
		typeErr, err := read(codec, from, in)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, who caller) ([]byte, error) {
			if typeErr != nil {
				return nil, typeErr
			}
			if invalid := codec.Validate(in); invalid != nil {
				return nil, invalid
			}
			return f(ctx, who, in)
		}, nil
	}
}

func read[In any](codec *awsjson.Codec[In], from input, in *In) (typeErr *awsjson.Error, err error) {
	if from.query != nil {
		return codec.DecodeQuery(from.query, in), nil
	}
	typeErr, syntax := codec.Decode(from.body, in)
	if syntax != nil {
		return nil, syntax
	}
	return typeErr, nil
}

// value returns what p points to, or the zero value: absent and empty mean the
// same to most members.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
