package plotting

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/chartd/chartd/pkg/store"
)

// chunkBuckets is how many buckets, each about a px wide, make a chunk: short
// enough that an append touches a short path, long enough that a chart has few.
const chunkBuckets = 64

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

// chunk is a run of chunkBuckets buckets, drawn as one path or one for each
// way in which the kind draws.
type chunk struct {
	index int64  // floorDiv(t, bucket·chunkBuckets)
	name  string // see trace.name; "" until it is drawn
	pts   []point
	// join holds the last points of the chunk before, so that the line goes on
	// across the seam, and a fill overlaps there.
	join   [2]point
	joins  int
	dirty  int     // pts before it are drawn and have not changed since
	lo, hi float64 // over all pts ever in it that count; +Inf, -Inf when empty
	drawn  []drawn // by shape; nil: not in this epoch
	// own is where drawn lies: beside the rest, as all of it is looked at together.
	own [maxShapes]drawn
}

// begins reports whether the i-th point stands behind a break.
func (c *chunk) begins(i int) bool {
	if math.IsNaN(c.pts[i].v) {
		return false
	}
	if i == 0 {
		return c.joins == 0
	}
	return math.IsNaN(c.pts[i-1].v)
}

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

// chunkFor returns the newest chunk, which has that index, starting it if need
// be.
func (tr *trace) chunkFor(index int64) *chunk {
	if n := len(tr.chunks); n > 0 && tr.chunks[n-1].index == index {
		return tr.chunks[n-1]
	}
	c := &chunk{index: index, lo: math.Inf(1), hi: math.Inf(-1)}
	if n := len(tr.chunks); n > 0 {
		prev := tr.chunks[n-1]
		tail := append(slices.Clone(prev.join[:prev.joins]), prev.pts...)
		if k := len(tail); k > 0 && !math.IsNaN(tail[k-1].v) {
			if k > 1 && !math.IsNaN(tail[k-2].v) {
				tail = tail[k-2:]
			} else {
				tail = tail[k-1:]
			}
			c.joins = copy(c.join[:], tail)
		}
	}
	tr.chunks = append(tr.chunks, c)
	tr.past.chunks = 0
	tr.fresh = min(tr.fresh, len(tr.chunks)-1)
	return c
}

// span is how long a chunk is, in ms.
func (tr *trace) span() int64 { return tr.bucket * chunkBuckets }

// goesOn reports whether the line goes on behind the i-th chunk without a break
// there.
func (tr *trace) goesOn(i int) bool {
	if i+1 == len(tr.chunks) {
		return false
	}
	pts := tr.chunks[i+1].pts
	return len(pts) > 0 && !math.IsNaN(pts[0].v)
}

// letters are the short names of chunks.
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// name returns what a chunk's paths are called, behind the number of their
// line: every patch says it, so it is a single letter as long as those who are
// there together have different ones.
func (tr *trace) name(index int64) string {
	if tr.chunks[len(tr.chunks)-1].index-tr.chunks[0].index < int64(len(letters)) {
		i := index - floorDiv(index, int64(len(letters)))*int64(len(letters))
		return letters[i : i+1]
	}
	return "." + strconv.FormatInt(index, 36)
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
