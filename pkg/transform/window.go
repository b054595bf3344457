package transform

import (
	"math"
	"slices"

	"github.com/chartd/chartd/pkg/store"
)

// queue is samples, oldest first, in a ring that grows.
type queue struct {
	ring []store.Sample // its length is a power of two
	head int
	n    int
}

func (q *queue) at(i int) store.Sample { return q.ring[(q.head+i)&(len(q.ring)-1)] }
func (q *queue) first() store.Sample   { return q.at(0) }
func (q *queue) last() store.Sample    { return q.at(q.n - 1) }
func (q *queue) dropFirst()            { q.head, q.n = (q.head+1)&(len(q.ring)-1), q.n-1 }
func (q *queue) dropLast()             { q.n-- }

func (q *queue) push(s store.Sample) {
	if q.n == len(q.ring) {
		ring := make([]store.Sample, max(8, 2*len(q.ring)))
		for i := range q.n {
			ring[i] = q.at(i)
		}
		q.ring, q.head = ring, 0
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = s
	q.n++
}

// window is what a range function knows of one series: the samples of
// (t-width, t], and what it needs of them so that a further sample costs the
// same however many there are. Only quantile_over_time costs a binary search
// and a move of memory.
type window struct {
	fn    rangeFunc
	width int64 // ms
	phi   float64
	in    queue

	sum    total // of the values, or of those before each counter reset
	count  int   // of resets or changes
	peaks  queue // those that may become the least or the greatest
	sorted []float64
}

func (w *window) reset() {
	w.in.n, w.peaks.n, w.sum, w.count, w.sorted = 0, 0, total{}, 0, w.sorted[:0]
}

// push adds the newest sample, which is no gap.
func (w *window) push(s store.Sample) {
	w.evict(s.T)
	if w.in.n > 0 {
		w.pair(w.in.last(), s, 1)
	}
	w.in.push(s)
	switch w.fn {
	case sumOverTime, avgOverTime:
		w.sum.add(s.V)
	case minOverTime, maxOverTime:
		for w.peaks.n > 0 && !w.above(w.peaks.last().V, s.V) {
			w.peaks.dropLast()
		}
		w.peaks.push(s)
	case quantileOverTime:
		i, _ := slices.BinarySearch(w.sorted, s.V)
		w.sorted = slices.Insert(w.sorted, i, s.V)
	}
}

// evict drops the samples that are not in (t-width, t].
func (w *window) evict(t int64) {
	for w.in.n > 0 && w.in.first().T <= t-w.width {
		s := w.in.first()
		w.in.dropFirst()
		if w.in.n == 0 {
			w.reset()
			return
		}
		w.pair(s, w.in.first(), -1)
		switch w.fn {
		case sumOverTime, avgOverTime:
			w.sum.add(-s.V)
		case minOverTime, maxOverTime:
			if w.peaks.first().T == s.T {
				w.peaks.dropFirst()
			}
		case quantileOverTime:
			i, _ := slices.BinarySearch(w.sorted, s.V)
			w.sorted = slices.Delete(w.sorted, i, i+1)
		}
	}
}

// pair takes two neighbours in (by 1) or out (by -1).
func (w *window) pair(a, b store.Sample, by int) {
	switch w.fn {
	case rate, increase:
		if b.V < a.V {
			w.count += by
			w.sum.add(float64(by) * a.V)
			if w.count == 0 {
				w.sum = total{}
			}
		}
	case resets:
		if b.V < a.V {
			w.count += by
		}
	case changes:
		if b.V != a.V {
			w.count += by
		}
	}
}

// above reports whether a stands before b for good.
func (w *window) above(a, b float64) bool {
	if w.fn == minOverTime {
		return a < b
	}
	return a > b
}

// at returns the function's value at time t, not before the newest sample.
func (w *window) at(t int64) (float64, bool) {
	w.evict(t)
	n := w.in.n
	if n == 0 {
		return 0, false
	}
	switch w.fn {
	case rate, increase, delta:
		if n < 2 {
			return 0, false
		}
		return w.extrapolated(t), true
	case irate, idelta:
		if n < 2 {
			return 0, false
		}
		return w.instant(), true
	case resets, changes:
		return float64(w.count), true
	case sumOverTime:
		return w.finite(w.sum.value(), 1), true
	case avgOverTime:
		return w.finite(w.sum.value()/float64(n), 1/float64(n)), true
	case minOverTime, maxOverTime:
		return w.peaks.first().V, true
	case countOverTime:
		return float64(n), true
	case lastOverTime:
		return w.in.last().V, true
	}
	return quantile(w.phi, w.sorted), true
}

// finite returns v, or, if a sum of very large values has overflown, what they
// sum up to when each is scaled first.
func (w *window) finite(v, scale float64) float64 {
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		return v
	}
	var scaled total
	w.sum = total{}
	for i := range w.in.n {
		scaled.add(w.in.at(i).V * scale)
		w.sum.add(w.in.at(i).V)
	}
	if v := scaled.value(); !math.IsNaN(v) {
		return v
	}
	return scaled.high
}

// instant is irate or idelta: of the two newest samples.
func (w *window) instant() float64 {
	a, b := w.in.at(w.in.n-2), w.in.last()
	v := b.V - a.V
	if w.fn == idelta {
		return v
	}
	if b.V < a.V { // a counter that began anew
		v = b.V
	}
	return v / (float64(b.T-a.T) / 1000)
}

// extrapolated is rate, increase or delta: the growth between the first and the
// last sample, stretched to the ends of the range. An end that is further away
// than samples are from each other is not reached: the series is taken to begin
// or end half a distance from its sample, and a counter not before it was 0.
func (w *window) extrapolated(t int64) float64 {
	first, last := w.in.first(), w.in.last()
	grown := last.V - first.V
	counter := w.fn != delta
	if counter {
		grown += w.sum.value()
	}
	sampled := float64(last.T-first.T) / 1000
	apart := sampled / float64(w.in.n-1)
	before, after := float64(first.T-(t-w.width))/1000, float64(t-last.T)/1000
	if before >= apart*1.1 {
		before = apart / 2
	}
	if counter && grown > 0 && first.V >= 0 {
		before = min(before, sampled*(first.V/grown))
	}
	if after >= apart*1.1 {
		after = apart / 2
	}
	factor := (sampled + before + after) / sampled
	if w.fn == rate {
		factor /= float64(w.width) / 1000
	}
	return grown * factor
}
