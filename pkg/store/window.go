package store

import (
	"math"
	"slices"
)

// window is the samples of one series in blocks, ordered by time. Its owner
// locks it.
//
// Readers look at a view of it without the lock. What makes that safe is one
// rule: while pins > 0, memory that a view can show is never written. Appending
// writes behind what views show and needs no care; whatever else writes copies
// first if there are pins.
//
// Invariants: no block is empty, unless the window is; sealed blocks have room
// for blockSize samples, and so has the tail once there are any.
type window struct {
	view
	n      int   // samples held
	since  int64 // no sample is older; the oldest may be younger
	floor  int64 // time of the newest sample that was dropped
	pins   int   // readers that hold a view
	budget *budget
}

// newWindow returns an empty window with room for a first block, or false if
// the budget has none.
func newWindow(b *budget) (w window, ok bool) {
	if !b.take(minBlock) {
		return window{}, false
	}
	return window{view: view{tail: make([]Sample, 0, minBlock)}, floor: math.MinInt64, budget: b}, true
}

// newest returns the sample with the greatest time; the window is not empty.
func (w *window) newest() Sample { return w.tail[len(w.tail)-1] }

// oldest returns the sample with the least time; the window is not empty.
func (w *window) oldest() Sample { return w.block(0)[w.head] }

// push adds a sample that is newer than all others.
func (w *window) push(s Sample) {
	if len(w.tail) == cap(w.tail) {
		w.makeRoom()
	}
	if w.n == 0 {
		w.since = s.T
	}
	w.tail = append(w.tail, s)
	w.n++
}

// makeRoom makes the tail, which is full, take one more sample. If the budget is
// spent, the window's own oldest samples give way.
func (w *window) makeRoom() {
	for {
		switch {
		case len(w.sealed) == 0 && w.head > 0 && w.head >= len(w.tail)/2:
			w.slide()
			return
		case cap(w.tail) < blockSize && w.budget.take(cap(w.tail)):
			w.tail = append(make([]Sample, 0, 2*cap(w.tail)), w.tail...)
			return
		case cap(w.tail) == blockSize && w.budget.take(blockSize):
			w.sealed = append(w.sealed, summarize(w.tail))
			w.tail = make([]Sample, 0, blockSize)
			return
		case len(w.sealed) > 0:
			w.drop(len(w.sealed[0].Samples) - w.head)
		default:
			w.drop((w.n + 1) / 2)
		}
	}
}

// insert puts a sample in its place that is newer than floor but not newer than
// all others. changed is false if that very sample was there. ok is false if the
// budget is spent and the sample is among the oldest, which had to give way.
func (w *window) insert(s Sample) (changed, ok bool) {
	for {
		i := w.find(s.T)
		b := w.block(i)
		at := search(b, s.T)
		if b[at].T == s.T {
			old := b[at]
			if math.Float64bits(old.V) == math.Float64bits(s.V) {
				return false, true
			}
			b = w.writable(b)
			b[at] = s
			if i == len(w.sealed) {
				w.tail = b
			} else {
				w.setSealed(i, w.sealed[i].replaced(b, old, s))
			}
			return true, true
		}
		if len(b) < cap(b) {
			b = slices.Insert(w.writable(b), at, s)
			if i == len(w.sealed) {
				w.tail = b
			} else {
				w.setSealed(i, w.sealed[i].inserted(b, s))
			}
			w.since = min(w.since, s.T)
			w.n++
			return true, true
		}
		switch {
		case i == 0 && w.head > 0:
			w.slide()
		case cap(b) < blockSize && w.budget.take(cap(b)):
			w.tail = append(make([]Sample, 0, 2*cap(b)), b...)
		case cap(b) == blockSize && w.budget.take(blockSize):
			w.split(i)
		case i > 0:
			w.drop(len(w.sealed[0].Samples) - w.head)
		default:
			w.drop((len(b) + 1) / 2)
			if s.T <= w.floor {
				return false, false
			}
		}
	}
}

// split cuts block i, which is full, in two halves.
func (w *window) split(i int) {
	b := w.block(i)
	left := append(make([]Sample, 0, blockSize), b[:len(b)/2]...)
	right := append(make([]Sample, 0, blockSize), b[len(b)/2:]...)
	w.set(i, right)
	w.sealed = slices.Insert(slices.Clip(w.sealed), i, summarize(left))
}

// slide moves the samples of the first block to its front, over those that no
// longer count.
func (w *window) slide() {
	b := w.block(0)
	if w.pins > 0 {
		w.set(0, append(make([]Sample, 0, cap(b)), b[w.head:]...))
	} else {
		w.set(0, b[:copy(b, b[w.head:])])
	}
	w.head = 0
}

// expire drops the samples before a time. As long as none can be, it looks at
// none: where the oldest is, nobody has been for long.
func (w *window) expire(before int64) {
	if w.since >= before {
		return
	}
	for w.n > 0 && w.oldest().T < before {
		b := w.block(0)[w.head:]
		k := 1
		for k < len(b) && b[k].T < before {
			k++
		}
		w.drop(k)
	}
	if w.n > 0 {
		w.since = w.oldest().T
	}
}

// drop drops the k oldest samples; the window holds that many.
func (w *window) drop(k int) {
	for k > 0 {
		b := w.block(0)
		here := min(k, len(b)-w.head)
		w.head += here
		w.floor = b[w.head-1].T
		w.n -= here
		k -= here
		if w.head == len(b) {
			w.dropBlock()
		}
	}
}

// truncate drops the samples from a time on; the window has one.
func (w *window) truncate(from int64) {
	i := w.find(from)
	b := w.block(i)
	k := search(b, from)
	if i == 0 {
		k = max(k, w.head)
	}
	if i > 0 && k == 0 { // no block is empty
		i--
		b = w.block(i)
		k = len(b)
	}
	w.budget.give(blockSize*(len(w.sealed)-i) + cap(w.tail) - cap(b))
	if i < len(w.sealed) {
		if w.pins == 0 {
			clear(w.sealed[i:])
		}
		w.sealed = w.sealed[:i:i]
	}
	w.tail = b[:k]
	if w.pins > 0 { // what is appended must not be written over what views show
		w.tail = append(make([]Sample, 0, cap(b)), b[:k]...)
	}
	if i == 0 && k == w.head {
		w.tail, w.head = w.tail[:0], 0
	}
	w.n = len(w.tail) - w.head
	for _, s := range w.sealed {
		w.n += len(s.Samples)
	}
}

// dropBlock drops the first block, none of whose samples count.
func (w *window) dropBlock() {
	w.head = 0
	switch {
	case len(w.sealed) == 0 && w.pins > 0:
		w.tail = make([]Sample, 0, cap(w.tail))
		return
	case len(w.sealed) == 0:
		w.tail = w.tail[:0]
		return
	}
	w.budget.give(blockSize)
	if w.pins > 0 {
		w.sealed = slices.Clone(w.sealed[1:])
	} else {
		w.sealed[0] = Block{} // the array behind the slice lives on
		w.sealed = w.sealed[1:]
	}
}

// release returns the window's room to the budget; it cannot be used further.
func (w *window) release() {
	w.budget.give(blockSize*len(w.sealed) + cap(w.tail))
	w.sealed, w.tail, w.head, w.n = nil, nil, 0, 0
}

// writable returns the samples of a block for writing: the block's own, or a
// copy, which the caller puts in their place.
func (w *window) writable(b []Sample) []Sample {
	if w.pins > 0 {
		return append(make([]Sample, 0, cap(b)), b...)
	}
	return b
}

// set makes b the samples of block i.
func (w *window) set(i int, b []Sample) {
	if i == len(w.sealed) {
		w.tail = b
		return
	}
	w.setSealed(i, summarize(b))
}

// setSealed makes b block i, which is not the tail.
func (w *window) setSealed(i int, b Block) {
	if w.pins > 0 {
		w.sealed = slices.Clone(w.sealed)
	}
	w.sealed[i] = b
}
