package check

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/supportd/supportd/internal/inventory"
)

// definition is the form of check.yaml.
type definition struct {
	ID       string            `yaml:"id"`
	Name     string            `yaml:"name"`
	Names    map[string]string `yaml:"names"`
	Category string            `yaml:"category"`
	About    string            `yaml:"about"`
	Criteria Criteria          `yaml:"criteria"`
	Action   string            `yaml:"action"`
	Links    []string          `yaml:"links"`

	Refresh  string `yaml:"refresh"`
	Interval string `yaml:"interval"`
	Plan     string `yaml:"plan"`

	Unavailable string `yaml:"unavailable"`

	Resource   string          `yaml:"resource"`
	With       map[string]join `yaml:"with"`
	Parameters map[string]any  `yaml:"parameters"`
	Let        expressions     `yaml:"let"`
	Where      expression      `yaml:"where"`
	Each       each            `yaml:"each"`
	Ignore     expression      `yaml:"ignore"`
	Error      expression      `yaml:"error"`
	Warning    expression      `yaml:"warning"`
	Savings    expression      `yaml:"savings"`
	Rows       string          `yaml:"rows"`
	None       Status          `yaml:"none"`
	Columns    expressions     `yaml:"columns"`
}

// join makes other resources known to the expressions of a check.
type join struct {
	Kind   string     `yaml:"kind"`
	Where  expression `yaml:"where"`  // of the other one: whether it counts
	Key    expression `yaml:"key"`    // of the other one: a string or a list of strings
	Equals expression `yaml:"equals"` // of the check's resource: what Key has to be, or contain
	One    bool       `yaml:"one"`    // the first that is found instead of the list of all
	Across bool       `yaml:"across"` // of all regions instead of the resource's own
}

// each makes several items of a resource, each of which is judged.
type each struct {
	In expression `yaml:"in"` // the list
	ID expression `yaml:"id"` // what tells an item from the others of its resource
}

// expression is the text of a CEL expression and where it is.
type expression struct {
	Text         string
	Line, Column int  // where its value begins in the file, from 1: at the quote or the | of those that have one
	style        rune // ' " | > or 0
}

// UnmarshalYAML keeps where the expression is.
func (e *expression) UnmarshalYAML(node ast.Node) error {
	at := node.GetToken()
	e.Line, e.Column = at.Position.Line, at.Position.Column
	switch n := node.(type) {
	case *ast.LiteralNode:
		e.Text, e.style = n.Value.Value, '|'
	case *ast.StringNode:
		e.Text = n.Value
		switch at.Type {
		case token.SingleQuoteType:
			e.style = '\''
		case token.DoubleQuoteType:
			e.style = '"'
		}
	case ast.ScalarNode: // true, 0
		e.Text = at.Value
	default:
		return &yaml.SyntaxError{Message: "want an expression", Token: at}
	}
	return nil
}

// expressions are expressions by name, in the order of the file.
type expressions []namedExpression

type namedExpression struct {
	Name string
	expression
}

// UnmarshalYAML keeps the order.
func (es *expressions) UnmarshalYAML(node ast.Node) error {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		return &yaml.SyntaxError{Message: "want expressions by name", Token: node.GetToken()}
	}
	for i := mapping.MapRange(); i.Next(); {
		var name string
		if err := yaml.NodeToValue(i.Key(), &name); err != nil {
			return err
		}
		named := namedExpression{Name: name}
		if err := named.UnmarshalYAML(i.Value()); err != nil {
			return err
		}
		*es = append(*es, named)
	}
	return nil
}

// Pack is a set of checks.
type Pack struct {
	checks []*Check // in the order of category and name
	byID   map[string]*Check
	shared *environment
}

// Folder returns a folder of checks. What a link in it names outside of it is
// not read.
func Folder(name string) (fs.FS, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return root.FS(), nil
}

// Load reads every <category>/<slug>/check.yaml of the folders. A check of a
// later folder replaces the one of an earlier folder with its id. Expressions
// are compiled when they are first used; Compile does so now.
func Load(kinds inventory.Kinds, folders ...fs.FS) (*Pack, error) {
	shared, err := newEnvironment(kinds)
	if err != nil {
		return nil, err
	}
	p := &Pack{byID: map[string]*Check{}, shared: shared}
	for _, folder := range folders {
		if err := p.load(folder); err != nil {
			return nil, err
		}
	}
	for _, c := range p.byID {
		p.checks = append(p.checks, c)
	}
	slices.SortFunc(p.checks, func(a, b *Check) int {
		return strings.Compare(a.Category+"\x00"+a.Name+"\x00"+a.ID, b.Category+"\x00"+b.Name+"\x00"+b.ID)
	})
	return p, nil
}

// load adds the checks of a folder. All that is wrong is told at once.
func (p *Pack) load(folder fs.FS) error {
	files, err := fs.Glob(folder, "*/*/check.yaml")
	if err != nil {
		return err
	}
	errs := unreadable(folder)
	if len(files) == 0 && len(errs) == 0 {
		return errors.New("no check found: want category/slug/check.yaml")
	}
	here := map[string]string{}
	for i, c := range p.readAll(folder, files) {
		file := files[i]
		if c.err != nil {
			errs = append(errs, c.err)
			continue
		}
		if other, twice := here[c.ID]; twice {
			errs = append(errs, fmt.Errorf("%s: the id %s is that of %s too", file, c.ID, other))
			continue
		}
		here[c.ID] = file
		p.byID[c.ID] = c.Check
	}
	return errors.Join(errs...)
}

// unreadable finds folders that no check would be found in because they cannot
// be read, such as links that lead out of the pack.
func unreadable(folder fs.FS) (errs []error) {
	for _, pattern := range []string{"*", "*/*"} {
		names, _ := fs.Glob(folder, pattern) // it is well-formed
		for _, name := range names {
			if _, err := fs.Stat(folder, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, fileError(name, err))
			}
		}
	}
	return errs
}

// loaded is a check or why there is none.
type loaded struct {
	*Check
	err error
}

// readAll reads files, as many at once as there are processors: YAML takes its
// time.
func (p *Pack) readAll(folder fs.FS, files []string) []loaded {
	all := make([]loaded, len(files))
	var next atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(files); i = int(next.Add(1)) - 1 {
				all[i].Check, all[i].err = p.read(folder, files[i])
			}
		})
	}
	group.Wait()
	return all
}

func (p *Pack) read(folder fs.FS, file string) (*Check, error) {
	text, err := readFile(folder, file)
	if err != nil {
		return nil, err
	}
	if err := refuseAliases(file, text); err != nil {
		return nil, err
	}
	var d definition
	if err := decode(file, text, &d); err != nil {
		return nil, err
	}
	if field, wrong := d.wrong(path.Dir(file)); wrong != "" {
		return nil, fmt.Errorf("%s: %s", place(file, text, field), wrong)
	}
	return p.newCheck(folder, file, d), nil
}

// categories are those of the API.
func categories() []string {
	return []string{"cost_optimizing", "performance", "security", "fault_tolerance", "service_limits", "operational_excellence"}
}

// wrong returns what is wrong with a definition, and in which of its fields.
func (d *definition) wrong(folder string) (field, text string) {
	switch {
	case d.ID == "":
		return "id", "id is missing"
	case d.Name == "":
		return "name", "name is missing"
	case !slices.Contains(categories(), d.Category):
		return "category", fmt.Sprintf("category %q: want one of %s", d.Category, strings.Join(categories(), ", "))
	case path.Dir(folder) != d.Category:
		return "category", fmt.Sprintf("the check of category %s is in the folder of %s", d.Category, path.Dir(folder))
	case d.About == "":
		return "about", "about is missing"
	case !slices.Contains([]string{"", "manual", "automatic"}, d.Refresh):
		return "refresh", fmt.Sprintf("refresh %q: want manual or automatic", d.Refresh)
	case !slices.Contains([]string{"", "business", "core"}, d.Plan):
		return "plan", fmt.Sprintf("plan %q: want business or core", d.Plan)
	case !slices.Contains([]string{"", "flagged", "all"}, d.Rows):
		return "rows", fmt.Sprintf("rows %q: want flagged or all", d.Rows)
	case !slices.Contains([]Status{"", OK, Warning, Error, NotAvailable}, d.None):
		return "none", fmt.Sprintf("none %q: want ok, warning, error or not_available", d.None)
	}
	if interval, err := time.ParseDuration(d.Interval); d.Interval != "" && (err != nil || interval < time.Minute) {
		return "interval", fmt.Sprintf("interval %q: want a duration of a minute or more, such as 1h", d.Interval)
	}
	if field, text := d.wrongText(); text != "" {
		return field, text
	}
	if d.Unavailable != "" {
		return "", ""
	}
	switch {
	case d.Resource == "":
		return "resource", "resource is missing: the kind that the check looks at"
	case d.Error.Text == "" && d.Warning.Text == "":
		return "error", "error and warning are missing: a check needs at least one of them"
	case d.Each.In.Text != "" && d.Each.ID.Text == "":
		return "each", "each.id is missing: what tells an item from the others of its resource"
	case d.Each.In.Text == "" && d.Each.ID.Text != "":
		return "each", "each.in is missing: the list of items"
	}
	return d.wrongName()
}

// wrongText finds characters that a terminal or a browser would obey, and links
// that are none to a page.
func (d *definition) wrongText() (field, text string) {
	var columns []string
	for _, c := range d.Columns {
		columns = append(columns, c.Name)
	}
	for _, part := range []struct {
		field string
		texts []string
		lines bool // it may have several
	}{
		{"id", []string{d.ID}, false},
		{"name", []string{d.Name}, false},
		{"names", slices.Concat(slices.Sorted(maps.Keys(d.Names)), slices.Sorted(maps.Values(d.Names))), false},
		{"columns", columns, false},
		{"links", d.Links, false},
		{"about", []string{d.About}, true},
		{"criteria", slices.Concat(d.Criteria.Red, d.Criteria.Yellow, d.Criteria.Green), true},
		{"action", []string{d.Action}, true},
		{"unavailable", []string{d.Unavailable}, true},
	} {
		for _, text := range part.texts {
			if part.lines {
				text = strings.NewReplacer("\n", "", "\t", "").Replace(text)
			}
			if strings.ContainsFunc(text, controls) {
				return part.field, fmt.Sprintf("%s %q: it has a control character", part.field, text)
			}
		}
	}
	for _, link := range d.Links {
		if u, err := url.Parse(link); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return "links", fmt.Sprintf("links: %q: want a link that begins with https:// or http://", link)
		}
	}
	return "", ""
}

// controls reports whether a character controls how others are shown.
func controls(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// wrongName finds names that expressions cannot use, or that mean something
// else already.
func (d *definition) wrongName() (field, text string) {
	taken := map[string]string{hoursPerMonth: "it is a constant that every check has"}
	for _, name := range []string{"resource", "id", "region", "now", "params", "prices", "other", "each", "color", "savings"} {
		taken[name] = "it is known to every check"
	}
	for _, name := range celWords() {
		taken[name] = "it is a word of CEL"
	}
	words := maps.Clone(taken)
	name := func(field, name string, taken map[string]string) string {
		if !identifier(name) {
			return fmt.Sprintf("%s.%s: want a name of letters, digits and _", field, name)
		}
		if why := taken[name]; why != "" {
			return fmt.Sprintf("%s.%s: want another name: %s", field, name, why)
		}
		return ""
	}
	for _, n := range slices.Sorted(maps.Keys(d.With)) {
		if text := name("with", n, taken); text != "" {
			return "with", text
		}
		words[n] = "it is in with"
	}
	for _, let := range d.Let {
		if text := name("let", let.Name, words); text != "" {
			return "let", text
		}
	}
	for _, n := range slices.Sorted(maps.Keys(d.Parameters)) {
		if text := name("parameters", n, map[string]string{hoursPerMonth: taken[hoursPerMonth]}); text != "" || slices.Contains(celWords(), n) {
			return "parameters", cmp.Or(text, fmt.Sprintf("parameters.%s: want another name: it is a word of CEL", n))
		}
	}
	return "", ""
}

func celWords() []string {
	return strings.Fields("true false null in as break const continue else for function if import let loop package namespace return var void while")
}

func identifier(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// defaultInterval is the cool-down of most checks at AWS.
const defaultInterval = time.Hour

func (p *Pack) newCheck(folder fs.FS, file string, d definition) *Check {
	c := &Check{
		ID: d.ID, Name: d.Name, Names: d.Names, Category: d.Category, Path: path.Dir(file),
		About: d.About, Criteria: d.Criteria, Action: d.Action, Links: d.Links,
		Automatic: d.Refresh == "automatic", Interval: defaultInterval, Core: d.Plan == "core",
		Unavailable: d.Unavailable, Columns: []string{},
	}
	if d.Interval != "" {
		c.Interval, _ = time.ParseDuration(d.Interval) // d was checked
	}
	for _, column := range d.Columns {
		c.Columns = append(c.Columns, column.Name)
	}
	c.program = &program{file: file, folder: folder, definition: d, check: c, shared: p.shared}
	return c
}

// Checks returns all checks in the order of category and name.
func (p *Pack) Checks() []*Check { return p.checks }

// Check returns the check with an id.
func (p *Pack) Check(id string) (*Check, bool) {
	c, ok := p.byID[id]
	return c, ok
}

// Compile compiles every check. All that is wrong is told at once, with file
// and line.
func (p *Pack) Compile() error {
	var errs []error
	for _, c := range p.checks {
		if c.Unavailable == "" {
			_, err := c.program.compiled()
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
