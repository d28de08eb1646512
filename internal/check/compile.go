package check

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/decls"

	"github.com/supportd/supportd/internal/inventory"
)

// program is a check's expressions, compiled when they are first needed.
type program struct {
	file       string
	folder     fs.FS
	definition definition
	check      *Check
	shared     *environment

	once sync.Once
	plan *plan
	err  error
}

// plan is a compiled check.
type plan struct {
	check *Check
	kind  inventory.Kind
	needs inventory.Needs
	rows  string
	none  Status

	params    map[string]any
	joins     []*joinPlan
	lets      []*compiled // variables in their order
	variables map[string]int

	where, ignore, failing, warning, savings *compiled // nil where the check has none
	each, eachID                             *compiled
	columns                                  []*compiled
}

// joinPlan is how the other resources of a check are found.
type joinPlan struct {
	name          string
	definition    join
	kind          inventory.Kind
	keep          []string // the attributes that expressions use
	where, key    *compiled
	equals        *compiled
	sharedRegions bool // those of all regions are found
	params        map[string]any
	signature     string
}

func (p *program) compiled() (*plan, error) {
	p.once.Do(func() {
		p.shared.mu.Lock()
		defer p.shared.mu.Unlock()
		p.plan, p.err = p.compile()
	})
	return p.plan, p.err
}

func (p *program) compile() (*plan, error) {
	d := p.definition
	kind, ok := p.shared.kinds[d.Resource]
	if !ok {
		return nil, fmt.Errorf("%s: resource %q: there is no such kind, see docs/resources.md", p.file, d.Resource)
	}
	env, err := p.shared.env()
	if err != nil {
		return nil, err
	}
	b := builder{program: p, plan: &plan{
		check: p.check, kind: kind, needs: inventory.Needs{}, rows: d.Rows, none: d.None, variables: map[string]int{},
	}, used: map[string]map[string]bool{}}
	return b.build(env)
}

// builder compiles one check.
type builder struct {
	*program
	plan *plan
	env  *cel.Env
	used map[string]map[string]bool // by struct and field
}

func (b *builder) build(env *cel.Env) (*plan, error) {
	d := b.definition
	params, err := b.parameters()
	if err != nil {
		return nil, err
	}
	common := []cel.EnvOption{cel.Variable("now", cel.TimestampType), cel.Variable("params", params),
		cel.Variable("prices", cel.MapType(cel.StringType, cel.DoubleType))}
	if b.env, err = env.Extend(common...); err != nil {
		return nil, err
	}
	bare := b.env
	if err := b.variable("resource", b.shared.provider.celType(b.plan.kind.Type)); err != nil {
		return nil, err
	}
	for _, name := range []string{"id", "region"} {
		if err := b.variable(name, cel.StringType); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.With)) {
		if err := b.join(bare, name, d.With[name]); err != nil {
			return nil, err
		}
	}
	steps := []struct {
		what string
		x    expression
		to   **compiled
		want []*cel.Type
	}{
		{"each.in", d.Each.In, &b.plan.each, []*cel.Type{cel.ListType(cel.DynType)}},
		{"each.id", d.Each.ID, &b.plan.eachID, []*cel.Type{cel.StringType}},
		{"where", d.Where, &b.plan.where, []*cel.Type{cel.BoolType}},
		{"ignore", d.Ignore, &b.plan.ignore, []*cel.Type{cel.BoolType}},
		{"error", d.Error, &b.plan.failing, []*cel.Type{cel.BoolType}},
		{"warning", d.Warning, &b.plan.warning, []*cel.Type{cel.BoolType}},
		{"savings", d.Savings, &b.plan.savings, []*cel.Type{cel.DoubleType, optionalDouble()}},
	}
	for _, step := range steps {
		if step.what == "where" { // what is above is not known by name, what is below is
			if err := b.lets(); err != nil {
				return nil, err
			}
		}
		if step.x.Text == "" {
			continue
		}
		c, err := b.expression(step.what, step.x, step.want...)
		if err != nil {
			return nil, err
		}
		*step.to = c
		if step.what == "each.in" {
			if err := b.variable("each", c.ast.OutputType().Parameters()[0]); err != nil {
				return nil, err
			}
		}
	}
	if err := b.columns(); err != nil {
		return nil, err
	}
	b.needs()
	return b.plan, nil
}

// parameters returns the type of params.
func (b *builder) parameters() (*cel.Type, error) {
	b.plan.params = map[string]any{}
	var fields []inventory.Field
	for name, v := range b.definition.Parameters {
		t, value, err := parameter(v)
		if err != nil {
			return nil, fmt.Errorf("%s: parameters.%s: %w", b.file, name, err)
		}
		b.plan.params[name] = value
		fields = append(fields, inventory.Field{Name: name, Type: t})
	}
	return b.shared.provider.celType(inventory.StructOf("params."+b.check.ID, fields...)), nil
}

func parameter(v any) (*inventory.Type, any, error) {
	switch v := v.(type) {
	case string:
		return &inventory.Type{Form: inventory.String}, v, nil
	case bool:
		return &inventory.Type{Form: inventory.Bool}, v, nil
	case uint64:
		return &inventory.Type{Form: inventory.Int}, int64(v), nil
	case int64:
		return &inventory.Type{Form: inventory.Int}, v, nil
	case float64:
		return &inventory.Type{Form: inventory.Double}, v, nil
	case []any:
		elem, list := &inventory.Type{Form: inventory.Any}, make([]any, len(v))
		for i, item := range v {
			t, value, err := parameter(item)
			if err != nil {
				return nil, nil, err
			}
			if i > 0 && t.Form != elem.Form {
				return nil, nil, fmt.Errorf("the items of a list have one type, and these are %s and %s", elem, t)
			}
			elem, list[i] = t, value
		}
		return &inventory.Type{Form: inventory.List, Elem: elem}, list, nil
	}
	return nil, nil, fmt.Errorf("a %T: want a text, a number, true, false, or a list of these", v)
}

// variable makes a name known to the expressions that follow.
func (b *builder) variable(name string, t *cel.Type) (err error) {
	b.env, err = b.env.Extend(cel.VariableDecls(decls.NewVariable(name, t)))
	return err
}

func (b *builder) expression(what string, x expression, want ...*cel.Type) (*compiled, error) {
	return b.in(b.env, what, x, want...)
}

func (b *builder) in(env *cel.Env, what string, x expression, want ...*cel.Type) (*compiled, error) {
	c, err := b.shared.compile(env, b.file, what, x, want...)
	if err != nil {
		return nil, err
	}
	usedFields(c.ast, func(structName, field string) {
		if b.used[structName] == nil {
			b.used[structName] = map[string]bool{}
		}
		b.used[structName][field] = true
	})
	return c, nil
}

// join compiles how other resources are found. Their own expressions know them
// as other and nothing of the check's resource, so that one index serves all.
func (b *builder) join(bare *cel.Env, name string, d join) error {
	what := "with." + name
	kind, ok := b.shared.kinds[d.Kind]
	if !ok {
		return fmt.Errorf("%s: %s: kind %q: there is no such kind, see docs/resources.md", b.file, what, d.Kind)
	}
	if (d.Key.Text == "") != (d.Equals.Text == "") {
		return fmt.Errorf("%s: %s: key and equals go together", b.file, what)
	}
	t := b.shared.provider.celType(kind.Type)
	j := &joinPlan{
		name: name, definition: d, kind: kind, params: b.plan.params,
		sharedRegions: d.Across || kind.Global || b.plan.kind.Global,
		signature:     fmt.Sprintf("%s|%s|%s|%v", d.Kind, d.Where.Text, d.Key.Text, b.plan.params),
	}
	env, err := bare.Extend(cel.Variable("other", t))
	if err != nil {
		return err
	}
	keys := []*cel.Type{cel.StringType, cel.ListType(cel.StringType)}
	if d.Where.Text != "" {
		if j.where, err = b.in(env, what+".where", d.Where, cel.BoolType); err != nil {
			return err
		}
	}
	if d.Key.Text != "" {
		if j.key, err = b.in(env, what+".key", d.Key, keys...); err != nil {
			return err
		}
		own, err := bare.Extend(cel.Variable("resource", b.shared.provider.celType(b.plan.kind.Type)))
		if err != nil {
			return err
		}
		if j.equals, err = b.in(own, what+".equals", d.Equals, keys...); err != nil {
			return err
		}
	}
	b.plan.joins = append(b.plan.joins, j)
	if d.One {
		return b.variable(name, t)
	}
	return b.variable(name, cel.ListType(t))
}

func (b *builder) lets() error {
	for _, let := range b.definition.Let {
		c, err := b.expression("let."+let.Name, let.expression)
		if err != nil {
			return err
		}
		b.plan.variables[let.Name] = len(b.plan.lets)
		b.plan.lets = append(b.plan.lets, c)
		if err := b.variable(let.Name, c.ast.OutputType()); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) columns() error {
	if err := b.variable("color", cel.StringType); err != nil {
		return err
	}
	if err := b.variable("savings", optionalDouble()); err != nil {
		return err
	}
	cells := []*cel.Type{
		cel.StringType, cel.IntType, cel.DoubleType, cel.TimestampType, cel.NullType, cel.DynType,
		cel.OptionalType(cel.StringType), optionalDouble(), cel.OptionalType(cel.IntType),
	}
	for _, column := range b.definition.Columns {
		c, err := b.expression("columns."+column.Name, column.expression, cells...)
		if err != nil {
			return err
		}
		b.plan.columns = append(b.plan.columns, c)
	}
	return nil
}

// needs finds the kinds and parts that the expressions use.
func (b *builder) needs() {
	add := func(kind inventory.Kind) {
		b.plan.needs.Add(kind.Name)
		for _, f := range kind.Type.Fields() {
			if f.Part != "" && b.used[kind.Type.Name][f.Name] {
				b.plan.needs.Add(kind.Name, f.Name)
			}
		}
	}
	add(b.plan.kind)
	for _, j := range b.plan.joins {
		add(j.kind)
		j.keep = slices.Sorted(maps.Keys(b.used[j.kind.Type.Name]))
	}
}
