package check

import (
	"cmp"
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/supportd/supportd/internal/inventory"
)

// index has the resources that joins find, by key.
type index struct {
	join     *joinPlan
	own, all bool                    // which there are joins for: of a region, of all
	found    map[indexKey]*resources // those of joins without a key under ""
	broken   broken
}

// filling is what the indexes of one kind have in common: of a resource that
// any of them holds there stay the attributes that some expression reads, once,
// so that they fit in memory where the inventory does not.
type filling struct {
	kind    inventory.Kind
	keep    []string
	wanted  *wanted // more than keep: what only where and key of joins read
	indexes []*index
	adapter *provider
}

type indexKey struct{ region, key string }

// anyRegion is the region of an index for joins across regions.
const anyRegion = "*"

// resources are those that an index has under a key. They are sorted when they
// are first looked up: by region and id, whatever the order they came in.
type resources struct {
	list   []*indexed
	values ref.Val // the list of their attributes, once sorted
}

type indexed struct {
	region, id string
	kept       ref.Val
}

func (r *resources) sort(adapter types.Adapter) {
	if r.values != nil {
		return
	}
	slices.SortStableFunc(r.list, func(a, b *indexed) int {
		return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(a.id, b.id))
	})
	values := make([]ref.Val, len(r.list))
	for i, v := range r.list {
		values[i] = v.kept
	}
	r.values = types.NewRefValList(adapter, values)
}

func (r *run) index(p *plan, j *joinPlan) *index {
	kind := r.filling[j.kind.Name]
	if kind == nil {
		kind = &filling{kind: j.kind, wanted: newWanted(), adapter: p.check.program.shared.provider}
		r.filling[j.kind.Name] = kind
	}
	x, ok := r.indexes[j.signature]
	if !ok {
		x = &index{join: j, found: map[indexKey]*resources{}}
		r.indexes[j.signature] = x
		kind.indexes = append(kind.indexes, x)
	}
	x.own, x.all = x.own || !j.sharedRegions, x.all || j.sharedRegions
	kind.keep = slices.Concat(kind.keep, j.keep)
	slices.Sort(kind.keep)
	kind.keep = slices.Compact(kind.keep)
	kind.wanted.add(p, j.kind)
	return x
}

// kept returns the attributes that stay, in the form that expressions want.
func (k *filling) kept(all map[string]any) ref.Val {
	kept := make(map[string]any, len(k.keep))
	for _, name := range k.keep {
		v, ok := all[name]
		if !ok {
			continue
		}
		if f, known := k.kind.Type.Field(name); known {
			v = k.adapter.ready(f.Type, v)
		}
		kept[name] = v
	}
	return types.NewStringInterfaceMap(k.adapter, kept)
}

// keys returns what a resource is found by, each key once; nothing where it is
// not found at all.
func (x *index) keys(r *run, resource inventory.Resource) ([]string, error) {
	f := frame{run: r, other: attributes(resource.Attributes), params: x.join.params}
	if counts, err := f.bool(x.join.where, true); err != nil || !counts {
		return nil, err
	}
	if x.join.key == nil {
		return []string{""}, nil
	}
	keys, err := f.keys(x.join.key)
	if len(keys) > 1 {
		slices.Sort(keys)
		keys = slices.Compact(keys)
	}
	return keys, err
}

func (x *index) put(v *indexed, keys []string) {
	for _, key := range keys {
		if x.own {
			x.under(indexKey{v.region, key}).add(v)
		}
		if x.all {
			x.under(indexKey{anyRegion, key}).add(v)
		}
	}
}

func (x *index) under(key indexKey) *resources {
	r := x.found[key]
	if r == nil {
		r = &resources{}
		x.found[key] = r
	}
	return r
}

func (r *resources) add(v *indexed) { r.list = append(r.list, v) }

// find returns what a join has for the resource of a frame.
func (x *index) find(f *frame, j *joinPlan) (ref.Val, error) {
	adapter := f.check.provider()
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
	if j.definition.One {
		if v := x.first(adapter, region, keys); v != nil {
			return v.kept, nil
		}
		return adapter.NativeToValue(map[string]any{}), nil
	}
	return x.lookup(adapter, region, keys), nil
}

// first returns the first resource under the first key that has one.
func (x *index) first(adapter types.Adapter, region string, keys []string) *indexed {
	for _, key := range keys {
		if r := x.found[indexKey{region, key}]; r != nil {
			r.sort(adapter)
			return r.list[0]
		}
	}
	return nil
}

// lookup returns the attributes of the resources under any of the keys, each
// resource once, in the order of the keys.
func (x *index) lookup(adapter types.Adapter, region string, keys []string) ref.Val {
	if len(keys) == 1 {
		if r := x.found[indexKey{region, keys[0]}]; r != nil {
			r.sort(adapter)
			return r.values
		}
		return types.NewRefValList(adapter, nil)
	}
	var all []ref.Val
	seen := map[*indexed]bool{}
	for _, key := range keys {
		r := x.found[indexKey{region, key}]
		if r == nil {
			continue
		}
		r.sort(adapter)
		for _, v := range r.list {
			if !seen[v] {
				seen[v] = true
				all = append(all, v.kept)
			}
		}
	}
	return types.NewRefValList(adapter, all)
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
	joins    []ref.Val
	color    string
	savings  *float64
}

func (f *frame) reset(resource inventory.Resource) {
	f.resource, f.params = resource, f.check.plan.given
	f.each, f.color, f.savings = nil, "", nil
	clear(f.lets)
	clear(f.joins)
}

// next goes on to the next item of the resource. What does not depend on the
// item stays.
func (f *frame) next(item ref.Val) {
	f.each, f.color, f.savings = item, "", nil
	for i, let := range f.check.plan.lets {
		if let.ofItem {
			f.lets[i] = nil
		}
	}
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
