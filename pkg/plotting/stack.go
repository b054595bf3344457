package plotting

import (
	"math"
	"slices"

	"github.com/chartd/chartd/pkg/store"
)

// defaultHold is how long a series counts in a stack with its last value, in
// ms, when the chart has no gap setting.
const defaultHold = 60_000

// stackLag is how long a stack waits for a series that is behind the others,
// in ms, before it goes on with that one's last value.
const stackLag = 2_000

// loadSlabs is in how many pieces a stack's window is first read, so that no
// more than that part of it is held at once.
const loadSlabs = 64

// stack piles series up: the trace of the i-th line has, at each time at which
// any series has a sample, the sum of the lines up to i. A series without a
// sample at that time counts with its last value, as long as that is not older
// than hold; then, and where it is NaN, missing says what becomes of the sum.
type stack struct {
	lines   []*line
	missing Missing
	hold    int64 // ms
	pending [][]store.Sample
	last    []store.Sample // newest that has been added up, by line
	done    int64          // ms; everything up to here is in the traces
	start   int64          // ms; nothing before it has been read
	begun   bool
	buf     []store.Sample
}

func newStack(lines []*line, hold int64, missing Missing) *stack {
	if hold <= 0 {
		hold = defaultHold
	}
	return &stack{
		lines: lines, hold: hold, missing: missing,
		pending: make([][]store.Sample, len(lines)), last: make([]store.Sample, len(lines)),
	}
}

// follow brings all traces up to what the store holds from a time on, up to
// another (ms), which is noEnd or never less than before.
func (s *stack) follow(from, to int64) {
	if len(s.lines) == 0 {
		return
	}
	if s.lines[0].fixed {
		r := around(s.lines, from, to)
		from, to = r.from, r.to
	} else {
		from -= s.lines[0].trace.span() // so that the areas come in from the left
	}
	if !s.begun {
		s.load(from, to)
		return
	}
	again, rewound := int64(math.MaxInt64), false
	for i, l := range s.lines {
		had := len(s.pending[i])
		next, t, back := s.read(i, to)
		if back {
			again, rewound = min(again, t), true
			continue
		}
		l.cursor = next
		l.tally.add(s.pending[i][had:])
		if p := s.pending[i]; len(p) > had && p[had].T <= s.done {
			again, rewound = min(again, p[had].T), true
		}
	}
	if rewound {
		// What waits to be added up is read again, too.
		s.load(max(min(again, s.done+1), from), to)
		return
	}
	s.settle(to)
}

// read takes in what is new of the i-th series up to a time, as Since does.
func (s *stack) read(i int, to int64) (next store.Cursor, from int64, back bool) {
	l := s.lines[i]
	if to == noEnd {
		s.pending[i], next, from, back = l.series.Since(l.cursor, s.pending[i])
		return next, from, back
	}
	s.buf, next, from, back = l.series.Since(l.cursor, s.buf[:0])
	if back {
		return next, min(from, s.seen(i)+1), true
	}
	if len(s.buf) > 0 && s.buf[0].T <= s.done {
		return next, s.buf[0].T, true // the others have gone on without it
	}
	// What the store has held for long becomes seen as time passes.
	l.series.Each(s.seen(i)+1, to, func(block []store.Sample) { s.pending[i] = append(s.pending[i], block...) })
	return next, from, back
}

// seen returns the time of the newest sample of the i-th series that was read.
func (s *stack) seen(i int) int64 {
	if p := s.pending[i]; len(p) > 0 {
		return p[len(p)-1].T
	}
	return max(s.last[i].T, s.start-1)
}

// settle adds up all that need not wait. What has been added may end the
// waiting for a series that is silent.
func (s *stack) settle(to int64) {
	for s.add(s.ready(to)) {
	}
}

// ready returns the time up to which no series has to be waited for.
func (s *stack) ready(to int64) int64 {
	newest, slowest := int64(math.MinInt64), int64(math.MaxInt64)
	for i, l := range s.lines {
		t := s.last[i].T
		last, ok := l.series.Last()
		if p := s.pending[i]; len(p) > 0 {
			t = p[len(p)-1].T
		} else if !ok || last.T < s.done-s.hold {
			continue
		}
		if ok && last.T > to {
			t = to // all there is before it has been read
		}
		newest, slowest = max(newest, t), min(slowest, t)
	}
	return max(slowest, newest-stackLag)
}

// load reads everything from a time on once more, slab by slab.
func (s *stack) load(t, to int64) {
	for _, l := range s.lines {
		t = min(t, l.trace.rewind(t))
	}
	for _, l := range s.lines {
		l.tally.rewind(t)
	}
	start := t - s.hold // values from before t still count at t
	end := start
	for i, l := range s.lines {
		s.pending[i], s.last[i] = s.pending[i][:0], store.Sample{T: math.MinInt64}
		if before, ok := l.series.Before(start); ok && s.missing == MissingLast {
			s.last[i] = before // however old
		}
		if last, ok := l.series.Last(); ok {
			end = max(end, min(last.T, to))
		}
	}
	s.begun, s.done, s.start = true, t-1, start
	step := max((end-start)/loadSlabs, 1)
	for slab := start; slab <= end; slab += step {
		upto := min(slab+step-1, end)
		for i, l := range s.lines {
			c := l.series.Each(slab, upto, func(block []store.Sample) {
				s.pending[i] = append(s.pending[i], block...)
				l.tally.add(block)
			})
			if slab == start {
				l.cursor = c
			}
		}
		s.add(upto)
	}
	// What lies behind the last slab, and what came in while the slabs were
	// read.
	for i, l := range s.lines {
		seen := max(s.last[i].T, end)
		if p := s.pending[i]; len(p) > 0 {
			seen = max(seen, p[len(p)-1].T)
		}
		c := l.series.Each(seen+1, to, func(block []store.Sample) {
			s.pending[i] = append(s.pending[i], block...)
			l.tally.add(block)
		})
		// If the past has changed since the first slab, the cursor stays there,
		// and the next call reads again.
		if _, _, _, back := l.series.Since(l.cursor, nil); !back {
			l.cursor = c
		}
	}
	s.settle(to)
}

// add sums up the pending samples up to a time, and reports whether there were
// any.
func (s *stack) add(upto int64) (some bool) {
	heads := make([]int, len(s.lines))
	for {
		t := int64(math.MaxInt64)
		for i, p := range s.pending {
			if heads[i] < len(p) {
				t = min(t, p[heads[i]].T)
			}
		}
		if t > upto || t == math.MaxInt64 {
			break
		}
		some = true
		for i, p := range s.pending {
			if heads[i] < len(p) && p[heads[i]].T == t {
				s.last[i] = p[heads[i]]
				heads[i]++
			}
		}
		if t > s.done {
			s.done = t
			s.sum(t)
		}
	}
	for i, p := range s.pending {
		s.pending[i] = p[:copy(p, p[heads[i]:])]
	}
	return some
}

// sum adds the lines up at a time that all of them have reached.
func (s *stack) sum(t int64) {
	total, known := 0.0, false
	whole := s.missing != MissingGap || !slices.ContainsFunc(s.last, func(v store.Sample) bool { return !s.counts(v, t) })
	for i, l := range s.lines {
		if v := s.last[i]; s.counts(v, t) {
			total, known = total+v.V, true
		}
		if known && whole {
			l.trace.add(t, total)
		} else {
			l.trace.add(t, math.NaN())
		}
	}
}

// counts reports whether the newest value of a series up to a time says what
// it is then.
func (s *stack) counts(v store.Sample, t int64) bool {
	return v.T != math.MinInt64 && !math.IsNaN(v.V) && (s.missing == MissingLast || t-v.T <= s.hold)
}
