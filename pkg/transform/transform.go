package transform

import (
	"fmt"
	"math"
	"slices"

	"github.com/chartd/chartd/pkg/store"
)

// Transform evaluates one expression, and keeps up with the store. It belongs
// to one loop: it is not safe for concurrent use, but the series that it makes
// are. It holds room in the store until it is closed.
type Transform struct {
	expr *Expr
	q    store.Querier
	most int

	bound   bool
	found   map[*selector][]*store.Series
	cells   []*cell
	outputs []*output
	series  []*store.Series
	faults  []fault
}

// fault is what an expression cannot be evaluated for at a time.
type fault struct {
	t    int64
	what string
}

// New returns a transform of what q holds. It yields the first most series.
func New(e *Expr, q store.Querier, most int) *Transform {
	return &Transform{expr: e, q: q, most: most}
}

// Series finds the series that the expression is about, and returns those that
// come of it, sorted by labels: the same slice and the same series as before
// for those that were there. It must be called before Follow, and again when
// the store's Generation has changed; they have samples only after Follow.
// The error is a *store.LimitError.
func (t *Transform) Series() ([]*store.Series, error) {
	found := map[*selector][]*store.Series{}
	same := t.bound
	for _, s := range t.expr.selectors {
		found[s] = t.q.Select(s.metric, s.matchers)
		same = same && slices.Equal(found[s], t.found[s])
	}
	if same {
		return t.series, nil
	}
	b := binder{found: found, leaves: map[*store.Series]*leaf{}, fault: func(what string) func(int64) {
		return func(at int64) { t.faults = append(t.faults[:min(len(t.faults), maxFaults)], fault{at, what}) }
	}}
	members := b.bind(t.expr.root)
	slices.SortFunc(members, func(a, b member) int { return a.labels.Compare(b.labels) })
	if err := t.replace(members[:min(len(members), t.most)]); err != nil {
		return nil, err
	}
	t.bound, t.found = true, found
	t.series = make([]*store.Series, len(t.outputs))
	for i, o := range t.outputs {
		t.series[i] = o.derived.Series()
		if len(o.leaves) > 0 {
			o.derived.Of(o.leaves[0].series)
		}
	}
	return t.series, nil
}

// maxFaults is how many faults are remembered.
const maxFaults = 16

// replace makes these members the transform's outputs. What has come of the
// same labels before stays, from the time on at which the new leaves begin.
func (t *Transform) replace(members []member) error {
	old := map[string]*output{}
	for _, o := range t.outputs {
		old[o.labels.String()] = o
	}
	outputs := make([]*output, len(members))
	kept := map[*store.Derived]bool{}
	for i, m := range members {
		outputs[i] = &output{labels: m.labels, node: m.node, gap: true}
		if o := old[m.labels.String()]; o != nil {
			outputs[i].derived, outputs[i].gap = o.derived, o.gap
			kept[o.derived] = true
			continue
		}
		d, err := t.q.Derive(t.expr.Name(), m.labels)
		if err != nil {
			for _, o := range outputs[:i] {
				if !kept[o.derived] {
					o.derived.Close()
				}
			}
			return err
		}
		outputs[i].derived = d
	}
	cells := cellsOf(outputs)
	for i, c := range cells {
		cells[i] = t.succeed(c)
		for _, o := range cells[i].outputs { // an old cell has its own
			at := slices.IndexFunc(outputs, func(p *output) bool { return p.derived == o.derived })
			outputs[at] = o
		}
	}
	for _, o := range t.outputs {
		if !kept[o.derived] {
			o.derived.Close()
		}
	}
	t.cells, t.outputs = cells, outputs
	return nil
}

// succeed returns what takes the place of the cells that had a part in a new
// one: the old cell, if it is the same, or the new one, which begins where it
// differs.
func (t *Transform) succeed(c *cell) *cell {
	known := map[*store.Series]*cell{}
	leaves := map[*store.Series]*leaf{}
	derived := map[*store.Derived]*cell{}
	for _, old := range t.cells {
		for _, l := range old.leaves {
			known[l.series], leaves[l.series] = old, l
		}
		for _, o := range old.outputs {
			derived[o.derived] = old
		}
	}
	before := map[*cell]bool{}
	same := true
	c.since = math.MinInt64 // of which all that follow have a part
	for _, l := range c.leaves {
		if old := known[l.series]; old != nil {
			before[old] = true
			l.cursor = leaves[l.series].cursor
			c.again = min(c.again, l.news())
			continue
		}
		same = false
		c.again = min(c.again, oldest(l.series))
	}
	for _, o := range c.outputs {
		old := derived[o.derived]
		if old != nil {
			before[old] = true
			continue
		}
		same = false
		if !slices.ContainsFunc(o.leaves, func(l *leaf) bool { return known[l.series] == nil }) {
			c.since = math.MaxInt64 // it comes of what was there: from the beginning
		}
	}
	for old := range before {
		if same && len(before) == 1 && len(old.leaves) == len(c.leaves) && len(old.outputs) == len(c.outputs) {
			return old
		}
		c.again = min(c.again, old.done+1, old.again)
		c.since = max(c.since, old.since)
		c.limit = min(c.limit, old.limit)
	}
	if len(before) == 0 {
		c.since = math.MaxInt64
	}
	return c
}

// Follow evaluates what is new since the last call. from is the earliest time,
// in ms, that is needed: what lies before it leaves the series. What is later
// than limit is left out. The error says why the expression has no value at a
// time behind from; the series are up to date all the same.
func (t *Transform) Follow(from, limit int64) error {
	for _, c := range t.cells {
		c.follow(from, limit, func(again int64) {
			t.faults = slices.DeleteFunc(t.faults, func(f fault) bool { return f.t >= again })
		})
	}
	t.faults = slices.DeleteFunc(t.faults, func(f fault) bool { return f.t < from })
	if len(t.faults) > 0 {
		f := t.faults[0]
		return fmt.Errorf("the transform has no value at t %d: %s", f.t, f.what)
	}
	return nil
}

// Close gives the room of the series back to the store. They stay readable, and
// empty.
func (t *Transform) Close() {
	for _, o := range t.outputs {
		o.derived.Close()
	}
	t.cells, t.outputs, t.series, t.bound = nil, nil, nil, false
}
