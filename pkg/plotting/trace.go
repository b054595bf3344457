package plotting

import (
	"cmp"
	"math"
	"slices"

	"github.com/chartd/chartd/pkg/store"
)

// point is a sample as it is drawn; a NaN is a break in the line.
type point struct {
	t int64 // ms
	v float64
}

func pointOf(s store.Sample) point { return point{s.T, s.V} }

// crowd is from how many samples on a bucket is drawn by its extent alone.
const crowd = 16

// trace is the window of one line, thinned to what its pixels can show. Time
// is cut into buckets of a fixed width, aligned to the Unix epoch, and of each
// the first, smallest, largest and last sample are kept (M4: Jugel and others,
// VLDB 2014), which draw the same pixels as all of them. Of a crowded bucket,
// which is an upright bar on the picture, the ends of the bar are enough.
// Only the newest bucket can change, so that what is drawn stays as it is
// while samples arrive, and costs what its pixels cost, however many samples
// there are.
type trace struct {
	bucket int64 // ms
	gap    int64 // ms of silence that break the line; 0: none does
	chunks []*chunk
	open   bucketState
	// fresh is the number of the first chunk that has changed since it was last
	// drawn.
	fresh int
	gone  int // how many chunks have been dropped since then
	past  pastExtent
	// seen is the range of time that counts; what lies beyond only leads the line
	// out of the picture. A bucket that an end of it cuts is kept as two.
	seen    timeRange
	outside bool // the newest bucket does not count
}

// timeRange is a range of time in ms, both ends within.
type timeRange struct{ from, to int64 }

// always is all of time.
var always = timeRange{math.MinInt64, math.MaxInt64}

func (r timeRange) has(t int64) bool { return t >= r.from && t <= r.to }

// bucketState is the newest bucket.
type bucketState struct {
	valid                  bool
	index                  int64
	start                  int // in the last chunk's pts
	n                      int
	first, low, high, last point
	broken                 bool // it has a break already
}

func newTrace(bucket, gap int64) trace {
	return trace{bucket: max(1, bucket), gap: gap, seen: always}
}

// add appends a sample that is newer than all before.
func (tr *trace) add(t int64, v float64) {
	if tr.gap > 0 {
		last, ok := tr.last()
		if tr.open.n > 0 {
			last = tr.open.last // a crowded bucket may not show it
		}
		if ok && t-last.t > tr.gap && !math.IsNaN(last.v) {
			tr.put(last.t, math.NaN())
		}
	}
	tr.put(t, v)
}

// addBlock appends a block of samples in time order, each newer than all
// before. One that lies in a single bucket is not looked at if the store knows
// its extremes.
func (tr *trace) addBlock(b store.Block) {
	first, last := b.Samples[0], b.Samples[len(b.Samples)-1]
	if !b.Summed || tr.gap > 0 || tr.seen.has(first.T) != tr.seen.has(last.T) || floorDiv(first.T, tr.bucket) != floorDiv(last.T, tr.bucket) {
		tr.addAll(b.Samples)
		return
	}
	tr.add(first.T, first.V)
	o := &tr.open
	if b.Low.V < o.low.v {
		o.low = pointOf(b.Low)
	}
	if b.High.V > o.high.v {
		o.high = pointOf(b.High)
	}
	o.last = pointOf(last)
	o.n += len(b.Samples) - 1
	tr.keep(tr.chunks[len(tr.chunks)-1])
}

// addAll appends samples in time order, each newer than all before.
func (tr *trace) addAll(samples []store.Sample) {
	for len(samples) > 0 {
		s := samples[0]
		tr.add(s.T, s.V)
		samples = samples[1:]
		if math.IsNaN(s.V) {
			continue
		}
		// What else lies in this bucket only has to be looked at.
		end := (tr.open.index + 1) * tr.bucket
		switch {
		case !tr.outside && tr.seen.to < end:
			end = tr.seen.to + 1
		case tr.outside && s.T < tr.seen.from:
			end = min(end, tr.seen.from)
		}
		if n := tr.open.take(samples, end, tr.gap); n > 0 {
			tr.keep(tr.chunks[len(tr.chunks)-1])
			samples = samples[n:]
		}
	}
}

// take takes in the samples before end, up to a gap, and returns how many.
func (b *bucketState) take(samples []store.Sample, end, gap int64) int {
	n, _ := slices.BinarySearchFunc(samples, end, func(s store.Sample, t int64) int { return cmp.Compare(s.T, t) })
	low, high := b.low, b.high
	last := b.last.t
	for i, s := range samples[:n] {
		if s.V != s.V || gap > 0 && s.T-last > gap {
			n = i
			break
		}
		if last = s.T; s.V < low.v {
			low = pointOf(s)
		} else if s.V > high.v {
			high = pointOf(s)
		}
	}
	if n > 0 {
		b.low, b.high, b.last = low, high, pointOf(samples[n-1])
		b.n += n
	}
	return n
}

func (tr *trace) put(t int64, v float64) {
	b := &tr.open
	if i := floorDiv(t, tr.bucket); !b.valid || b.index != i {
		tr.close()
		c := tr.chunkFor(floorDiv(i, chunkBuckets))
		*b = bucketState{valid: true, index: i, start: len(c.pts)}
	}
	c := tr.chunks[len(tr.chunks)-1]
	if outside := !tr.seen.has(t); outside != tr.outside {
		tr.outside = outside
		if b.n > 0 {
			tr.close()
			b.n, b.start = 0, len(c.pts)
		}
	}
	if math.IsNaN(v) {
		tr.breakLine(c, t)
		return
	}
	p := point{t, v}
	if b.n == 0 {
		b.first, b.low, b.high = p, p, p
	}
	if v < b.low.v {
		b.low = p
	}
	if v > b.high.v {
		b.high = p
	}
	b.last = p
	b.n++
	tr.keep(c)
}

// keep writes the newest bucket's points to its chunk.
func (tr *trace) keep(c *chunk) {
	b := &tr.open
	if !tr.outside {
		c.lo, c.hi = min(c.lo, b.low.v), max(c.hi, b.high.v)
	}
	var keep [4]point
	k := keep[:0]
	if b.n < crowd {
		k = append(k, b.first)
	}
	tr.write(c, append(b.ends(k), b.last))
}

// close writes the newest bucket as it stays.
func (tr *trace) close() {
	if b := &tr.open; b.n >= crowd {
		var keep [4]point
		tr.write(tr.chunks[len(tr.chunks)-1], b.ends(keep[:0]))
	}
}

// write replaces the newest bucket's points by those of k, which are in time
// order; one that stands there twice is written once.
func (tr *trace) write(c *chunk, k []point) {
	k = slices.CompactFunc(k, func(a, b point) bool { return a.t == b.t })
	start := tr.open.start
	old := c.pts[start:]
	same := 0
	for same < len(old) && same < len(k) && old[same] == k[same] {
		same++
	}
	if same == len(old) && same == len(k) {
		return
	}
	c.dirty = min(c.dirty, start+same)
	c.pts = append(c.pts[:start], k...)
	tr.fresh = min(tr.fresh, len(tr.chunks)-1)
}

// ends appends the bucket's smallest and largest point in time order.
func (b *bucketState) ends(k []point) []point {
	if b.low.t < b.high.t {
		return append(k, b.low, b.high)
	}
	return append(k, b.high, b.low)
}

// breakLine puts a break behind the newest point. A bucket has one at most:
// more do not show.
func (tr *trace) breakLine(c *chunk, t int64) {
	last, ok := tr.last()
	if !ok || math.IsNaN(last.v) || tr.open.broken {
		return
	}
	tr.close()
	c.dirty = min(c.dirty, len(c.pts))
	c.pts = append(c.pts, point{t, math.NaN()})
	tr.fresh = min(tr.fresh, len(tr.chunks)-1)
	tr.open.n, tr.open.start, tr.open.broken = 0, len(c.pts), true
}

// last returns the newest point.
func (tr *trace) last() (point, bool) {
	if n := len(tr.chunks); n > 0 {
		c := tr.chunks[n-1]
		if k := len(c.pts); k > 0 {
			return c.pts[k-1], true
		}
		if c.joins > 0 {
			return c.join[c.joins-1], true
		}
	}
	return point{}, false
}

// rewind forgets everything from the chunk that holds t on, and returns the
// time from which samples have to be added again.
func (tr *trace) rewind(t int64) int64 {
	index := floorDiv(t, tr.span())
	i, _ := slices.BinarySearchFunc(tr.chunks, index, func(c *chunk, x int64) int {
		return int(max(-1, min(1, c.index-x)))
	})
	clear(tr.chunks[i:])
	tr.chunks = tr.chunks[:i]
	tr.fresh = min(tr.fresh, i)
	tr.past.chunks = 0
	tr.open = bucketState{}
	tr.closeGap()
	if last, ok := tr.last(); ok {
		// Its newest bucket may still be given a break, if it has none.
		c := tr.chunks[i-1]
		tr.open = bucketState{valid: true, index: floorDiv(last.t, tr.bucket), start: len(c.pts)}
		tr.open.broken = slices.ContainsFunc(c.pts, func(p point) bool {
			return math.IsNaN(p.v) && floorDiv(p.t, tr.bucket) == tr.open.index
		})
	}
	return index * tr.span()
}

// closeGap takes the break at the end away if it stands for a silence, which
// may have been none: what is added next says so. A break that a NaN made has
// a time of its own.
func (tr *trace) closeGap() {
	n := len(tr.chunks)
	if n == 0 {
		return
	}
	c := tr.chunks[n-1]
	if k := len(c.pts); k > 1 && math.IsNaN(c.pts[k-1].v) && c.pts[k-1].t == c.pts[k-2].t {
		c.pts = c.pts[:k-1]
		c.dirty = min(c.dirty, k-1)
		tr.fresh = min(tr.fresh, n-1)
	}
}

// trim drops the chunks that end before t. The newest one stays: its end is
// where the line goes on.
func (tr *trace) trim(t int64) {
	n := 0
	for n < len(tr.chunks)-1 && (tr.chunks[n].index+1)*tr.span() <= t {
		n++
	}
	if n > 0 {
		tr.chunks = slices.Delete(tr.chunks, 0, n)
		tr.fresh, tr.gone = max(tr.fresh-n, 0), tr.gone+n
		tr.past.chunks = 0
	}
}
