package awsjson_test

import (
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/awsjson"
)

func TestListsBeyondAnyBoundTakeNoMemory(t *testing.T) {
	type input struct {
		Files []struct {
			Name *string `json:"name"`
		} `json:"files"`
	}
	body := []byte(`{"files":[` + strings.Repeat(`{},`, 100_000) + `{}]}`)
	var in input
	typeErr, syntax := awsjson.NewCodec[input]().Decode(body, &in)
	if typeErr != nil || syntax != nil || len(in.Files) != 1000 {
		t.Errorf("Decode(100,001 elements) keeps %d, %v, %v, want the first 1,000", len(in.Files), typeErr, syntax)
	}
}
