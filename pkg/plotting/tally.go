package plotting

import (
	"cmp"
	"math"
	"slices"

	"github.com/chartd/chartd/pkg/store"
)

// tally adds up the samples of a line in each of its buckets, so that what is
// said of the window is said of all of them, drawn or not. A nil tally is none.
type tally struct {
	bucket int64     // ms
	seen   timeRange // samples beyond it are not counted
	from   int64     // ms; nor are those before it
	slots  []summary
}

// summary is what is known of some samples; NaNs do not count, unless last.
type summary struct {
	index       int64 // of the bucket
	n           int
	sum, lo, hi float64
	last        float64
}

// get returns one of the values of a legend, NaN if there is none.
func (s *summary) get(what LegendValue) float64 {
	switch {
	case what == LegendLast:
		return s.last
	case s.n == 0:
		return math.NaN()
	case what == LegendMin:
		return s.lo
	case what == LegendMax:
		return s.hi
	}
	return s.sum / float64(s.n)
}

// add takes samples in, which are newer than all before.
func (t *tally) add(samples []store.Sample) {
	if t == nil {
		return
	}
	for from := max(t.from, t.seen.from); len(samples) > 0 && samples[0].T < from; {
		samples = samples[1:]
	}
	for n := len(samples); n > 0 && samples[n-1].T > t.seen.to; n-- {
		samples = samples[:n-1]
	}
	for len(samples) > 0 {
		i := floorDiv(samples[0].T, t.bucket)
		if n := len(t.slots); n == 0 || t.slots[n-1].index != i {
			t.slots = append(t.slots, summary{index: i, lo: math.Inf(1), hi: math.Inf(-1)})
		}
		s, end := &t.slots[len(t.slots)-1], (i+1)*t.bucket
		k := 0
		for ; k < len(samples) && samples[k].T < end; k++ {
			if v := samples[k].V; v == v {
				s.n++
				s.sum += v
				s.lo, s.hi = min(s.lo, v), max(s.hi, v)
			}
		}
		s.last = samples[k-1].V
		samples = samples[k:]
	}
}

// rewind forgets everything from a time on, where a bucket begins.
func (t *tally) rewind(from int64) {
	if t == nil {
		return
	}
	t.from = from
	n, _ := slices.BinarySearchFunc(t.slots, floorDiv(from, t.bucket), func(s summary, i int64) int { return cmp.Compare(s.index, i) })
	t.slots = t.slots[:n]
}

// trim forgets what ended before a time.
func (t *tally) trim(from int64) {
	if t == nil {
		return
	}
	n, _ := slices.BinarySearchFunc(t.slots, floorDiv(from, t.bucket), func(s summary, i int64) int { return cmp.Compare(s.index, i) })
	if n > len(t.slots)/4 {
		t.slots = slices.Delete(t.slots, 0, n)
	}
}

// over returns what is known of the samples in a range of time, to the bucket,
// or where that is all that is counted, to the ms.
func (t *tally) over(from, to int64) summary {
	all := summary{lo: math.Inf(1), hi: math.Inf(-1), last: math.NaN()}
	if t == nil {
		return all
	}
	first, end := floorDiv(from, t.bucket), floorDiv(to, t.bucket)
	for i := range t.slots {
		s := &t.slots[i]
		if s.index < first || s.index > end {
			continue
		}
		all.n += s.n
		all.sum += s.sum
		all.lo, all.hi = min(all.lo, s.lo), max(all.hi, s.hi)
		all.last = s.last
	}
	return all
}
