package check

import (
	"fmt"
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// hoursPerMonth is the constant that checks have.
const hoursPerMonth = "hoursPerMonth"

// functions are those that checks have besides CEL's own and its extensions.
// docs/checks.md lists them.
func functions() []cel.EnvOption {
	numbers := []*cel.Type{cel.ListType(cel.IntType), cel.ListType(cel.DoubleType)}
	return []cel.EnvOption{
		cel.Constant(hoursPerMonth, cel.DoubleType, types.Double(720)),
		cel.Function("sum",
			cel.Overload("sum_ints", numbers[:1], cel.IntType, cel.UnaryBinding(sumInts)),
			cel.Overload("sum_doubles", numbers[1:], cel.DoubleType, cel.UnaryBinding(sumDoubles))),
		cel.Function("average",
			cel.Overload("average_doubles", numbers[1:], cel.DoubleType, cel.UnaryBinding(average))),
		cel.Function("tag",
			cel.Overload("tag_list_string", []*cel.Type{cel.ListType(cel.DynType), cel.StringType}, cel.StringType, cel.BinaryBinding(tag))),
		cel.Function("usd",
			cel.Overload("usd_double", []*cel.Type{cel.DoubleType}, cel.StringType, cel.UnaryBinding(usd)),
			cel.Overload("usd_optional", []*cel.Type{optionalDouble()}, cel.OptionalType(cel.StringType), cel.UnaryBinding(usdOptional))),
		cel.Function("days",
			cel.Overload("days_duration", []*cel.Type{cel.DurationType}, cel.IntType, cel.UnaryBinding(days))),
	}
}

func optionalDouble() *cel.Type { return cel.OptionalType(cel.DoubleType) }

func elements(list ref.Val, f func(ref.Val)) {
	for i := list.(traits.Lister).Iterator(); i.HasNext() == types.True; {
		f(i.Next())
	}
}

func sumInts(list ref.Val) ref.Val {
	var sum ref.Val = types.Int(0)
	elements(list, func(v ref.Val) {
		if s, ok := sum.(traits.Adder); ok {
			sum = s.Add(v) // an error when it overflows
		}
	})
	return sum
}

func sumDoubles(list ref.Val) ref.Val {
	var sum types.Double
	var wrong ref.Val
	elements(list, func(v ref.Val) {
		d, ok := v.(types.Double)
		if !ok {
			wrong = types.MaybeNoSuchOverloadErr(v)
		}
		sum += d
	})
	if wrong != nil {
		return wrong
	}
	return sum
}

// average returns 0 of an empty list.
func average(list ref.Val) ref.Val {
	sum := sumDoubles(list)
	total, ok := sum.(types.Double)
	size := list.(traits.Lister).Size().(types.Int)
	if !ok || size == 0 {
		return sum
	}
	return total / types.Double(size)
}

// tag returns the value of the tag with a key, and nothing when there is none.
// AWS spells the members Key and Value, or key and value in younger services.
func tag(list, key ref.Val) ref.Val {
	value := ref.Val(types.String(""))
	elements(list, func(v ref.Val) {
		m, ok := v.(traits.Mapper)
		if !ok {
			return
		}
		for _, spelling := range [][2]types.String{{"Key", "Value"}, {"TagKey", "TagValue"}, {"key", "value"}} {
			if k, found := m.Find(spelling[0]); found && k.Equal(key) == types.True {
				if v, found := m.Find(spelling[1]); found {
					value = v
				}
			}
		}
	})
	return value
}

// usd prints an amount as AWS does in columns: $37.44.
func usd(v ref.Val) ref.Val {
	d, ok := v.(types.Double)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	return types.String(fmt.Sprintf("$%.2f", float64(d)))
}

func usdOptional(v ref.Val) ref.Val {
	o, ok := v.(*types.Optional)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	if !o.HasValue() {
		return types.OptionalNone
	}
	return types.OptionalOf(usd(o.GetValue()))
}

// days returns the whole days of a duration.
func days(v ref.Val) ref.Val {
	d, ok := v.(types.Duration)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	return types.Int(math.Floor(d.Hours() / 24))
}
