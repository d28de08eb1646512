package check

import (
	"cmp"
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/supportd/supportd/internal/inventory"
)

// index has the resources that joins find, by key. It holds only the attributes
// that some expression uses, so that it fits in memory where the inventory does
// not.
type index struct {
	join     *joinPlan
	keep     []string
	own, all bool                    // which there are joins for: of a region, of all
	found    map[indexKey]*resources // those of joins without a key under ""
	broken   broken
}

type indexKey struct{ region, key string }

// anyRegion is the region of an index for joins across regions.
const anyRegion = "*"

// resources are those that an index has under a key. They are sorted when they
// are first looked up: by region and id, whatever the order they came in.
type resources struct {
	list   []*indexed
	values []any // their attributes, once sorted
}

type indexed struct {
	region, id string
	kept       map[string]any
}

func (r *resources) sort() {
	if r.values != nil {
		return
	}
	slices.SortStableFunc(r.list, func(a, b *indexed) int {
		return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(a.id, b.id))
	})
	r.values = make([]any, len(r.list))
	for i, v := range r.list {
		r.values[i] = v.kept
	}
}

func (r *run) index(j *joinPlan) *index {
	x, ok := r.indexes[j.signature]
	if !ok {
		x = &index{join: j, found: map[indexKey]*resources{}}
		r.indexes[j.signature] = x
		r.filling[j.kind.Name] = append(r.filling[j.kind.Name], x)
	}
	x.own, x.all = x.own || !j.sharedRegions, x.all || j.sharedRegions
	x.keep = slices.Concat(x.keep, j.keep)
	slices.Sort(x.keep)
	x.keep = slices.Compact(x.keep)
	return x
}

func (x *index) add(r *run, resource inventory.Resource) error {
	f := frame{run: r, other: attributes(resource.Attributes), params: x.join.params}
	if counts, err := f.bool(x.join.where, true); err != nil || !counts {
		return err
	}
	keys := []string{""}
	if x.join.key != nil {
		var err error
		if keys, err = f.keys(x.join.key); err != nil {
			return err
		}
	}
	kept := make(map[string]any, len(x.keep))
	for _, name := range x.keep {
		if v, ok := resource.Attributes[name]; ok {
			kept[name] = v
		}
	}
	v := &indexed{region: resource.Region, id: resource.ID, kept: kept}
	for i, key := range keys {
		if slices.Contains(keys[:i], key) {
			continue
		}
		if x.own {
			x.put(indexKey{resource.Region, key}, v)
		}
		if x.all {
			x.put(indexKey{anyRegion, key}, v)
		}
	}
	return nil
}

func (x *index) put(key indexKey, v *indexed) {
	r := x.found[key]
	if r == nil {
		r = &resources{}
		x.found[key] = r
	}
	r.list = append(r.list, v)
}

// find returns what a join has for the resource of a frame.
func (x *index) find(f *frame, j *joinPlan) (any, error) {
	region := f.resource.Region
	if j.sharedRegions {
		region = anyRegion
	}
	keys := []string{""}
	if j.equals != nil {
		var err error
		if keys, err = f.keys(j.equals); err != nil {
			return nil, err
		}
	}
	found := x.lookup(region, keys)
	if !j.definition.One {
		return found, nil
	}
	if len(found) == 0 {
		return map[string]any{}, nil
	}
	return found[0], nil
}

// lookup returns the attributes of the resources under any of the keys, each
// resource once, in the order of the keys.
func (x *index) lookup(region string, keys []string) []any {
	if len(keys) == 1 {
		if r := x.found[indexKey{region, keys[0]}]; r != nil {
			r.sort()
			return r.values
		}
		return []any{}
	}
	all, seen := []any{}, map[*indexed]bool{}
	for _, key := range keys {
		r := x.found[indexKey{region, key}]
		if r == nil {
			continue
		}
		r.sort()
		for i, v := range r.list {
			if !seen[v] {
				seen[v] = true
				all = append(all, r.values[i])
			}
		}
	}
	return all
}

// frame is what the expressions of a check know while one resource is judged.
// What costs something is computed when it is first used.
type frame struct {
	run      *run
	check    *running
	resource inventory.Resource
	other    map[string]any // while an index is filled
	params   ref.Val
	each     ref.Val
	lets     []ref.Val
	joins    []any
	color    string
	savings  *float64
}

func (f *frame) reset(resource inventory.Resource) {
	f.resource, f.params = resource, f.check.plan.given
	f.each, f.color, f.savings = nil, "", nil
	clear(f.lets)
	clear(f.joins)
}

// Parent makes frame a CEL activation.
func (f *frame) Parent() cel.Activation { return nil }

// ResolveName returns the value of a variable.
func (f *frame) ResolveName(name string) (any, bool) {
	switch name {
	case "resource":
		return attributes(f.resource.Attributes), true
	case "other":
		return attributes(f.other), f.other != nil
	case "id":
		return f.resource.ID, true
	case "region":
		return cmp.Or(f.resource.Region, "-"), true
	case "now":
		return f.run.now, true
	case "params":
		return f.params, true
	case "prices":
		return f.run.prices, true
	case "each":
		return f.each, f.each != nil
	case "color":
		return f.color, true
	case "savings":
		return optional(f.savings), true
	}
	return f.own(name)
}

// own returns a variable that the check declares.
func (f *frame) own(name string) (any, bool) {
	if f.check == nil {
		return nil, false
	}
	if i, ok := f.check.plan.variables[name]; ok {
		if f.lets[i] == nil {
			f.lets[i] = f.eval(f.check.plan.lets[i])
		}
		return f.lets[i], true
	}
	for i, j := range f.check.plan.joins {
		if j.name != name {
			continue
		}
		if f.joins[i] == nil {
			found, err := f.check.indexes[i].find(f, j)
			if err != nil {
				return wrong(err), true
			}
			f.joins[i] = found
		}
		return f.joins[i], true
	}
	return nil, false
}

func attributes(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// list evaluates an expression that is a list.
func (f *frame) list(x *compiled) ([]ref.Val, error) {
	v, err := f.value(x)
	if err != nil {
		return nil, err
	}
	list, ok := v.(traits.Lister)
	if !ok {
		return nil, fmt.Errorf("%s: %w", x.what, errList)
	}
	var all []ref.Val
	elements(list, func(v ref.Val) { all = append(all, v) })
	return all, nil
}

// keys evaluates an expression that is a string or a list of strings.
func (f *frame) keys(x *compiled) ([]string, error) {
	v, err := f.value(x)
	if err != nil {
		return nil, err
	}
	if s, ok := v.Value().(string); ok {
		return []string{s}, nil
	}
	list, ok := v.(traits.Lister)
	if !ok {
		return nil, fmt.Errorf("%s: %w", x.what, errList)
	}
	var keys []string
	elements(list, func(v ref.Val) {
		if s, ok := v.Value().(string); ok {
			keys = append(keys, s)
		}
	})
	return keys, nil
}
