package store

import "sort"

// maxRewinds is how many changes of history are told apart.
const maxRewinds = 128

// rewind is a change of history: the samples from time t on are no longer what
// they were before change number rev.
type rewind struct {
	rev uint64
	t   int64
}

// rewinds remembers, for every change number, the earliest time that changed
// after it. Both rev and t ascend: a change hides the earlier ones at later
// times, since who has seen neither must go back to the new one anyway.
type rewinds []rewind

// note records change number rev, greater than all before, at time t.
func (r rewinds) note(rev uint64, t int64) rewinds {
	for len(r) > 0 && r[len(r)-1].t >= t {
		r = r[:len(r)-1]
	}
	if len(r) == maxRewinds {
		r = r.compact()
	}
	return append(r, rewind{rev, t})
}

// since returns a time not later than any change after number rev, of which
// there is at least one. Who missed n changes may be sent back as far as if it
// had missed n/8 more; who missed many thousands, to the beginning.
func (r rewinds) since(rev uint64) int64 {
	return r[sort.Search(len(r), func(i int) bool { return r[i].rev > rev })].t
}

// compact merges neighbours, the more the longer ago they were. Merged ones have
// the later number and the earlier time, so that nobody is told too little.
func (r rewinds) compact() rewinds {
	newest := r[len(r)-1].rev
	before := func(i int) uint64 { // the number up to which entry i does not speak
		if i == 0 {
			return 0
		}
		return r[i-1].rev
	}
	out := len(r)
	for i := len(r) - 1; i >= 0; {
		last, first := r[i].rev, i
		span := max(1, (newest-last)/8)
		if out < maxRewinds/4 { // thousands of changes: the oldest become one
			span = last
		}
		for first > 0 && last-before(first-1) <= span {
			first--
		}
		out--
		r[out] = rewind{last, r[first].t}
		i = first - 1
	}
	return r[:copy(r, r[out:])]
}
