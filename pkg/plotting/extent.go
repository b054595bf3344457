package plotting

import (
	"math"
	"slices"
)

// shows reports whether there is anything to see: samples that count, or a line
// that goes past them.
func (tr *trace) shows() bool {
	n := len(tr.chunks)
	if n == 0 {
		return false
	}
	if tr.seen == always {
		return true
	}
	if lo, hi := tr.extent(); lo <= hi {
		return true
	}
	_, _, passes := tr.passing()
	return passes
}

// passing returns the ends of a line that goes past all that counts.
func (tr *trace) passing() (a, b point, ok bool) {
	n := len(tr.chunks)
	if n == 0 {
		return point{}, point{}, false
	}
	c := tr.chunks[n-1]
	tail := append(slices.Clone(c.join[:c.joins]), c.pts...)
	k := len(tail)
	if k < 2 {
		return point{}, point{}, false
	}
	a, b = tail[k-2], tail[k-1]
	return a, b, a.t < tr.seen.from && b.t > tr.seen.to && !math.IsNaN(a.v) && !math.IsNaN(b.v)
}

// extent returns the smallest and largest value that counts; lo > hi when there
// is none. All but the newest chunk are looked at only when they are others
// than before.
func (tr *trace) extent() (lo, hi float64) {
	n := len(tr.chunks)
	if n == 0 {
		return math.Inf(1), math.Inf(-1)
	}
	if tr.past.chunks != n {
		p := pastExtent{chunks: n, lo: math.Inf(1), hi: math.Inf(-1)}
		for _, c := range tr.chunks[:n-1] {
			p.lo, p.hi = min(p.lo, c.lo), max(p.hi, c.hi)
		}
		tr.past = p
	}
	last := tr.chunks[n-1]
	return min(tr.past.lo, last.lo), max(tr.past.hi, last.hi)
}

// pastExtent is the extent of all chunks but the newest.
type pastExtent struct {
	chunks int // how many there were, the newest included; 0: not known
	lo, hi float64
}
