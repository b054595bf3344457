package transform

import (
	"github.com/prometheus/prometheus/promql/parser"
)

func (c *compiler) call(e *parser.Call, depth int) (expr, *Error) {
	start := int(e.PosRange.Start)
	if fn, ok := rangeFuncs()[e.Func.Name]; ok {
		return c.overRange(e, fn)
	}
	var args []float64
	var of expr
	for i, a := range e.Args {
		if a.Type() == parser.ValueTypeMatrix || a.Type() == parser.ValueTypeString {
			return nil, c.unsupported(start, e.Func.Name)
		}
		x, err := c.expr(a, depth)
		if err != nil {
			return nil, err
		}
		if n, ok := x.(number); ok && i > 0 {
			args = append(args, float64(n))
		} else if i == 0 {
			of = x
		}
	}
	if e.Func.Name == "ema" {
		return c.ema(e, of, args[0])
	}
	fn, ok := valueFuncs()[e.Func.Name]
	if !ok || of == nil {
		return nil, c.unsupported(start, e.Func.Name)
	}
	f, wrong := fn(args)
	if wrong != "" {
		return nil, c.errorAt(start, wrong, "%s cannot work with that", e.Func.Name)
	}
	return &perValue{fn: f, of: of}, nil
}

func (c *compiler) overRange(e *parser.Call, fn rangeFunc) (expr, *Error) {
	x := &overRange{fn: fn}
	for _, a := range e.Args {
		start := int(a.PositionRange().Start)
		for p, ok := a.(*parser.ParenExpr); ok; p, ok = a.(*parser.ParenExpr) {
			a = p.Expr
		}
		switch a := a.(type) {
		case *parser.MatrixSelector:
			vs, ok := a.VectorSelector.(*parser.VectorSelector)
			if !ok || a.RangeExpr != nil {
				return nil, c.errorAt(start, "such as x[5m]", "this range is not supported")
			}
			of, err := c.selector(vs)
			if err != nil {
				return nil, err
			}
			x.of, x.width = of, a.Range.Milliseconds()
		case *parser.SubqueryExpr:
			return nil, c.errorAt(start, "a function of a metric's range, such as max_over_time(x[5m])", "a subquery is not supported")
		default:
			n, err := c.constant(a)
			if err != nil {
				return nil, err
			}
			x.phi = n
		}
	}
	if x.of == nil {
		return nil, c.errorAt(int(e.PosRange.Start), "such as x[5m]", "%s needs a range", e.Func.Name)
	}
	return x, nil
}

func (c *compiler) ema(e *parser.Call, of expr, weight float64) (expr, *Error) {
	start := int(e.Args[1].PositionRange().Start)
	arg := e.Args[1]
	for p, ok := arg.(*parser.ParenExpr); ok; p, ok = arg.(*parser.ParenExpr) {
		arg = p.Expr
	}
	if n, ok := arg.(*parser.NumberLiteral); ok && n.Duration {
		if n.Val <= 0 {
			return nil, c.errorAt(start, "such as 30s", "the time constant of ema is not above 0")
		}
		return &smooth{of: of, tau: n.Val * 1000}, nil
	}
	if !(weight > 0 && weight <= 1) {
		return nil, c.errorAt(start, "a duration, such as 30s, or a weight above 0 up to 1, such as 0.2", "ema cannot take %v", weight)
	}
	return &smooth{of: of, alpha: weight}, nil
}

func (c *compiler) aggregate(e *parser.AggregateExpr, depth int) (expr, *Error) {
	fn, ok := aggFuncs()[e.Op]
	if !ok {
		return nil, c.unsupported(int(e.PosRange.Start), e.Op.String())
	}
	of, err := c.expr(e.Expr, depth)
	if err != nil {
		return nil, err
	}
	x := &aggregate{fn: fn, of: of, labels: e.Grouping, drop: e.Without}
	if e.Param != nil {
		if x.phi, err = c.constant(e.Param); err != nil {
			return nil, err
		}
	}
	return x, nil
}
