// Package inventory is what an account has, as plain data: resources of many
// kinds with the attributes that the API of their service names, and the calls
// that failed. An inventory is collected from an account, kept in a file, and
// read by the checks; it is read as a stream, so that its size is not that of
// the memory.
//
// The package knows the form of resources and not where they come from.
package inventory

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Resource is one thing of an account: a volume, a bucket, a region.
type Resource struct {
	Kind       string         // such as ec2.volume
	ID         string         // unique among those of its kind and region; an ARN where the service has one
	Region     string         // empty for what belongs to no region
	Attributes map[string]any // as encoding/json decodes them; names as in the kind's Type
}

// Header says what an inventory is of.
type Header struct {
	Account     string    `json:"account"`
	CollectedAt time.Time `json:"collectedAt"` // the time that checks reckon from
	Regions     []string  `json:"regions"`
	Needs       Needs     `json:"needs"` // the kinds and parts that were asked for: others are not there, which is not the same as none
}

// Failure is a call that was asked for and did not succeed. What it would have
// told is unknown, so no check that needs it has a result, unless it uses what
// tells the resources that it is unknown of.
type Failure struct {
	Kind   string `json:"kind"`
	Part   string `json:"part,omitempty"`   // empty: the kind as a whole
	Region string `json:"region,omitempty"` // empty for what belongs to no region
	Told   string `json:"told,omitempty"`   // the attribute that tells of each resource whether the part is unknown; empty: none does
	Cause  string `json:"cause"`
}

// Summary is what is known once an inventory was read to its end.
type Summary struct {
	Resources int                `json:"resources"`
	Failures  []Failure          `json:"failures,omitempty"`
	Prices    map[string]float64 `json:"prices,omitempty"` // USD by the keys of package price, as the account's endpoint told them
}

// Inventory is a set of resources that can be read again and again, each time
// in the same order.
type Inventory interface {
	Header() Header
	// Read calls f with every resource and ends at its first error, which it
	// returns. f keeps what it was given; nothing else changes it.
	Read(ctx context.Context, f func(Resource) error) (Summary, error)
}

// Choice says whether an attribute is wanted. The nil Choice wants nothing of a
// kind, not even that it is there.
type Choice func(attribute string) bool

// Everything is the choice of all attributes.
func Everything(string) bool { return true }

// ReadKinds is Read for the resources of some kinds. They may have attributes
// that are not wanted. Inventories that can leave out what is not with less work
// than reading it have a method of its name.
func ReadKinds(ctx context.Context, inv Inventory, wanted func(kind string) Choice, f func(Resource) error) (Summary, error) {
	if s, ok := inv.(interface {
		ReadKinds(context.Context, func(string) Choice, func(Resource) error) (Summary, error)
	}); ok {
		return s.ReadKinds(ctx, wanted, f)
	}
	return inv.Read(ctx, func(r Resource) error {
		if wanted(r.Kind) == nil {
			return nil
		}
		return f(r)
	})
}

// Needs are kinds of resources, each with the parts of it that are needed
// besides what every resource of the kind has.
type Needs map[string][]string

// Add adds a kind and parts of it. The parts stay sorted.
func (n Needs) Add(kind string, parts ...string) {
	all := slices.Concat(n[kind], parts)
	slices.Sort(all)
	n[kind] = slices.Compact(all)
}

// AddAll adds all of others.
func (n Needs) AddAll(others Needs) {
	for kind, parts := range others {
		n.Add(kind, parts...)
	}
}

// Kinds returns the kinds in order.
func (n Needs) Kinds() []string { return slices.Sorted(maps.Keys(n)) }

// Has reports whether a kind, or with a part also that part, is among the needs.
func (n Needs) Has(kind, part string) bool {
	parts, ok := n[kind]
	return ok && (part == "" || slices.Contains(parts, part))
}

// Memory is an inventory that is held in memory.
type Memory struct {
	Head Header
	All  []Resource
	Rest Summary // but for Resources, which Read counts
}

// Header returns Head.
func (m *Memory) Header() Header { return m.Head }

// Read reads All.
func (m *Memory) Read(ctx context.Context, f func(Resource) error) (Summary, error) {
	for _, r := range m.All {
		if err := ctx.Err(); err != nil {
			return Summary{}, err
		}
		if err := f(r); err != nil {
			return Summary{}, err
		}
	}
	summary := m.Rest
	summary.Resources = len(m.All)
	return summary, nil
}
