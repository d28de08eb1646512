package server

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/supportd/supportd/internal/store"
)

// chunk is the text of some rows of a table.
type chunk struct {
	text []byte
	rows int
}

func (c chunk) part() exportedPart {
	return exportedPart{Rows: c.rows, Bytes: int64(len(c.text)), SHA256: hashOf(c.text)}
}

// cut yields rows in chunks that end where full says so. The text of a chunk is
// overwritten by the next.
func cut(rows iter.Seq2[store.Row, error], full func(chunk) bool) iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		var c chunk
		for row, err := range rows {
			if err == nil {
				c.text, err = appendRow(c.text, row)
			}
			if err != nil {
				yield(chunk{}, err)
				return
			}
			if c.rows++; !full(c) {
				continue
			}
			if !yield(c, nil) {
				return
			}
			c = chunk{text: c.text[:0]}
		}
		if c.rows > 0 {
			yield(c, nil)
		}
	}
}

// appendRow adds a line: the same row is the same text, whatever the database.
func appendRow(text []byte, row store.Row) (_ []byte, err error) {
	text = append(text, '[')
	for i, value := range row {
		if i > 0 {
			text = append(text, ',')
		}
		switch v := value.(type) {
		case nil:
			text = append(text, "null"...)
		case string:
			if text, err = jsontext.AppendQuote(text, v); err != nil {
				return nil, err
			}
		case int64:
			text = strconv.AppendInt(text, v, 10)
		case bool:
			text = strconv.AppendBool(text, v)
		case []byte:
			text = append(base64.StdEncoding.AppendEncode(append(text, '"'), v), '"')
		default:
			return nil, fmt.Errorf("column %d holds a %T", i+1, value)
		}
	}
	return append(text, "]\n"...), nil
}

func decodeRows(text []byte, t store.Table) (rows []store.Row, err error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(text))
	for decoder.PeekKind() != 0 {
		row, err := decodeRow(decoder, t)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", len(rows)+1, err)
		}
		rows = append(rows, row)
	}
	if _, err := decoder.ReadToken(); err != io.EOF {
		return nil, err
	}
	return rows, nil
}

func decodeRow(decoder *jsontext.Decoder, t store.Table) (store.Row, error) {
	if kind := decoder.PeekKind(); kind != '[' {
		return nil, fmt.Errorf("it begins with %v", kind)
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	row := make(store.Row, len(t.Columns))
	for i, c := range t.Columns {
		value, err := decoder.ReadValue()
		if err == nil {
			row[i], err = decodeValue(value, c.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	if end, err := decoder.ReadToken(); err != nil || end.Kind() != ']' {
		return nil, errors.Join(errors.New("it has more columns than the table"), err)
	}
	return row, nil
}

func decodeValue(value jsontext.Value, t store.Type) (any, error) {
	kind := value.Kind()
	switch {
	case kind == 'n':
		return nil, nil
	case kind == '"' && t == store.Text:
		text, err := jsontext.AppendUnquote(nil, value)
		return string(text), err
	case kind == '"' && t == store.Bytes:
		return base64.StdEncoding.AppendDecode([]byte{}, value[1:len(value)-1])
	case kind == '0' && t == store.Integer:
		return strconv.ParseInt(string(value), 10, 64)
	case (kind == 't' || kind == 'f') && t == store.Boolean:
		return kind == 't', nil
	}
	return nil, fmt.Errorf("it holds %v, want %s", kind, t)
}
