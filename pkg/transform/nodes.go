package transform

import (
	"math"
	"slices"

	"github.com/chartd/chartd/pkg/store"
)

// Lookback is how long, in ms, a series counts with its newest value.
const Lookback = 300_000

// node is one value of an expression over certain series. Its time only moves
// forward, until its leaves are reset.
type node interface {
	// at returns the value at time t (ms); ok is false if there is none.
	at(t int64) (v float64, ok bool)
	// kids calls fn with each node that the value is made of.
	kids(fn func(node))
}

// constant is a number.
type constant float64

func (n constant) at(int64) (float64, bool) { return float64(n), true }
func (constant) kids(func(node))            {}

// leaf is a series of the store, read once for all that is made of it.
type leaf struct {
	series  *store.Series
	cursor  store.Cursor
	pending []store.Sample // read, and not taken yet
	head    int            // how many of them have been taken
	newest  store.Sample   // taken; at MinInt64 if there is none
	windows []*window
	emas    []*ema
	outputs []*output
}

// at is the newest value, unless it is a gap or too old.
func (l *leaf) at(t int64) (float64, bool) {
	return l.newest.V, l.newest.T > t-Lookback && !math.IsNaN(l.newest.V)
}

func (l *leaf) kids(func(node)) {}

func (l *leaf) reset() {
	l.pending, l.head, l.newest = l.pending[:0], 0, store.Sample{T: math.MinInt64 / 2}
	for _, w := range l.windows {
		w.reset()
	}
}

// take takes the next sample in.
func (l *leaf) take() {
	s := l.pending[l.head]
	l.head++
	l.newest = s
	if math.IsNaN(s.V) { // a gap, as which a series that went stale is held, too
		return
	}
	for _, w := range l.windows {
		w.push(s)
	}
}

// ranged is a function of a leaf's range.
type ranged struct {
	*window
	of *leaf
}

func (r ranged) kids(fn func(node)) { fn(r.of) }

// mapped is a function of one value.
type mapped struct {
	fn func(float64) float64
	of node
}

func (m *mapped) at(t int64) (float64, bool) {
	v, ok := m.of.at(t)
	if !ok {
		return 0, false
	}
	return m.fn(v), true
}

func (m *mapped) kids(fn func(node)) { fn(m.of) }

// pair is an operation of two values.
type pair struct {
	op   operation
	a, b node
}

func (p *pair) at(t int64) (float64, bool) {
	a, okA := p.a.at(t)
	b, okB := p.b.at(t)
	if !okA || !okB {
		return 0, false
	}
	return p.op(a, b)
}

func (p *pair) kids(fn func(node)) {
	fn(p.a)
	fn(p.b)
}

// memo keeps the value of a node that several others are made of.
type memo struct {
	of    node
	t     int64
	v     float64
	ok    bool
	known bool
}

func (m *memo) at(t int64) (float64, bool) {
	if !m.known || m.t != t {
		m.v, m.ok = m.of.at(t)
		m.t, m.known = t, true
	}
	return m.v, m.ok
}

func (m *memo) kids(fn func(node)) { fn(m.of) }

// oneOf is the one of some nodes that has a value. That two have one at a time
// is a fault of the expression.
type oneOf struct {
	of    []node
	pick  int // the only one that counts, though the others must have none; -1: any
	fault func(t int64)
}

func (o *oneOf) at(t int64) (v float64, ok bool) {
	some := false
	for i, n := range o.of {
		x, has := n.at(t)
		if !has {
			continue
		}
		if some {
			o.fault(t)
			return 0, false
		}
		some = true
		if o.pick < 0 || o.pick == i {
			v, ok = x, true
		}
	}
	return v, ok
}

func (o *oneOf) kids(fn func(node)) {
	for _, n := range o.of {
		fn(n)
	}
}

// group is an aggregation. It asks each of its members: at a time at which all
// of them have a new sample, as after a scrape, that is once for each.
type group struct {
	fn   aggFunc
	phi  float64
	of   []node
	room []float64
}

func (g *group) at(t int64) (float64, bool) {
	n, best, plain := 0, math.NaN(), 0.0
	var sum total
	g.room = g.room[:0]
	for _, m := range g.of {
		v, ok := m.at(t)
		if !ok {
			continue
		}
		n++
		switch g.fn {
		case aggSum, aggAvg:
			sum.add(v)
			plain += v
		case aggMin:
			if v < best || math.IsNaN(best) {
				best = v
			}
		case aggMax:
			if v > best || math.IsNaN(best) {
				best = v
			}
		case aggQuantile:
			g.room = append(g.room, v)
		}
	}
	if n == 0 {
		return 0, false
	}
	switch g.fn {
	case aggSum, aggAvg:
		s := sum.value()
		if math.IsNaN(s) { // a total cannot hold what is infinite
			s = plain
		}
		if g.fn == aggAvg {
			s /= float64(n)
		}
		return s, true
	case aggCount:
		return float64(n), true
	case aggQuantile:
		slices.Sort(g.room)
		return quantile(g.phi, g.room), true
	}
	return best, true
}

func (g *group) kids(fn func(node)) {
	for _, m := range g.of {
		fn(m)
	}
}
