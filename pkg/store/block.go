package store

import (
	"sort"
	"sync/atomic"
)

const (
	// blockSize is how many samples a full block holds: 16 KiB, which the
	// allocator still serves from its caches.
	blockSize = 1024
	// minBlock is the size of a series' first block, which doubles until it is
	// full-sized: ten thousand short series should not cost 160 MB.
	minBlock = 32
)

// budget is the room that all series share, in samples. It counts what blocks
// can hold rather than what they do, because that is what memory is taken by.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take reserves room for n samples; false if there is none.
func (b *budget) take(n int) bool {
	if b.used.Add(int64(n)) <= b.limit {
		return true
	}
	b.used.Add(-int64(n))
	return false
}

// give returns room for n samples.
func (b *budget) give(n int) { b.used.Add(-int64(n)) }

// view is what a window held at one moment. The samples it shows are not
// written while the window is pinned.
type view struct {
	sealed []Block  // each summed, unless it has a gap
	tail   []Sample // grows too often to be summed
	head   int      // samples of the first block that no longer count
}

func (v view) block(i int) []Sample {
	if i < len(v.sealed) {
		return v.sealed[i].Samples
	}
	return v.tail
}

// find returns the first block whose last sample is not before t; it may be one
// past the last.
func (v view) find(t int64) int {
	i := sort.Search(len(v.sealed), func(i int) bool {
		b := v.sealed[i].Samples
		return b[len(b)-1].T >= t
	})
	if i == len(v.sealed) && (len(v.tail) == 0 || v.tail[len(v.tail)-1].T < t) {
		i++
	}
	return i
}

// each calls fn with the samples of from <= T <= to. Of the samples themselves
// it looks only at some of the first block and of the last.
func (v view) each(from, to int64, fn func(Block)) {
	first, last := v.find(from), v.find(to)
	for i := first; i <= min(last, len(v.sealed)); i++ {
		b := v.block(i)
		lo, hi := 0, len(b)
		if i == 0 {
			lo = v.head
		}
		if i == first {
			lo += search(b[lo:], from)
		}
		if i == last {
			hi = lo + search(b[lo:], to)
			if hi < len(b) && b[hi].T == to {
				hi++
			}
		}
		switch {
		case lo >= hi:
		case i < len(v.sealed) && hi-lo == len(b):
			whole := v.sealed[i]
			whole.Samples = b[:hi:hi]
			fn(whole)
		default:
			fn(Block{Samples: b[lo:hi:hi]})
		}
	}
}

// appendNewest appends the k newest samples to dst; the view holds that many.
func (v view) appendNewest(dst []Sample, k int) []Sample {
	i, skip := len(v.sealed), 0
	for {
		held := len(v.block(i))
		if i == 0 {
			held -= v.head
		}
		if k <= held {
			skip = len(v.block(i)) - k
			break
		}
		k -= held
		i--
	}
	for ; i <= len(v.sealed); i++ {
		dst = append(dst, v.block(i)[skip:]...)
		skip = 0
	}
	return dst
}

// search returns how many samples of a block are before t.
func search(b []Sample, t int64) int {
	return sort.Search(len(b), func(i int) bool { return b[i].T >= t })
}
