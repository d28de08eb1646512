package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/supportd/supportd/internal/inventory"
)

// Example is an entry of cases.yaml: resources, and what has to come out.
type Example struct {
	Name      string             `yaml:"name"`
	Now       moment             `yaml:"now"` // when the inventory was collected; 2026-01-15T12:00:00Z when left out
	Resources []ExampleResource  `yaml:"resources"`
	Prices    map[string]float64 `yaml:"prices"` // the only ones that are known
	Want      Want               `yaml:"want"`
}

// moment is a time as cases.yaml has it. YAML's own times are zero when they are
// misspelt.
type moment struct{ time.Time }

// UnmarshalYAML reads a time such as 2026-01-15T12:00:00Z.
func (m *moment) UnmarshalYAML(node ast.Node) (err error) {
	text := node.GetToken().Value
	if m.Time, err = time.Parse(time.RFC3339, text); err != nil {
		return &yaml.SyntaxError{Message: fmt.Sprintf("want a time such as 2026-01-15T12:00:00Z, not %q", text), Token: node.GetToken()}
	}
	return nil
}

// ExampleResource is a resource of an example.
type ExampleResource struct {
	Kind       string         `yaml:"kind"` // the check's own when left out
	ID         string         `yaml:"id"`
	Region     string         `yaml:"region"` // us-east-1 when left out and the kind belongs to regions
	Attributes map[string]any `yaml:"attributes"`
}

// Want is what has to come out of an example. Processed, ignored and savings
// are compared where they are given.
type Want struct {
	Status    Status    `yaml:"status"`
	Processed *int      `yaml:"processed"`
	Ignored   *int      `yaml:"ignored"`
	Savings   *float64  `yaml:"savings"`
	Rows      []WantRow `yaml:"rows"` // all of them, in the order of region and resource
}

// WantRow is a row that has to come out. Metadata is compared where it is given.
type WantRow struct {
	Resource string    `yaml:"resource"`
	Status   Status    `yaml:"status"`
	Metadata []*string `yaml:"metadata"`
}

// exampleTime is when examples are collected that do not say so.
func exampleTime() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

// exampleAccount is whose examples are.
const exampleAccount = "123456789012"

// Examples reads the check's cases.yaml.
func (c *Check) Examples() ([]Example, error) {
	file := path.Join(path.Dir(c.program.file), "cases.yaml")
	text, err := readFile(c.program.folder, file)
	if err != nil {
		return nil, err
	}
	var examples []Example
	err = decode(file, text, &examples)
	return examples, err
}

// Test evaluates the check's examples and returns what is wrong with them: one
// that comes out differently, and a status that no example shows.
func (c *Check) Test(ctx context.Context) error {
	if c.Unavailable != "" {
		return nil
	}
	plan, err := c.program.compiled()
	if err != nil {
		return err
	}
	examples, err := c.Examples()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Path, err)
	}
	errs := nameless(c.Path, examples)
	shown := map[Status]bool{}
	told := false
	for _, e := range examples {
		result, err := c.run(ctx, plan, e)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", c.Path, e.Name, err))
			continue
		}
		shown[result.Status] = true
		for _, row := range e.Want.Rows {
			told = told || row.Metadata != nil
		}
	}
	if !told && len(c.Columns) > 0 {
		errs = append(errs, fmt.Errorf("%s: no example has the metadata of a row", c.Path))
	}
	want := []Status{OK}
	if plan.failing != nil {
		want = append(want, Error)
	}
	if plan.warning != nil {
		want = append(want, Warning)
	}
	for _, status := range want {
		if !shown[status] {
			errs = append(errs, fmt.Errorf("%s: no example comes out as %s", c.Path, status))
		}
	}
	return errors.Join(errs...)
}

// nameless finds examples that cannot be told apart.
func nameless(path string, examples []Example) (errs []error) {
	seen := map[string]bool{}
	for i, e := range examples {
		if e.Name == "" {
			errs = append(errs, fmt.Errorf("%s: example %d has no name", path, i+1))
		} else if seen[e.Name] {
			errs = append(errs, fmt.Errorf("%s: %s: another example has the name too", path, e.Name))
		}
		seen[e.Name] = true
	}
	return errs
}

// run evaluates one example and compares what comes out: also when the
// resources come in the other order, as collecting them at once may bring them.
func (c *Check) run(ctx context.Context, plan *plan, e Example) (Result, error) {
	result, err := c.evaluate(ctx, plan, e)
	if err != nil {
		return result, err
	}
	if err := e.Want.compare(result); err != nil {
		return result, err
	}
	slices.Reverse(e.Resources)
	defer slices.Reverse(e.Resources)
	reversed, err := c.evaluate(ctx, plan, e)
	if err != nil {
		return result, err
	}
	if err := e.Want.compare(reversed); err != nil {
		return result, fmt.Errorf("with its resources in the other order: %w", err)
	}
	return result, nil
}

// evaluate evaluates an example. Its resources go through the form of the file, so
// that they are what a collected inventory has.
func (c *Check) evaluate(ctx context.Context, plan *plan, e Example) (Result, error) {
	at := e.Now.Time
	if at.IsZero() {
		at = exampleTime()
	}
	inv := &inventory.Memory{Head: inventory.Header{Account: exampleAccount, CollectedAt: at.UTC(), Regions: []string{"us-east-1"}, Needs: plan.needs}}
	seen := map[[3]string]bool{}
	for i, r := range e.Resources {
		resource, err := c.resource(plan, r)
		if err != nil {
			return Result{}, fmt.Errorf("resource %d: %w", i, err)
		}
		key := [3]string{resource.Kind, resource.Region, resource.ID}
		if resource.ID == "" || seen[key] {
			return Result{}, fmt.Errorf("resource %d: want an id that no other %s of its region has, not %q", i, resource.Kind, resource.ID)
		}
		seen[key] = true
		inv.All = append(inv.All, resource)
	}
	results, err := Evaluation{Checks: []*Check{c}, Prices: e.Prices}.Run(ctx, inv)
	if err != nil {
		return Result{}, err
	}
	return results[0], nil
}

func (c *Check) resource(plan *plan, r ExampleResource) (inventory.Resource, error) {
	if r.Kind == "" {
		r.Kind = plan.kind.Name
	}
	kind, ok := c.program.shared.kinds[r.Kind]
	if !ok {
		return inventory.Resource{}, fmt.Errorf("there is no kind %q", r.Kind)
	}
	if _, used := plan.needs[r.Kind]; !used {
		return inventory.Resource{}, fmt.Errorf("the check does not use the kind %s", r.Kind)
	}
	if r.Region == "" && !kind.Global {
		r.Region = "us-east-1"
	}
	text, err := json.Marshal(r.Attributes)
	if err != nil {
		return inventory.Resource{}, err
	}
	out := inventory.Resource{Kind: r.Kind, ID: r.ID, Region: r.Region}
	if err := json.Unmarshal(text, &out.Attributes); err != nil {
		return inventory.Resource{}, err
	}
	return out, conform(kind.Type, out.Attributes, kind.Name)
}

// conform finds attributes that a type does not have, or has in another form.
func conform(t *inventory.Type, v any, at string) error {
	if _, err := typed(t, v); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	var errs []error
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if t.Form == inventory.List {
				errs = append(errs, conform(t.Elem, item, fmt.Sprintf("%s.%d", at, i)))
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			value := v[name]
			switch t.Form {
			case inventory.Struct:
				field, ok := t.Field(name)
				if !ok {
					errs = append(errs, fmt.Errorf("%s: %s has no attribute %s", at, t, name))
					continue
				}
				errs = append(errs, conform(field.Type, value, at+"."+name))
			case inventory.Map:
				errs = append(errs, conform(t.Elem, value, at+"."+name))
			}
		}
	}
	return errors.Join(errs...)
}

func (w Want) compare(got Result) error {
	var wrong []string
	differ := func(what string, got, want any) {
		wrong = append(wrong, fmt.Sprintf("%s is %v, want %v", what, got, want))
	}
	if got.Status != w.Status {
		differ("status", strings.TrimSpace(string(got.Status)+" "+got.Cause), w.Status)
	}
	if w.Processed != nil && got.Processed != *w.Processed {
		differ("processed", got.Processed, *w.Processed)
	}
	if w.Ignored != nil && got.Ignored != *w.Ignored {
		differ("ignored", got.Ignored, *w.Ignored)
	}
	if w.Savings != nil && fmt.Sprintf("%.4f", got.Savings) != fmt.Sprintf("%.4f", *w.Savings) {
		differ("savings", got.Savings, *w.Savings)
	}
	if len(got.Rows) != len(w.Rows) {
		differ("the number of rows", fmt.Sprintf("%d %v", len(got.Rows), describe(got.Rows)), len(w.Rows))
		return errors.New(strings.Join(wrong, "; "))
	}
	for i, row := range w.Rows {
		if got.Rows[i].Resource != row.Resource || got.Rows[i].Status != row.Status {
			differ(fmt.Sprintf("row %d", i), got.Rows[i].Resource+" "+string(got.Rows[i].Status), row.Resource+" "+string(row.Status))
		}
		if row.Metadata != nil && !slices.EqualFunc(got.Rows[i].Metadata, row.Metadata, equalCells) {
			differ(fmt.Sprintf("metadata of row %d", i), cells(got.Rows[i].Metadata), cells(row.Metadata))
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

func equalCells(a, b *string) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func cells(metadata []*string) string {
	text, _ := json.Marshal(metadata) // of strings: cannot fail
	return string(text)
}

func describe(rows []Row) []string {
	var all []string
	for _, row := range rows {
		all = append(all, row.Resource+" "+string(row.Status)+" "+cells(row.Metadata))
	}
	return all
}
