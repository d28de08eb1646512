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
	join  *joinPlan
	keep  []string
	keyed map[indexKey][]any
	loose map[string][]any // without a key: by region
	err   error
}

type indexKey struct{ region, key string }

// anyRegion is the region of an index for joins across regions.
const anyRegion = "*"

func (r *run) index(j *joinPlan) *index {
	x, ok := r.indexes[j.signature]
	if !ok {
		x = &index{join: j, keyed: map[indexKey][]any{}, loose: map[string][]any{}}
		r.indexes[j.signature] = x
		r.filling[j.kind.Name] = append(r.filling[j.kind.Name], x)
	}
	x.keep = slices.Concat(x.keep, j.keep)
	slices.Sort(x.keep)
	x.keep = slices.Compact(x.keep)
	return x
}

func (x *index) add(r *run, resource inventory.Resource) error {
	f := frame{run: r, other: resource.Attributes, params: x.join.params}
	if counts, err := f.bool(x.join.where, true); err != nil || !counts {
		return err
	}
	kept := make(map[string]any, len(x.keep))
	for _, name := range x.keep {
		if v, ok := resource.Attributes[name]; ok {
			kept[name] = v
		}
	}
	if x.join.key == nil {
		x.loose[resource.Region] = append(x.loose[resource.Region], kept)
		x.loose[anyRegion] = append(x.loose[anyRegion], kept)
		return nil
	}
	keys, err := f.keys(x.join.key)
	if err != nil {
		return err
	}
	for _, key := range keys {
		own, all := indexKey{resource.Region, key}, indexKey{anyRegion, key}
		x.keyed[own] = append(x.keyed[own], kept)
		x.keyed[all] = append(x.keyed[all], kept)
	}
	return nil
}

// find returns what a join has for the resource of a frame.
func (x *index) find(f *frame, j *joinPlan) (any, error) {
	region := f.resource.Region
	if j.sharedRegions {
		region = anyRegion
	}
	found := x.loose[region]
	if j.equals != nil {
		keys, err := f.keys(j.equals)
		if err != nil {
			return nil, err
		}
		found = nil
		for i, key := range keys {
			if !slices.Contains(keys[:i], key) {
				found = append(found, x.keyed[indexKey{region, key}]...)
			}
		}
	}
	if !j.definition.One {
		if found == nil {
			found = []any{}
		}
		return found, nil
	}
	if len(found) == 0 {
		return map[string]any{}, nil
	}
	return found[0], nil
}

// frame is what the expressions of a check know while one resource is judged.
// What costs something is computed when it is first used.
type frame struct {
	run      *run
	check    *running
	resource inventory.Resource
	other    map[string]any // while an index is filled
	params   map[string]any
	each     ref.Val
	lets     []ref.Val
	joins    []any
	color    string
	savings  *float64
}

func (f *frame) reset(resource inventory.Resource) {
	f.resource, f.params = resource, f.check.plan.params
	f.each, f.color, f.savings = nil, "", nil
	clear(f.lets)
	if f.joins == nil {
		f.joins = make([]any, len(f.check.plan.joins))
	}
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
		return f.run.header.CollectedAt, true
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
