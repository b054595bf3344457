package transform

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/chartd/chartd/pkg/store"
)

// MaxText is how long an expression may be, in bytes, vars filled in.
const MaxText = 8192

// maxDepth is how deep calls and operations may be nested.
const maxDepth = 100

// Options are what an expression is compiled with.
type Options struct {
	// Metric is what a selector without a metric's name means; empty if there
	// is none.
	Metric string
	// Matchers hold for those selectors in addition to their own.
	Matchers []store.Matcher
	// Lookup returns the value of a var that stands outside of a string, where
	// it may be a metric's or a label's name, a number or a duration; "" if it is
	// not known yet; ok is false if there is no such var. Nil: there are none.
	Lookup func(name string) (value string, ok bool)
	// Condition fills the vars into a condition on a label, as
	// store.ParseMatcher reads it. The text of a matcher never meets the parser
	// with its vars filled in. Nil: a "$" is a dollar.
	Condition func(condition string) string
}

// Expr is a compiled expression. It is never changed, and may be shared.
type Expr struct {
	root      expr
	selectors []*selector
	text      string
}

// Compile reads an expression. The error is an *Error.
func Compile(text string, opts Options) (*Expr, error) {
	e, err := compile(text, opts)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func compile(text string, opts Options) (*Expr, *Error) {
	src, bad := expand(text, opts)
	if bad != nil {
		return nil, bad
	}
	c := compiler{text: text, src: src, opts: opts}
	if len(src.out) > MaxText {
		return nil, c.errorAt(0, fmt.Sprintf("at most %d bytes", MaxText), "the expression is %d bytes long", len(src.out))
	}
	parsed, err := parse(string(src.out))
	if err != nil {
		return nil, c.parseError(err)
	}
	root, bad := c.expr(parsed, 0)
	if bad != nil {
		return nil, bad
	}
	if _, ok := root.(number); ok {
		return nil, c.errorAt(0, "an expression with a metric, such as rate(http_requests_total[1m])", "the expression is a number, which needs no series")
	}
	if opts.Metric != "" && len(src.inserted) == 0 {
		return nil, c.errorAt(0, "a selector without a name, as in rate({}[1m]), or no metric beside it", "the expression makes no use of the metric %q", opts.Metric)
	}
	return &Expr{root: root, selectors: c.selectors, text: strings.Join(strings.Fields(string(src.out)), " ")}, nil
}

// parse is PromQL's own parser, which knows ema, too.
func parse(text string) (parser.Expr, error) {
	functions := maps.Clone(parser.Functions)
	functions["ema"] = &parser.Function{
		Name: "ema", ArgTypes: []parser.ValueType{parser.ValueTypeVector, parser.ValueTypeScalar}, ReturnType: parser.ValueTypeVector,
	}
	p := parser.NewParser(text, parser.WithFunctions(functions))
	defer p.Close()
	return p.ParseExpr()
}

// Name is what a series that comes of e is called where its labels do not tell:
// the metric if all of it is about one, or the expression.
func (e *Expr) Name() string {
	name := e.selectors[0].metric
	for _, s := range e.selectors {
		if s.metric != name {
			return cut(e.text, store.MaxMetricName)
		}
	}
	return name
}

// Metrics returns the metrics that e is about.
func (e *Expr) Metrics() []string {
	out := make([]string, len(e.selectors))
	for i, s := range e.selectors {
		out[i] = s.metric
	}
	return out
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-3], "") + "…"
}

// compiler turns PromQL's syntax tree into ours.
type compiler struct {
	text      string
	src       *source
	opts      Options
	selectors []*selector
}

func (c *compiler) errorAt(pos int, want, format string, args ...any) *Error {
	return &Error{text: c.text, Pos: c.src.at(pos), What: fmt.Sprintf(format, args...), Want: want}
}

func (c *compiler) parseError(err error) *Error {
	if list, ok := errors.AsType[parser.ParseErrors](err); ok && len(list) > 0 {
		what := list[0].Err.Error()
		want := "PromQL, such as rate(http_requests_total[1m])"
		if strings.Contains(what, "must contain at least one non-empty matcher") {
			want = "a metric's name before it, or metric: beside the transform"
		}
		return c.errorAt(int(list[0].PositionRange.Start), want, "%s", what)
	}
	return c.errorAt(0, "PromQL, such as rate(http_requests_total[1m])", "%v", err)
}

func (c *compiler) expr(e parser.Expr, depth int) (expr, *Error) {
	if depth++; depth > maxDepth {
		return nil, c.errorAt(int(e.PositionRange().Start), fmt.Sprintf("at most %d", maxDepth), "the expression is nested too deep")
	}
	start := int(e.PositionRange().Start)
	switch e := e.(type) {
	case *parser.ParenExpr:
		return c.expr(e.Expr, depth)
	case *parser.StepInvariantExpr:
		return c.expr(e.Expr, depth)
	case *parser.NumberLiteral:
		return number(e.Val), nil
	case *parser.VectorSelector:
		return c.selector(e)
	case *parser.UnaryExpr:
		of, err := c.expr(e.Expr, depth)
		if err != nil || e.Op != parser.SUB {
			return of, err
		}
		if n, ok := of.(number); ok {
			return -n, nil
		}
		return &perValue{fn: func(v float64) float64 { return -v }, of: of}, nil
	case *parser.Call:
		return c.call(e, depth)
	case *parser.AggregateExpr:
		return c.aggregate(e, depth)
	case *parser.BinaryExpr:
		return c.binary(e, depth)
	case *parser.SubqueryExpr:
		return nil, c.errorAt(start, "a function of a metric's range, such as max_over_time(x[5m])", "a subquery is not supported")
	case *parser.MatrixSelector:
		return nil, c.errorAt(start, "a function of it, such as rate(x[5m])", "a range is no series")
	}
	return nil, c.errorAt(start, "a number or a metric", "a string is no series")
}

func (c *compiler) selector(e *parser.VectorSelector) (*selector, *Error) {
	start := int(e.PosRange.Start)
	switch {
	case e.OriginalOffset != 0 || e.OriginalOffsetExpr != nil:
		return nil, c.errorAt(start, "the metric without it", "offset is not supported")
	case e.Timestamp != nil || e.StartOrEnd != 0:
		return nil, c.errorAt(start, "the metric without it", "@ is not supported")
	}
	s := &selector{}
	if c.src.inserted[start] {
		s.matchers = append(s.matchers, c.opts.Matchers...)
	}
	for _, m := range e.LabelMatchers {
		if m.Name == labels.MetricName {
			if m.Type != labels.MatchEqual || s.metric != "" {
				return nil, c.errorAt(start, `one metric, as in up or {__name__="up"}`, "a choice of metrics is not supported")
			}
			s.metric = m.Value
			continue
		}
		sm, err := c.matcherOf(m)
		if err != nil {
			return nil, c.errorAt(start, `"value", !="value", =~"regexp" or !~"regexp"`, "%v", err)
		}
		s.matchers = append(s.matchers, sm)
	}
	if s.metric == "" {
		return nil, c.errorAt(start, "a metric's name before it, or metric: beside the transform", "the selector names no metric")
	}
	c.selectors = append(c.selectors, s)
	return s, nil
}

// matcherOf returns the store's word for one of PromQL's matchers.
func (c *compiler) matcherOf(m *labels.Matcher) (store.Matcher, error) {
	value := m.Value
	switch m.Type {
	case labels.MatchNotEqual:
		value = "!=" + value
	case labels.MatchRegexp:
		value = "=~" + value
	case labels.MatchNotRegexp:
		value = "!~" + value
	case labels.MatchEqual:
		if len(value) >= 2 && slices.Contains([]string{"!=", "=~", "!~"}, value[:2]) {
			value = `=~\Q` + strings.ReplaceAll(value, `\E`, `\E\\E\Q`) + `\E`
		}
	}
	if c.opts.Condition != nil {
		value = c.opts.Condition(value)
	}
	return store.ParseMatcher(m.Name, value)
}

// constant compiles what must be a number.
func (c *compiler) constant(e parser.Expr) (float64, *Error) {
	x, err := c.expr(e, 0)
	if err != nil {
		return 0, err
	}
	n, ok := x.(number)
	if !ok {
		return 0, c.errorAt(int(e.PositionRange().Start), "a number, such as 0.95", "this is no constant")
	}
	return float64(n), nil
}

// unsupported is the error of a word that PromQL has and a transform has not.
func (c *compiler) unsupported(pos int, name string) *Error {
	var known []string
	known = slices.AppendSeq(known, maps.Keys(rangeFuncs()))
	known = slices.AppendSeq(known, maps.Keys(valueFuncs()))
	for op := range aggFuncs() {
		known = append(known, op.String())
	}
	slices.Sort(known)
	return c.errorAt(pos, "one of: "+strings.Join(known, ", ")+", ema, and + - * / % ^ == != < <= > >=", "%s is not supported", name)
}
