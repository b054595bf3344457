package plotting

import (
	"math"
	"slices"
	"strconv"
)

// chunkBuckets is how many buckets, each about a px wide, make a chunk: short
// enough that an append touches a short path, long enough that a chart has few.
const chunkBuckets = 64

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
