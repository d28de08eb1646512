package advisor

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"slices"

	"github.com/supportd/supportd/internal/check"
)

// PackedRows are the rows of a result as they are kept: compressed, in portions.
// Packing takes a while and is done outside of transactions.
type PackedRows [][]byte

// rowsInPortion is how many rows of a result are kept together: few rows of the
// table for many of the result, and none of them large.
const rowsInPortion = 1000

// storedRow is the form in which a row is kept, in a portion that is
// compressed: most of it repeats from row to row. A later release may add
// members.
type storedRow struct {
	Status     check.Status `json:"s"`
	ResourceID string       `json:"i"`
	Resource   string       `json:"r"`
	Region     string       `json:"g,omitempty"`
	Suppressed bool         `json:"x,omitempty"`
	Metadata   []*string    `json:"m"`
	Savings    *float64     `json:"v,omitempty"`
}

// PackRows packs rows.
func PackRows(rows []check.Row) (packed PackedRows, err error) {
	for some := range slices.Chunk(rows, rowsInPortion) {
		portion, err := packPortion(some)
		if err != nil {
			return nil, err
		}
		packed = append(packed, portion)
	}
	return packed, nil
}

func packPortion(rows []check.Row) ([]byte, error) {
	kept := make([]storedRow, len(rows))
	for i, r := range rows {
		kept[i] = storedRow{r.Status, r.ResourceID, r.Resource, r.Region, r.Suppressed, r.Metadata, r.Savings}
	}
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	err = errors.Join(json.NewEncoder(w).Encode(kept), w.Close())
	return buf.Bytes(), err
}

// Unpack returns the rows.
func (p PackedRows) Unpack() (rows []check.Row, err error) {
	for _, portion := range p {
		if rows, err = unpackPortion(rows, portion); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// unpackPortion appends the rows of a portion.
func unpackPortion(rows []check.Row, portion []byte) ([]check.Row, error) {
	r, err := gzip.NewReader(bytes.NewReader(portion))
	if err != nil {
		return nil, err
	}
	var kept []storedRow
	if err := json.NewDecoder(r).Decode(&kept); err != nil {
		return nil, err
	}
	for _, k := range kept {
		rows = append(rows, check.Row{
			Status: k.Status, ResourceID: k.ResourceID, Resource: k.Resource, Region: k.Region,
			Suppressed: k.Suppressed, Metadata: k.Metadata, Savings: k.Savings,
		})
	}
	return rows, nil
}
