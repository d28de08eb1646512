package deskapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"

	"github.com/go-json-experiment/json"

	"github.com/supportd/supportd/internal/desk"
)

// operation is what a route does, with the types of what goes in and out.
type operation struct {
	in     reader
	inType reflect.Type
	out    reflect.Type
	run    func(ctx context.Context, who desk.Caller, r *http.Request, body []byte) (any, error)
}

// op makes an operation of a function that maps one call.
func op[In, Out any](f func(context.Context, desk.Caller, *In) (*Out, error)) operation {
	in := newReader(reflect.TypeFor[In]())
	return operation{
		in: in, inType: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		run: func(ctx context.Context, who desk.Caller, r *http.Request, body []byte) (any, error) {
			from := new(In)
			if err := in.read(r, body, reflect.ValueOf(from).Elem()); err != nil {
				return nil, err
			}
			return f(ctx, who, from)
		},
	}
}

// none is an input without members, or an answer without a body.
type none struct{}

// located is an answer about something that is new.
type located interface{ location() string }

// served is an answer that is not JSON.
type served interface{ serve(w http.ResponseWriter) }

// The largest bodies that are read. Three files of 5 MB, which a reply may
// carry, are 20 MiB in base64; nothing else is longer than a few pages.
const (
	maxBody      = 256 << 10
	maxFilesBody = 22 << 20
)

func (o operation) maxBody() int64 {
	if o.in.files {
		return maxFilesBody
	}
	return maxBody
}

// readBody reads a request's body, of which the agent is. The caller must call
// release when it is done with it. One that may be large waits until there is a
// place for it.
func (a *API) readBody(r *http.Request, o operation, agent string) (body []byte, release func(), err error) {
	release = func() {}
	if o.in.files && (r.ContentLength < 0 || r.ContentLength > maxBody) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		if release, err = a.places.take(ctx, agent); err != nil {
			return nil, nil, err
		}
	}
	if body, err = o.readBody(r); err != nil {
		release()
		return nil, nil, err
	}
	return body, release, nil
}

func (o operation) readBody(r *http.Request) ([]byte, error) {
	most := o.maxBody()
	tooLarge := errBodyTooLarge.With("The body may have %d bytes.", most)
	if r.ContentLength > most {
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		return nil, errors.Join(errBody.With("The body cannot be read."), err)
	}
	if int64(len(body)) > most {
		return nil, tooLarge
	}
	return body, nil
}

// answer writes what an operation answered.
func answer(w http.ResponseWriter, r *http.Request, out any) error {
	header := w.Header()
	if v, ok := out.(versioned); ok {
		header.Set("ETag", etag(v.version()))
		if isRead(r) && isKnown(r.Header, v.version()) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	if s, ok := out.(served); ok {
		s.serve(w)
		return nil
	}
	if _, ok := out.(*none); ok {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	body, err := json.Marshal(out, json.Deterministic(true))
	if err != nil {
		return err
	}
	status := http.StatusOK
	if l, ok := out.(located); ok {
		header.Set("Location", l.location())
		status = http.StatusCreated
	}
	send(w, status, "application/json", body)
	return nil
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }
