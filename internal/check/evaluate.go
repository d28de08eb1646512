package check

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/supportd/supportd/internal/inventory"
)

// Evaluation is how checks are evaluated over an inventory.
type Evaluation struct {
	Checks []*Check
	// Prices are in USD by the keys of package price; those of the inventory
	// come before them.
	Prices map[string]float64
	// Suppressed reports whether a resource is excluded from a check. nil: none is.
	Suppressed func(checkID, resourceID string) bool
}

// Run reads the inventory, twice where checks look at several kinds at once, and
// returns a result for every check, in their order. A check that cannot be
// computed is not available, and says why; Run itself fails only where the
// inventory cannot be read or ctx ends.
func (e Evaluation) Run(ctx context.Context, inv inventory.Inventory) ([]Result, error) {
	r := &run{Evaluation: e, ctx: ctx, header: inv.Header(), byKind: map[string][]*running{}, indexes: map[string]*index{}}
	r.prepare()
	if len(r.indexes) > 0 || r.usesPrices() {
		summary, err := inventory.ReadKinds(ctx, inv, r.toFill, r.fill)
		if err != nil {
			return nil, err
		}
		r.setPrices(summary)
		r.failures(summary) // what they make unavailable need not be judged
	}
	summary, err := inventory.ReadKinds(ctx, inv, r.toJudge, r.judge)
	if err != nil {
		return nil, err
	}
	r.failures(summary)
	results := make([]Result, len(r.all))
	for i, c := range r.all {
		results[i] = c.end()
	}
	return results, nil
}

// toFill chooses what indexes need of a kind.
func (r *run) toFill(kind string) inventory.Choice {
	if f := r.filling[kind]; f != nil {
		return f.wanted.choice
	}
	return nil
}

// toJudge chooses what checks need of a kind.
func (r *run) toJudge(kind string) inventory.Choice {
	if len(r.byKind[kind]) > 0 {
		return r.wanted[kind].choice
	}
	return nil
}

// wanted are attributes of a kind: those that expressions use, or all where an
// expression has a resource as a whole.
type wanted struct {
	all    bool
	names  map[string]bool
	choice inventory.Choice
}

func newWanted() *wanted {
	w := &wanted{names: map[string]bool{}}
	w.choice = func(attribute string) bool { return w.all || w.names[attribute] }
	return w
}

func (w *wanted) add(p *plan, kind inventory.Kind) {
	w.all = w.all || p.whole
	for _, structName := range []string{kind.Type.Name, ""} {
		for name := range p.used[structName] {
			w.names[name] = true
		}
	}
}

// run is one evaluation.
type run struct {
	Evaluation
	ctx     context.Context
	header  inventory.Header
	all     []*running
	byKind  map[string][]*running // the checks that look at a kind
	indexes map[string]*index     // by the signature of joins
	filling map[string]*filling   // by kind
	wanted  map[string]*wanted    // what is judged, by kind
	prices  ref.Val
	now     ref.Val
}

// running is a check in a run.
type running struct {
	plan    *plan
	indexes []*index // of its joins
	result  Result
	broken  broken
	frame   frame
	last    []*string // the cells of the last row
	parents []string  // the resource of each row, of which the row may be an item
}

func (c *running) provider() *provider { return c.plan.check.program.shared.provider }

// fail makes the check unavailable. The first cause counts.
func (c *running) fail(cause string) {
	if c.result.Cause == "" {
		c.result.Cause = cause
	}
}

// broken is what went wrong with a resource: of several the first in the order
// of region and id, whatever the order in which they were read.
type broken struct {
	at  inventory.Resource
	err error
}

// covers reports whether nothing that goes wrong with the resource would change
// what is known.
func (b *broken) covers(r inventory.Resource) bool {
	return b.err != nil && cmp.Or(cmp.Compare(b.at.Region, r.Region), cmp.Compare(b.at.ID, r.ID)) <= 0
}

func (b *broken) add(r inventory.Resource, err error) {
	if !b.covers(r) {
		b.at, b.err = inventory.Resource{Kind: r.Kind, ID: r.ID, Region: r.Region}, err
	}
}

func (b *broken) cause() string {
	return fmt.Sprintf("%s %s: %v", b.at.Kind, b.at.ID, b.err)
}

func (r *run) prepare() {
	r.filling, r.wanted = map[string]*filling{}, map[string]*wanted{}
	r.now = types.Timestamp{Time: r.header.CollectedAt}
	for _, c := range r.Checks {
		running := &running{result: Result{CheckID: c.ID, Cause: c.Unavailable}}
		r.all = append(r.all, running)
		if c.Unavailable != "" {
			continue
		}
		plan, err := c.program.compiled()
		if err != nil {
			running.fail(err.Error())
			continue
		}
		running.plan, running.last = plan, make([]*string, len(plan.columns))
		running.frame = frame{run: r, check: running, lets: make([]ref.Val, len(plan.lets)), joins: make([]ref.Val, len(plan.joins))}
		if missing := r.missing(plan.needs); missing != "" {
			running.fail(missing)
			continue
		}
		for _, j := range plan.joins {
			running.indexes = append(running.indexes, r.index(plan, j))
		}
		r.byKind[plan.kind.Name] = append(r.byKind[plan.kind.Name], running)
		if r.wanted[plan.kind.Name] == nil {
			r.wanted[plan.kind.Name] = newWanted()
		}
		r.wanted[plan.kind.Name].add(plan, plan.kind)
	}
	r.setPrices(inventory.Summary{})
}

// missing says which of the needs were not asked for when the inventory was
// collected.
func (r *run) missing(needs inventory.Needs) string {
	for _, kind := range needs.Kinds() {
		if !r.header.Needs.Has(kind, "") {
			return fmt.Sprintf("the inventory does not have %s", kind)
		}
		for _, part := range needs[kind] {
			if !r.header.Needs.Has(kind, part) {
				return fmt.Sprintf("the inventory does not have %s of %s", part, kind)
			}
		}
	}
	return ""
}

func (r *run) usesPrices() bool {
	return slices.ContainsFunc(r.all, func(c *running) bool { return c.plan != nil && c.plan.prices })
}

func (r *run) setPrices(summary inventory.Summary) {
	prices := maps.Clone(r.Prices)
	if prices == nil {
		prices = map[string]float64{}
	}
	maps.Copy(prices, summary.Prices)
	for _, c := range r.all {
		if c.plan != nil {
			r.prices = c.provider().NativeToValue(prices)
			return
		}
	}
}

// fill adds a resource to the indexes that have its kind.
func (r *run) fill(resource inventory.Resource) error {
	kind := r.filling[resource.Kind]
	v := &indexed{region: resource.Region, id: resource.ID}
	for _, x := range kind.indexes {
		keys, err := x.keys(r, resource)
		if err != nil {
			x.broken.add(resource, err)
			continue
		}
		if len(keys) == 0 {
			continue
		}
		if v.kept == nil {
			v.kept = kind.kept(resource.Attributes)
		}
		x.put(v, keys)
	}
	return nil
}

// judge evaluates the checks that look at the resource's kind.
func (r *run) judge(resource inventory.Resource) error {
	for _, c := range r.byKind[resource.Kind] {
		if c.result.Cause != "" || c.broken.covers(resource) {
			continue
		}
		if err := c.judge(r, resource); err != nil {
			if r.ctx.Err() != nil {
				return r.ctx.Err()
			}
			c.broken.add(resource, err)
			c.result = Result{CheckID: c.result.CheckID}
		}
	}
	return nil
}

func (c *running) judge(r *run, resource inventory.Resource) error {
	c.frame.reset(resource)
	if c.plan.each == nil {
		return c.item(r, resource, "")
	}
	list, err := c.frame.list(c.plan.each)
	if err != nil {
		return err
	}
	for _, item := range list {
		c.frame.next(item)
		id, err := c.frame.text(c.plan.eachID)
		if err != nil {
			return err
		}
		if err := c.item(r, resource, id); err != nil {
			return err
		}
	}
	return nil
}

// item judges a resource, or one item of it.
func (c *running) item(r *run, resource inventory.Resource, item string) error {
	if applies, err := c.frame.bool(c.plan.where, true); err != nil || !applies {
		return err
	}
	ignored, err := c.frame.bool(c.plan.ignore, false)
	if err != nil {
		return err
	}
	if ignored {
		c.result.Processed++
		c.result.Ignored++
		return nil
	}
	status, err := c.status()
	if err != nil {
		return err
	}
	row := Row{Status: status, Resource: resource.ID, Region: resource.Region}
	if strings.HasPrefix(item, "arn:") { // the item is a resource of its own
		row.Resource = item
	}
	listed := status != OK || c.plan.rows == "all"
	if listed || r.Suppressed != nil {
		row.ResourceID = resourceID(r.header.Account, c.result.CheckID, resource, item)
		row.Suppressed = r.Suppressed != nil && r.Suppressed(c.result.CheckID, row.ResourceID)
	}
	if listed || row.Suppressed {
		if err := c.tell(&row); err != nil {
			return err
		}
		c.result.Rows = append(c.result.Rows, row)
		c.parents = append(c.parents, resource.ID)
	}
	c.result.Processed++
	switch {
	case row.Suppressed:
		c.result.Suppressed++
	case status != OK:
		c.result.Flagged++
	default:
		c.result.OK++
	}
	return nil
}

func (c *running) status() (Status, error) {
	failing, err := c.frame.bool(c.plan.failing, false)
	if err != nil {
		return "", err
	}
	if failing {
		return Error, nil
	}
	warning, err := c.frame.bool(c.plan.warning, false)
	if err != nil {
		return "", err
	}
	if warning {
		return Warning, nil
	}
	return OK, nil
}

// tell computes what the row says.
func (c *running) tell(row *Row) (err error) {
	c.frame.color = row.Status.Color()
	if row.Status != OK {
		if row.Savings, err = c.frame.number(c.plan.savings); err != nil {
			return err
		}
	}
	c.frame.savings = row.Savings
	row.Metadata = make([]*string, len(c.plan.columns))
	for i, column := range c.plan.columns {
		cell, err := c.frame.cell(column)
		if err != nil {
			return err
		}
		// Regions and colours are those of the row before most of the time, and
		// rows are many.
		if last := c.last[i]; last == nil || cell == nil || *last != *cell {
			c.last[i] = cell
		}
		row.Metadata[i] = c.last[i]
	}
	return nil
}

// resourceID is stable for a resource, and different for another check or
// another account. AWS's are 43 characters of base64url too; how they are made
// is not known.
func resourceID(account, checkID string, r inventory.Resource, item string) string {
	text := make([]byte, 0, 256)
	for i, part := range [...]string{account, checkID, r.Kind, r.Region, r.ID, item} {
		text = append(text, "[     "[i])
		text = strconv.AppendQuote(text, part)
	}
	sum := sha256.Sum256(append(text, ']'))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// failures makes checks unavailable that need a call that failed.
func (r *run) failures(summary inventory.Summary) {
	for _, c := range r.all {
		if c.plan == nil {
			continue
		}
		for _, f := range summary.Failures {
			if !c.plan.needs.Has(f.Kind, f.Part) || f.Told != "" && c.plan.needs.Has(f.Kind, f.Told) {
				continue
			}
			cause := f.Cause
			if f.Region != "" {
				cause = f.Region + ": " + cause
			}
			c.fail(cause)
		}
	}
}

// sortedRows returns the rows by region and resource. Items of a resource stay
// as its list has them.
func (c *running) sortedRows() []Row {
	order := make([]int, len(c.result.Rows))
	for i := range order {
		order[i] = i
	}
	rows := c.result.Rows
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(rows[a].Region, rows[b].Region), cmp.Compare(rows[a].Resource, rows[b].Resource), cmp.Compare(c.parents[a], c.parents[b]))
	})
	var sorted []Row
	for _, i := range order {
		sorted = append(sorted, rows[i])
	}
	return sorted
}

func (c *running) end() Result {
	for _, x := range c.indexes {
		if x.broken.err != nil {
			c.fail(x.broken.cause())
		}
	}
	if c.broken.err != nil {
		c.fail(c.broken.cause())
	}
	if c.result.Cause != "" {
		return Result{CheckID: c.result.CheckID, Status: NotAvailable, Cause: c.result.Cause}
	}
	result := c.result
	result.Status = OK
	if result.Processed == 0 && c.plan.none != "" {
		result.Status = c.plan.none
	}
	if result.Status == NotAvailable {
		return Result{CheckID: result.CheckID, Status: NotAvailable, Cause: "there is nothing to look at"}
	}
	result.Rows = c.sortedRows()
	for _, row := range result.Rows {
		if row.Suppressed {
			continue
		}
		if row.Savings != nil {
			result.Savings += *row.Savings
		}
		if row.Status == Error || row.Status == Warning && result.Status != Error {
			result.Status = row.Status
		}
	}
	return result
}

var errList = errors.New("it is not a list")
