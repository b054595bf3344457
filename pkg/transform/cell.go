package transform

import (
	"math"

	"github.com/chartd/chartd/pkg/store"
)

// cell is series that depend on each other, and what comes of them: no other
// cell has a part in either. It walks through the times at which one of its
// leaves has a sample, and never looks back unless the past has changed.
type cell struct {
	leaves  []*leaf
	outputs []*output
	emas    []*ema // each behind those that it is made of
	memos   []*memo
	lead    int64 // ms; how far before a time lie the samples that count at it

	heap  []*leaf // those with pending samples, the earliest on top
	due   []*output
	since int64 // everything from here
	done  int64 // to here has been evaluated
	limit int64 // samples behind it were left out
	again int64 // where to begin at the next follow; MaxInt64: go on
	feed  int64 // the emas have seen what lies before
}

// output is one series that comes of an expression.
type output struct {
	labels  store.Labels
	node    node
	leaves  []*leaf // below node
	derived *store.Derived
	due     bool
	gap     bool // the newest sample is one, or there is none
}

// append adds what the output is at time t.
func (o *output) append(t int64, v float64, ok bool) {
	if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
		if o.gap {
			return
		}
		v = math.NaN()
	}
	o.gap = v != v
	o.derived.Append(t, v)
}

func (o *output) truncate(t int64) {
	o.derived.Truncate(t)
	last, ok := o.derived.Series().Last()
	o.gap = !ok || math.IsNaN(last.V)
}

// follow evaluates what is new in the store, from a time on; what is later than
// limit is left out. rewound is called with the time from which on what was
// evaluated before is void, if there is such a time.
func (c *cell) follow(from, limit int64, rewound func(t int64)) {
	if from < c.since {
		c.again = min(c.again, from)
	}
	if limit > c.limit {
		c.again = min(c.again, c.limit+1)
	}
	c.since, c.limit = from, limit
	again := c.again
	if again != math.MaxInt64 { // what is read once more may have news before it
		for _, l := range c.leaves {
			again = min(again, l.news())
		}
	} else {
		for _, l := range c.leaves {
			samples, next, t, back := l.series.Since(l.cursor, l.pending[:0])
			if back {
				again = min(again, t)
				continue
			}
			l.cursor, l.pending, l.head = next, upTo(samples, limit), 0
			if len(samples) > 0 && samples[0].T <= c.done {
				again = min(again, samples[0].T)
			}
		}
	}
	if again != math.MaxInt64 {
		rewound(max(again, from))
		c.load(again, from, limit)
	} else {
		c.run(math.MaxInt64)
	}
	for _, o := range c.outputs {
		o.derived.Expire(from)
	}
}

// upTo returns the samples not later than to.
func upTo(samples []store.Sample, to int64) []store.Sample {
	n := len(samples)
	for n > 0 && samples[n-1].T > to {
		n--
	}
	return samples[:n]
}

// slab is how many samples of all leaves together are read at once, when the
// past is.
const slab = 1 << 16

// load evaluates everything behind from once more, of which what lies before
// changed still stands.
func (c *cell) load(changed, from, limit int64) {
	t := max(changed, from)
	c.again, c.done, c.feed = math.MaxInt64, t-1, changed
	for _, o := range c.outputs {
		o.truncate(t)
	}
	for _, m := range c.memos {
		m.known = false
	}
	for _, e := range c.emas {
		if !e.back(changed) {
			c.feed = math.MinInt64
		}
	}
	begin, end, size := t-c.lead, t, 0
	if len(c.emas) > 0 {
		begin = min(begin, max(c.feed, math.MinInt64+c.lead)-c.lead)
	}
	for _, l := range c.leaves {
		l.reset()
		// The cursor is taken first: what comes in from here on, it tells.
		l.cursor = l.series.Each(math.MaxInt64, math.MaxInt64, l.hold)
		l.reset()
		if last, ok := l.series.Last(); ok {
			end = max(end, min(last.T, limit))
			size += l.series.Len()
		}
	}
	if begin == math.MinInt64 {
		begin = t - c.lead
		for _, l := range c.leaves {
			begin = min(begin, oldest(l.series))
		}
		for _, e := range c.emas {
			e.reset()
		}
	}
	// The past is read in pieces, so that no more than one of them is held.
	step := max((end-begin)/int64(1+size/slab), 1)
	for at := begin; at <= end; at += step {
		upto := min(at+step-1, end)
		for _, l := range c.leaves {
			l.series.Each(at, upto, l.hold)
		}
		c.run(upto)
	}
	for _, l := range c.leaves {
		samples, next, _, rewound := l.series.Since(l.cursor, l.pending[:0])
		if rewound {
			continue // the next call sees that, too
		}
		l.cursor, l.head = next, 0
		if len(samples) > 0 && samples[0].T <= end { // perhaps read, perhaps not
			c.again = min(c.again, samples[0].T)
			samples = samples[:0]
		}
		l.pending = upTo(samples, limit)
	}
	c.run(math.MaxInt64)
	c.feed = math.MinInt64
}

// news returns the time of the first sample that was not read yet, or from which
// on the past has changed; MaxInt64 if there is neither.
func (l *leaf) news() int64 {
	if l.cursor == (store.Cursor{}) {
		return oldest(l.series)
	}
	samples, _, from, rewound := l.series.Since(l.cursor, nil)
	switch {
	case rewound:
		return from
	case len(samples) > 0:
		return samples[0].T
	}
	return math.MaxInt64
}

// hold adds samples to those that wait.
func (l *leaf) hold(samples []store.Sample) {
	if l.head == len(l.pending) {
		l.pending, l.head = l.pending[:0], 0
	}
	l.pending = append(l.pending, samples...)
}

// oldest returns the time of the first sample; MaxInt64 if there is none.
func oldest(s *store.Series) int64 {
	t := int64(math.MaxInt64)
	s.EachSummed(math.MinInt64, math.MaxInt64, func(b store.Block) { t = min(t, b.Samples[0].T) })
	return t
}

// run walks through all pending samples up to a time.
func (c *cell) run(upto int64) {
	c.heap = c.heap[:0]
	for _, l := range c.leaves {
		if l.head < len(l.pending) {
			c.heap = append(c.heap, l)
			c.up(len(c.heap) - 1)
		}
	}
	for len(c.heap) > 0 && c.heap[0].next() <= upto {
		t := c.heap[0].next()
		emit := t > c.done
		for len(c.heap) > 0 && c.heap[0].next() == t {
			l := c.heap[0]
			l.take()
			for _, e := range l.emas {
				e.due = t >= c.feed
			}
			if emit {
				for _, o := range l.outputs {
					if !o.due {
						o.due = true
						c.due = append(c.due, o)
					}
				}
			}
			if l.head == len(l.pending) {
				last := len(c.heap) - 1
				c.heap[0] = c.heap[last]
				c.heap = c.heap[:last]
			}
			c.down()
		}
		for _, e := range c.emas {
			if e.due {
				e.due = false
				e.update(t)
			}
		}
		for _, o := range c.due {
			v, ok := o.node.at(t)
			o.append(t, v, ok)
			o.due = false
		}
		c.due = c.due[:0]
		if emit {
			c.done = t
		}
	}
}

// next is the time of the leaf's next sample, of which there is one.
func (l *leaf) next() int64 { return l.pending[l.head].T }

// up moves the i-th leaf of the heap to its place among those above it.
func (c *cell) up(i int) {
	for i > 0 {
		above := (i - 1) / 2
		if c.heap[above].next() <= c.heap[i].next() {
			return
		}
		c.heap[above], c.heap[i] = c.heap[i], c.heap[above]
		i = above
	}
}

// down moves the top of the heap to its place.
func (c *cell) down() {
	for i := 0; ; {
		least := i
		for k := 2*i + 1; k <= 2*i+2 && k < len(c.heap); k++ {
			if c.heap[k].next() < c.heap[least].next() {
				least = k
			}
		}
		if least == i {
			return
		}
		c.heap[i], c.heap[least] = c.heap[least], c.heap[i]
		i = least
	}
}
