package server

import (
	"sync"
)

// Progress is how far an export or import is.
type Progress struct {
	What        string
	Unit        string // rows or bytes
	Done, Total int64
}

// progress tells how far the work is.
type progress struct {
	tell func(Progress)

	mu  sync.Mutex
	now Progress
}

func (p *progress) begin(what, unit string, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = Progress{What: what, Unit: unit, Total: total}
	p.told()
}

func (p *progress) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Done += n
	p.told()
}

func (p *progress) told() {
	if p.tell != nil {
		p.tell(p.now)
	}
}

// Moved is what an export or import has moved.
type Moved struct {
	Tables      []MovedTable     `json:"tables"`
	Attachments MovedAttachments `json:"attachments"`
}

// MovedTable is a table with how many rows it has.
type MovedTable struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
}

// MovedAttachments are the bytes of attachments.
type MovedAttachments struct {
	Count   int64    `json:"count"`
	Bytes   int64    `json:"bytes"`
	Missing []string `json:"missing"` // whose bytes are lost
}

func (e exportFolder) moved(m exported) (Moved, error) {
	moved := Moved{Attachments: MovedAttachments{Missing: m.Missing}}
	for _, t := range m.Tables {
		moved.Tables = append(moved.Tables, MovedTable{t.Name, t.rows()})
	}
	for a, err := range e.listed(m) {
		if err != nil {
			return Moved{}, err
		}
		moved.Attachments.Count++
		moved.Attachments.Bytes += a.size
	}
	return moved, nil
}
