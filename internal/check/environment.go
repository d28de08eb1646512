package check

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
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
	loops   bool // over lists: it may take long
	ofItem  bool // it is a variable that depends on each
}

// compile compiles an expression and refuses it when its type is none of want.
func (e *environment) compile(env *cel.Env, from source, what string, x expression, want ...*cel.Type) (*compiled, error) {
	checked, issues := env.Compile(x.Text)
	if err := issues.Err(); err != nil {
		return nil, from.issues(what, x, issues)
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s: %s", from.place(x, 0), what, fmt.Sprintf(format, args...))
	}
	if !isOneOf(checked.OutputType(), want) {
		return nil, fail("it is a %s, want %s", checked.OutputType(), names(want))
	}
	// The environment that has the check's variables is needed no longer; that
	// of all checks serves what is kept, for each has its own copy of much.
	estimate, err := e.base.EstimateCost(checked, sizes{})
	if err != nil {
		return nil, fail("%v", err)
	}
	if estimate.Max > maxCost {
		return nil, fail("it may cost %d and the limit is %d: loops in loops over long lists", estimate.Max, maxCost)
	}
	program, err := e.base.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.InterruptCheckFrequency(1000))
	if err != nil {
		return nil, fail("%v", err)
	}
	return &compiled{expression: x, what: what, program: program, ast: checked, loops: loops(checked)}, nil
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

func loops(a *cel.Ast) (found bool) {
	ast.PostOrderVisit(a.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		found = found || x.Kind() == ast.ComprehensionKind
	}))
	return found
}

// asWhole reports whether an expression does something else with one of the
// variables than to select a field of it.
func asWhole(a *cel.Ast, names ...string) bool {
	uses := 0
	ast.PostOrderVisit(a.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() == ast.IdentKind && slices.Contains(names, x.AsIdent()) {
			uses++
		}
		if x.Kind() != ast.SelectKind {
			return
		}
		if of := x.AsSelect().Operand(); of.Kind() == ast.IdentKind && slices.Contains(names, of.AsIdent()) {
			uses--
		}
	}))
	return uses > 0
}

// visit calls field for every field that an expression selects of a struct, and
// name for every name that it uses. A field that is selected of something of
// unknown type is reported with a struct of "".
func visit(a *cel.Ast, field func(structName, field string), name func(string)) {
	native := a.NativeRep()
	selects := func(operand ast.Expr, selected string) {
		t := native.GetType(operand.ID())
		if t != nil && t.Kind() == types.OpaqueKind && len(t.Parameters()) == 1 {
			t = t.Parameters()[0]
		}
		switch {
		case t == nil || t.Kind() == cel.DynKind || t.Kind() == cel.AnyKind:
			field("", selected)
		case t.Kind() == cel.StructKind:
			field(t.TypeName(), selected)
		}
	}
	ast.PostOrderVisit(native.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.IdentKind:
			name(x.AsIdent())
		case ast.SelectKind:
			selects(x.AsSelect().Operand(), x.AsSelect().FieldName())
		case ast.CallKind: // resource.?Name, resource[?"Name"] and, of unknown types, resource["Name"]
			args := x.AsCall().Args()
			if !strings.HasPrefix(x.AsCall().FunctionName(), "_[") && x.AsCall().FunctionName() != operators.OptSelect || len(args) != 2 {
				return
			}
			if args[1].Kind() != ast.LiteralKind {
				return
			}
			if selected, ok := args[1].AsLiteral().Value().(string); ok {
				selects(args[0], selected)
			}
		}
	}))
}
