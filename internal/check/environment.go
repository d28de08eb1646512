package check

import (
	"fmt"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/ext"

	"github.com/supportd/supportd/internal/inventory"
)

// environment is what the expressions of all checks have in common. Checks are
// compiled one at a time.
type environment struct {
	mu       sync.Mutex
	kinds    inventory.Kinds
	provider *provider
	base     *cel.Env // made when the first check is compiled: that costs milliseconds
}

func newEnvironment(kinds inventory.Kinds) (*environment, error) {
	p, err := newProvider()
	if err != nil {
		return nil, err
	}
	return &environment{kinds: kinds, provider: p}, nil
}

func (e *environment) env() (_ *cel.Env, err error) {
	if e.base != nil {
		return e.base, nil
	}
	options := append(functions(),
		cel.CustomTypeProvider(e.provider), cel.CustomTypeAdapter(e.provider),
		cel.OptionalTypes(), cel.EnableMacroCallTracking(), cel.CrossTypeNumericComparisons(true),
		ext.Strings(), ext.Lists(), ext.Sets(), ext.Math(), ext.Network(), ext.Encoders(), ext.TwoVarComprehensions())
	e.base, err = cel.NewEnv(options...)
	return e.base, err
}

// Bounds of what an expression may cost, in CEL's units, of which one is about
// the price of a comparison. They are reckoned for resources that are large:
// lists of a thousand, texts of four thousand characters.
const (
	maxCost     = 200_000_000
	largestList = 1000
	longestText = 4096
)

// sizes estimates the sizes of what comes from the inventory.
type sizes struct{}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

func (sizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	switch node.Type().Kind() {
	case cel.ListKind, cel.MapKind:
		return &cost.SizeEstimate{Max: largestList}
	}
	return &cost.SizeEstimate{Max: longestText}
}

// compiled is an expression that can be evaluated.
type compiled struct {
	expression
	what    string // such as columns.Region
	program cel.Program
	ast     *cel.Ast
}

// compile compiles an expression and refuses it when its type is none of want.
func (e *environment) compile(env *cel.Env, file, what string, x expression, want ...*cel.Type) (*compiled, error) {
	checked, issues := env.Compile(x.Text)
	if err := issues.Err(); err != nil {
		return nil, positioned(file, what, x, issues)
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s:%d:%d: %s: %s", file, x.Line, x.Column, what, fmt.Sprintf(format, args...))
	}
	if !isOneOf(checked.OutputType(), want) {
		return nil, fail("it is a %s, want %s", checked.OutputType(), names(want))
	}
	estimate, err := env.EstimateCost(checked, sizes{})
	if err != nil {
		return nil, fail("%v", err)
	}
	if estimate.Max > maxCost {
		return nil, fail("it may cost %d and the limit is %d: loops in loops over long lists", estimate.Max, maxCost)
	}
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.InterruptCheckFrequency(1000))
	if err != nil {
		return nil, fail("%v", err)
	}
	return &compiled{expression: x, what: what, program: program, ast: checked}, nil
}

func isOneOf(t *cel.Type, want []*cel.Type) bool {
	for _, w := range want {
		if t.IsExactType(w) || t.Kind() == cel.DynKind {
			return true
		}
		if w.Kind() == cel.ListKind && w.Parameters()[0].Kind() == cel.DynKind && t.Kind() == cel.ListKind {
			return true
		}
	}
	return len(want) == 0
}

func names(types []*cel.Type) string {
	var all []string
	for _, t := range types {
		all = append(all, t.String())
	}
	return strings.Join(all, " or ")
}

// positioned turns CEL's positions in an expression into positions in the file.
func positioned(file, what string, x expression, issues *cel.Issues) error {
	var lines []string
	for _, e := range issues.Errors() {
		line, column := x.Line+e.Location.Line()-1, e.Location.Column()+1
		if e.Location.Line() == 1 {
			column += x.Column - 1
		}
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s: %s", file, line, column, what, e.Message))
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}

// usedFields calls f for every field that an expression selects of a struct.
func usedFields(a *cel.Ast, f func(structName, field string)) {
	native := a.NativeRep()
	ast.PostOrderVisit(native.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() != ast.SelectKind {
			return
		}
		if t := native.GetType(x.AsSelect().Operand().ID()); t != nil && t.Kind() == cel.StructKind {
			f(t.TypeName(), x.AsSelect().FieldName())
		}
	}))
}
