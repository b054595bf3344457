package transform

import (
	"math"

	"github.com/prometheus/prometheus/promql/parser"
)

func (c *compiler) binary(e *parser.BinaryExpr, depth int) (expr, *Error) {
	start := int(e.PositionRange().Start)
	op, ok := operations(e.ReturnBool)[e.Op]
	if !ok {
		return nil, c.unsupported(start, e.Op.String())
	}
	left, err := c.expr(e.LHS, depth)
	if err != nil {
		return nil, err
	}
	right, err := c.expr(e.RHS, depth)
	if err != nil {
		return nil, err
	}
	a, leftNumber := left.(number)
	b, rightNumber := right.(number)
	x := &binary{op: op, left: left, right: right}
	switch {
	case leftNumber && rightNumber:
		v, _ := op(float64(a), float64(b))
		return number(v), nil
	case leftNumber && e.Op.IsComparisonOperator() && !e.ReturnBool: // what is left is the series' value
		x.op = func(a, b float64) (float64, bool) {
			_, ok := op(a, b)
			return b, ok
		}
	}
	if m := e.VectorMatching; m != nil {
		x.match = matching{on: m.On, labels: m.MatchingLabels, include: m.Include}
		switch m.Card {
		case parser.CardManyToOne:
			x.match.many = leftSide
		case parser.CardOneToMany:
			x.match.many = rightSide
		}
	}
	return x, nil
}

// operations are the binary operations. A comparison that is not bool yields
// its left value where it holds.
func operations(asBool bool) map[parser.ItemType]operation {
	always := func(f func(a, b float64) float64) operation {
		return func(a, b float64) (float64, bool) { return f(a, b), true }
	}
	where := func(f func(a, b float64) bool) operation {
		if asBool {
			return func(a, b float64) (float64, bool) {
				if f(a, b) {
					return 1, true
				}
				return 0, true
			}
		}
		return func(a, b float64) (float64, bool) { return a, f(a, b) }
	}
	return map[parser.ItemType]operation{
		parser.ADD: always(func(a, b float64) float64 { return a + b }),
		parser.SUB: always(func(a, b float64) float64 { return a - b }),
		parser.MUL: always(func(a, b float64) float64 { return a * b }),
		parser.DIV: always(func(a, b float64) float64 { return a / b }),
		parser.MOD: always(math.Mod),
		parser.POW: always(math.Pow),

		parser.EQLC: where(func(a, b float64) bool { return a == b }),
		parser.NEQ:  where(func(a, b float64) bool { return a != b }),
		parser.LSS:  where(func(a, b float64) bool { return a < b }),
		parser.LTE:  where(func(a, b float64) bool { return a <= b }),
		parser.GTR:  where(func(a, b float64) bool { return a > b }),
		parser.GTE:  where(func(a, b float64) bool { return a >= b }),
	}
}
