package check

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/types/ref"

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
	given     ref.Val // params as expressions know them
	joins     []*joinPlan
	lets      []*compiled // variables in their order
	variables map[string]int

	prices     bool            // some expression uses prices
	used       fields          // that expressions use
	read       fields          // those but for what only the where and key of joins use
	whole      bool            // some expression has a resource, or another one, as a whole
	usedNames  map[string]bool // the variables that expressions use
	parameters string          // the name of the struct of params

	where, ignore, failing, warning, savings *compiled // nil where the check has none
	each, eachID                             *compiled
	columns                                  []*compiled
}

// fields are names of fields by those of their structs.
type fields map[string]map[string]bool

func (f fields) add(structName, field string) {
	if f[structName] == nil {
		f[structName] = map[string]bool{}
	}
	f[structName][field] = true
}

// has reports whether a field of a kind is among them. Where expressions select
// a name of something of unknown type, it may be the kind's.
func (f fields) has(kind inventory.Kind, field string) bool {
	return f[kind.Type.Name][field] || f[""][field]
}

// joinPlan is how the other resources of a check are found.
type joinPlan struct {
	name          string
	definition    join
	kind          inventory.Kind
	keep          []string // the attributes that are used once it was found
	where, key    *compiled
	equals        *compiled
	sharedRegions bool // those of all regions are found
	params        ref.Val
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
		return nil, p.wrong("resource", "resource %q: there is no such kind, see docs/resources.md", d.Resource)
	}
	env, err := p.shared.env()
	if err != nil {
		return nil, err
	}
	b := builder{program: p, plan: &plan{
		check: p.check, kind: kind, needs: inventory.Needs{}, rows: d.Rows, none: d.None, variables: map[string]int{},
		used: fields{}, read: fields{}, usedNames: map[string]bool{},
	}}
	return b.build(env)
}

// wrong returns an error with the place of a field at the top of the file.
func (p *program) wrong(field, format string, args ...any) error {
	text, _ := fs.ReadFile(p.folder, p.file) // without it the place is the file's beginning
	return fmt.Errorf("%s: %s", place(p.file, text, field), fmt.Sprintf(format, args...))
}

// builder compiles one check.
type builder struct {
	*program
	plan *plan
	env  *cel.Env
}

func (b *builder) build(env *cel.Env) (*plan, error) {
	d := b.definition
	params, err := b.parameters()
	if err != nil {
		return nil, err
	}
	bare, err := env.Extend(cel.Variable("now", cel.TimestampType), cel.Variable("params", params))
	if err != nil {
		return nil, err
	}
	b.env = bare
	if err := b.variable("prices", cel.MapType(cel.StringType, cel.DoubleType)); err != nil {
		return nil, err
	}
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
			if err := b.variable("each", elementType(c.ast.OutputType())); err != nil {
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

// elementType returns the type of a list's elements.
func elementType(t *cel.Type) *cel.Type {
	if t.Kind() == cel.ListKind {
		return t.Parameters()[0]
	}
	return cel.DynType
}

// parameters returns the type of params.
func (b *builder) parameters() (*cel.Type, error) {
	b.plan.params = map[string]any{}
	var fields []inventory.Field
	for _, name := range slices.Sorted(maps.Keys(b.definition.Parameters)) {
		t, value, err := parameter(b.definition.Parameters[name])
		if err != nil {
			return nil, b.wrong("parameters", "parameters.%s: %v", name, err)
		}
		b.plan.params[name] = value
		fields = append(fields, inventory.Field{Name: name, Type: t})
	}
	b.plan.given = b.shared.provider.NativeToValue(b.plan.params)
	b.plan.parameters = "params." + b.check.ID
	return b.shared.provider.celType(inventory.StructOf(b.plan.parameters, fields...)), nil
}

func parameter(v any) (*inventory.Type, any, error) {
	switch v := v.(type) {
	case string:
		return &inventory.Type{Form: inventory.String}, v, nil
	case bool:
		return &inventory.Type{Form: inventory.Bool}, v, nil
	case uint64:
		if v > math.MaxInt64 {
			return nil, nil, fmt.Errorf("%d is larger than the largest int of CEL", v)
		}
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
			if i > 0 && t.String() != elem.String() {
				return nil, nil, fmt.Errorf("the items of a list have one type, and these are %s and %s", elem, t)
			}
			elem, list[i] = t, value
		}
		return &inventory.Type{Form: inventory.List, Elem: elem}, list, nil
	}
	return nil, nil, errors.New("want a text, a number, true, false, or a list of these")
}

// variable makes a name known to the expressions that follow.
func (b *builder) variable(name string, t *cel.Type) (err error) {
	b.env, err = b.env.Extend(cel.VariableDecls(decls.NewVariable(name, t)))
	return err
}

func (b *builder) expression(what string, x expression, want ...*cel.Type) (*compiled, error) {
	c, err := b.in(b.env, what, x, want...)
	if err == nil {
		visit(c.ast, b.plan.read.add, func(string) {})
	}
	return c, err
}

func (b *builder) in(env *cel.Env, what string, x expression, want ...*cel.Type) (*compiled, error) {
	c, err := b.shared.compile(env, source{b.folder, b.file}, what, x, want...)
	if err != nil {
		return nil, err
	}
	b.plan.whole = b.plan.whole || asWhole(c.ast, "resource", "other")
	visit(c.ast, b.plan.used.add, func(name string) {
		b.plan.usedNames[name] = true
	})
	return c, nil
}

// join compiles how other resources are found. Their own expressions know them
// as other and nothing of the check's resource, so that one index serves all.
func (b *builder) join(bare *cel.Env, name string, d join) error {
	what := "with." + name
	kind, ok := b.shared.kinds[d.Kind]
	if !ok {
		return b.wrong("with", "%s: kind %q: there is no such kind, see docs/resources.md", what, d.Kind)
	}
	if (d.Key.Text == "") != (d.Equals.Text == "") {
		return b.wrong("with", "%s: key and equals go together", what)
	}
	t := b.shared.provider.celType(kind.Type)
	j := &joinPlan{
		name: name, definition: d, kind: kind, params: b.plan.given,
		sharedRegions: d.Across || kind.Global || b.plan.kind.Global,
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
	j.signature = b.signature(j)
	b.plan.joins = append(b.plan.joins, j)
	if d.One {
		return b.variable(name, t)
	}
	return b.variable(name, cel.ListType(t))
}

// signature is the same for joins that find the same resources by the same keys.
func (b *builder) signature(j *joinPlan) string {
	d := j.definition
	text := fmt.Sprintf("%q", []string{d.Kind, d.Where.Text, d.Key.Text})
	params := false
	for _, x := range []*compiled{j.where, j.key} {
		if x != nil {
			visit(x.ast, func(string, string) {}, func(name string) { params = params || name == "params" })
		}
	}
	if !params {
		return text
	}
	return text + fmt.Sprintf(" %#v", typedParameters(b.plan.params))
}

// typedParameters are parameters so that those of different types differ when
// they are printed: 1 and 1.0 do not without.
func typedParameters(params map[string]any) map[string]string {
	typed := map[string]string{}
	for name, v := range params {
		typed[name] = fmt.Sprintf("%T %#v", v, v)
		if list, ok := v.([]any); ok && len(list) > 0 {
			typed[name] = fmt.Sprintf("%T %#v", list[0], v)
		}
	}
	return typed
}

func (b *builder) lets() error {
	for _, let := range b.definition.Let {
		c, err := b.expression("let."+let.Name, let.expression)
		if err != nil {
			return err
		}
		visit(c.ast, func(string, string) {}, func(name string) {
			i, let := b.plan.variables[name]
			c.ofItem = c.ofItem || name == "each" || let && b.plan.lets[i].ofItem
		})
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
	b.plan.prices = b.plan.usedNames["prices"]
	add := func(kind inventory.Kind) {
		b.plan.needs.Add(kind.Name)
		for _, f := range kind.Type.Fields() {
			if f.Part != "" && b.plan.used.has(kind, f.Name) {
				b.plan.needs.Add(kind.Name, f.Name)
			}
		}
	}
	add(b.plan.kind)
	for _, j := range b.plan.joins {
		add(j.kind)
		for _, f := range j.kind.Type.Fields() {
			if b.plan.read.has(j.kind, f.Name) {
				j.keep = append(j.keep, f.Name)
			}
		}
	}
}

// Unused returns the parameters and the names of let and with that no
// expression of the check uses.
func (c *Check) Unused() ([]string, error) {
	if c.Unavailable != "" {
		return nil, nil
	}
	plan, err := c.program.compiled()
	if err != nil {
		return nil, err
	}
	var unused []string
	for _, name := range slices.Sorted(maps.Keys(plan.params)) {
		if !plan.used[plan.parameters][name] {
			unused = append(unused, "parameters."+name)
		}
	}
	for _, j := range plan.joins {
		if !plan.usedNames[j.name] {
			unused = append(unused, "with."+j.name)
		}
	}
	for _, let := range c.program.definition.Let {
		if !plan.usedNames[let.Name] {
			unused = append(unused, "let."+let.Name)
		}
	}
	return unused, nil
}
