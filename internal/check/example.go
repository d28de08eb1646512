package check

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/supportd/supportd/internal/inventory"
)

// Example is an entry of cases.yaml: resources, and what has to come out.
type Example struct {
	Name      string             `yaml:"name"`
	Now       time.Time          `yaml:"now"` // when the inventory was collected; 2026-01-15T12:00:00Z when left out
	Resources []ExampleResource  `yaml:"resources"`
	Prices    map[string]float64 `yaml:"prices"` // the only ones that are known
	Want      Want               `yaml:"want"`
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
	text, err := fs.ReadFile(c.program.folder, file)
	if err != nil {
		return nil, err
	}
	var examples []Example
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField()).Decode(&examples); err != nil {
		return nil, fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, false))
	}
	return examples, nil
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
	var errs []error
	shown := map[Status]bool{}
	for _, e := range examples {
		result, err := c.run(ctx, plan, e)
		if err == nil {
			err = e.Want.compare(result)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", c.Path, e.Name, err))
		}
		shown[result.Status] = true
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

// run evaluates one example. Its resources go through the form of the file, so
// that they are what a collected inventory has.
func (c *Check) run(ctx context.Context, plan *plan, e Example) (Result, error) {
	at := e.Now
	if at.IsZero() {
		at = exampleTime()
	}
	inv := &inventory.Memory{Head: inventory.Header{Account: exampleAccount, CollectedAt: at.UTC(), Regions: []string{"us-east-1"}, Needs: plan.needs}}
	for i, r := range e.Resources {
		resource, err := c.resource(plan, r)
		if err != nil {
			return Result{}, fmt.Errorf("resource %d: %w", i, err)
		}
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
		for name, value := range v {
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
