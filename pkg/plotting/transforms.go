package plotting

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/transform"
)

// transforms are what the transforms of a chart's series make of the store, for
// one Live.
type transforms struct {
	q  store.Querier
	of []derivation // by place in the spec
}

// derivation is one series' transform, as long as the vars in it stay.
type derivation struct {
	key string
	tr  *transform.Transform
}

// find returns the series that come of the i-th series of a spec.
func (ts *transforms) find(i int, s SeriesSpec, picks Picks) ([]*store.Series, error) {
	for len(ts.of) <= i {
		ts.of = append(ts.of, derivation{})
	}
	d := &ts.of[i]
	if key := s.key(picks); d.tr == nil || key != d.key {
		e, err := s.compile(picks)
		if err != nil {
			return nil, err
		}
		d.close()
		d.key, d.tr = key, transform.New(e, ts.q, maxLines)
	}
	return d.tr.Series()
}

func (d *derivation) close() {
	if d.tr != nil {
		d.tr.Close()
		d.tr = nil
	}
}

// follow brings all derived series up to what the store holds, for a view of a
// range of time in ms.
func (ts *transforms) follow(v View, from, to int64) error {
	// The lines begin before what is seen, and a stack with what stood then.
	far := max((to-from)/4, 2*defaultHold)
	from -= far
	if v.Live() {
		to = noEnd
	} else {
		to += far // and go on behind it
	}
	var errs []error
	for i, d := range ts.of {
		if d.tr == nil {
			continue
		}
		if err := d.tr.Follow(from, to); err != nil {
			errs = append(errs, fmt.Errorf("series[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

func (ts *transforms) close() {
	for i := range ts.of {
		ts.of[i].close()
	}
}

// key is what a compiled transform depends on.
func (s SeriesSpec) key(picks Picks) string {
	var b strings.Builder
	for _, name := range varsIn(s.Metric + s.Transform) {
		value, known := picks.Value(name)
		fmt.Fprintf(&b, "%q %v ", value, known)
	}
	for _, label := range slices.Sorted(maps.Keys(s.Labels)) {
		fmt.Fprintf(&b, "%q ", picks.Condition(s.Labels[label]))
	}
	return b.String()
}

// compile returns the series' transform for a view. What is wrong with the
// expression is a *transform.Error.
func (s SeriesSpec) compile(picks Picks) (*transform.Expr, error) {
	ms, err := parseMatchers(s.Labels, picks.Condition)
	if err != nil {
		return nil, err
	}
	opts := transform.Options{Metric: picks.Text(s.Metric), Matchers: ms}
	if len(picks.vars) > 0 {
		opts.Condition = picks.Condition
		opts.Lookup = func(name string) (string, bool) {
			value, _ := picks.Value(name)
			_, ok := picks.vars[name]
			return value, ok
		}
	}
	return transform.Compile(s.Transform, opts)
}

// grafanas is what the names of Grafana's own vars begin with, of which a
// transform can say more than that there is no such var.
const grafanas = "$__"

// checkTransform reports what is wrong with a series' transform, for the values
// of its vars that are written down.
func (s *Spec) checkTransform(path string, series SeriesSpec, add report) {
	if len(series.Labels) > 0 && series.Metric == "" {
		add(path+".labels", "metric: beside them, or the labels in the transform", "the labels are those of the metric that {} stands for, and there is none")
	}
	try := func(values map[string]string) bool {
		_, err := series.compile(Picks{s.Vars, values})
		if bad, ok := errors.AsType[*transform.Error](err); ok {
			p := bad.Problem()
			add(path+".transform", p.Want, "%s", p.What)
			return false
		}
		return err == nil // what is wrong with labels is said of them
	}
	values := s.Picks(View{}, nil).values
	if len(s.Vars) > 0 && slices.ContainsFunc(varsIn(series.Transform), func(name string) bool {
		_, ok := s.Vars[name]
		return !ok && !strings.HasPrefix("$"+name, grafanas)
	}) {
		return // checkVars says so
	}
	if !try(values) {
		return
	}
	for _, name := range varsIn(series.Transform) {
		for _, value := range s.Vars[name].Values {
			one := maps.Clone(values)
			one[name] = value
			if !try(one) {
				return
			}
		}
	}
}

// Metrics returns the metrics that the chart reads, vars as they are unless a
// viewer picks others, each once and sorted. What a transform that cannot be
// read is about is not among them.
func (s *Spec) Metrics() []string {
	var out []string
	picks := s.Picks(View{}, nil)
	for _, series := range s.Series {
		if series.Transform == "" {
			out = append(out, picks.Text(series.Metric))
			continue
		}
		if e, err := series.compile(picks); err == nil {
			out = append(out, e.Metrics()...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
