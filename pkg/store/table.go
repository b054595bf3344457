package store

import (
	"sync"
	"sync/atomic"
)

// table finds series by their names. Finding takes no lock and writes nothing, so
// that appenders do not take memory from each other's caches; changes take turns.
type table struct {
	slots atomic.Pointer[[]slot]

	mu       sync.Mutex // of who changes
	used     int        // slots that are not empty
	series   int        // slots that hold a series
	appended uint64     // samples that were taken in by series that are gone
	removed  Series     // stands where one was
}

// slot is a place in the table. It is filled once, and then only emptied of its
// series; the next table has room again.
type slot struct {
	hash   uint64 // written before series
	series atomic.Pointer[Series]
}

// minSlots is the size of the smallest table, a power of two like all of them.
const minSlots = 256

func (t *table) init() {
	slots := make([]slot, minSlots)
	t.slots.Store(&slots)
}

// find returns the series of this key, whose hash is h, with so many labels, or
// nil.
func (t *table) find(h uint64, key []byte, labels int) *Series {
	slots := *t.slots.Load()
	for i := h; ; i++ {
		// A series begins its search at the place that its hash says, and there is
		// always an empty slot behind.
		s := &slots[i&uint64(len(slots)-1)]
		sr := s.series.Load()
		if sr == nil {
			return nil
		}
		if s.hash == h && sr.key == string(key) && len(sr.labels) == labels && sr != &t.removed {
			return sr
		}
	}
}

// add adds sr, unless there is one of its names; it returns the one that is there.
func (t *table) add(sr *Series) *Series {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.find(sr.hash, []byte(sr.key), len(sr.labels)); old != nil {
		return old
	}
	if slots := *t.slots.Load(); 2*(t.used+1) > len(slots) {
		t.rebuild()
	}
	put(*t.slots.Load(), sr)
	t.used++
	t.series++
	return sr
}

// rebuild makes a table in which at most a quarter is used. Who still looks into
// the old one does not find what is added to the new one, and looks again when it
// is about to add the same.
func (t *table) rebuild() {
	n := minSlots
	for n < 4*(t.series+1) {
		n *= 2
	}
	slots := make([]slot, n)
	for _, sr := range t.list() {
		put(slots, sr)
	}
	t.used = t.series
	t.slots.Store(&slots)
}

// put puts sr into the first empty slot for it.
func put(slots []slot, sr *Series) {
	for i := sr.hash; ; i++ {
		s := &slots[i&uint64(len(slots)-1)]
		if s.series.Load() == nil {
			s.hash = sr.hash
			s.series.Store(sr)
			return
		}
	}
}

// remove unlinks sr, which was dropped, if it is still there.
func (t *table) remove(sr *Series) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slots := *t.slots.Load()
	for i := sr.hash; ; i++ {
		s := &slots[i&uint64(len(slots)-1)]
		switch s.series.Load() {
		case nil:
			return
		case sr:
			s.series.Store(&t.removed)
			t.series--
			t.appended += sr.appended // which a dropped series does not change
			return
		}
	}
}

// all returns the series that there are, and how many samples those took in that
// are gone.
func (t *table) all() (list []*Series, appended uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.list(), t.appended
}

// list returns the series that there are; t.mu is held.
func (t *table) list() []*Series {
	out := make([]*Series, 0, t.series)
	slots := *t.slots.Load()
	for i := range slots {
		if sr := slots[i].series.Load(); sr != nil && sr != &t.removed {
			out = append(out, sr)
		}
	}
	return out
}
