package store

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Sample is one value at one time.
type Sample struct {
	// T is the time in ms since the Unix epoch.
	T int64
	// V is the value; NaN is a gap.
	V float64
}

// Series is the recent past of one metric with one set of labels. It is safe
// for concurrent use. A dropped series stays readable, and empty.
type Series struct {
	// What an append looks at comes first and together: to wait for memory is what
	// costs it most.

	// key is each label's name and value, and then the metric, with a zero byte in
	// between: what is compared is in one place. No name has a zero byte in it; one
	// that has looks like more labels than there are, which are compared as well.
	key    string
	labels Labels // parts of key, and so is metric
	origin atomic.Pointer[string]

	mu       sync.Mutex // of what follows, up to rewinds
	appended uint64     // samples ever taken in
	w        window
	taken    uint64 // samples ever taken in that were not there
	dropped  bool
	listed   bool    // in the index; before that it is not dropped, or it would stay there
	rev      uint64  // changes of history so far
	rewinds  rewinds // where they were

	hash   uint64 // of key
	id     uint64 // unique in the store, never 0
	metric string
}

// Cursor is a place in one series up to which a reader has read. It is a
// comparable value. The zero Cursor has read nothing.
type Cursor struct {
	series uint64 // which one: a series that was dropped and came back is another
	taken  uint64 // Series.taken at this place
	rev    uint64 // Series.rev at this place
	newest int64  // time of the newest sample before this place
}

// name gives the series its names, which it copies, so that what is kept does not
// pin the request that they were cut from.
func (s *Series) name(metric string, labels Labels) {
	s.key = string(append(labels.appendKey(nil), metric...))
	rest := s.key
	cut := func(n int) string {
		text := rest[:n]
		rest = rest[min(n+1, len(rest)):]
		return text
	}
	if len(labels) > 0 {
		s.labels = make(Labels, len(labels))
	}
	for i := range labels {
		s.labels[i] = Label{cut(len(labels[i].Name)), cut(len(labels[i].Value))}
	}
	s.metric = cut(len(metric))
}

// Metric returns the metric's name.
func (s *Series) Metric() string { return s.metric }

// Labels returns the labels. They must not be changed.
func (s *Series) Labels() Labels { return s.labels }

// String returns the metric and the labels as Prometheus writes them.
func (s *Series) String() string { return s.metric + s.labels.String() }

// Last returns the newest sample; ok is false if there is none.
func (s *Series) Last() (last Sample, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w.n == 0 {
		return Sample{}, false
	}
	return s.w.newest(), true
}

// First returns the oldest sample that is held; ok is false if there is none.
func (s *Series) First() (first Sample, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w.n == 0 {
		return Sample{}, false
	}
	return s.w.oldest(), true
}

// Len returns how many samples the series holds.
func (s *Series) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.n
}

// Each calls fn with the samples of from <= T <= to in time order, in blocks
// that are valid only during the call and must not be changed. All are of one
// moment, and fn runs without any lock. Each returns the cursor behind
// everything that the series held at that moment, whatever to was.
func (s *Series) Each(from, to int64, fn func(block []Sample)) Cursor {
	return s.EachSummed(from, to, func(b Block) { fn(b.Samples) })
}

// EachSummed is Each for a reader that can make do with the extremes of a block
// where they are known. If fn does not look at the samples of summed blocks, it
// costs as much as there are blocks, of about a thousand samples each.
func (s *Series) EachSummed(from, to int64, fn func(Block)) Cursor {
	s.mu.Lock()
	v, c := s.w.view, s.cursor()
	s.w.pins++
	s.mu.Unlock()
	defer s.unpin()
	v.each(from, to, fn)
	return c
}

// Since appends to dst the samples that were appended behind c, and returns it
// with the cursor behind them. Without news it returns dst and c; with one new
// sample it costs some tens of ns and does not allocate if dst has room.
//
// If history changed since c (a late sample was inserted, a value replaced, or c
// belongs to another series), rewound is true, and dst and c are returned as they
// were. What the reader has from before time from still stands; from there on it
// must read again, with Reread. Samples that left because they were too old or
// too many are no change of history.
func (s *Series) Since(c Cursor, dst []Sample) (samples []Sample, next Cursor, from int64, rewound bool) {
	s.mu.Lock()
	if c == (Cursor{}) {
		c = Cursor{series: s.id, rev: s.rev}
	}
	if from = s.standsBefore(c); from != math.MaxInt64 {
		s.mu.Unlock()
		return dst, c, from, true
	}
	// What came and left again between two readings is not missed.
	news := int(min(s.taken-c.taken, uint64(s.w.n)))
	next = s.cursor()
	if news <= len(s.w.tail) {
		dst = append(dst, s.w.tail[len(s.w.tail)-news:]...)
		s.mu.Unlock()
		return dst, next, 0, false
	}
	v := s.w.view
	s.w.pins++
	s.mu.Unlock()
	defer s.unpin()
	return v.appendNewest(dst, news), next, 0, false
}

// Reread is how a reader at c continues after a rewind. It calls begin once with
// the time from which on the reader's samples no longer stand (at most one ms
// past its newest). The reader forgets what it has from then on, or from any
// earlier time that suits it, and returns that time; fn is then called, as by
// Each, with everything from there on. A reader that shows only a window may
// return the window's start if that is later. next is the cursor behind it all.
//
// It is what Since and then Each cannot be: safe against a change of history
// between the two.
func (s *Series) Reread(c Cursor, begin func(from int64) int64, fn func(block []Sample)) (next Cursor) {
	return s.RereadSummed(c, begin, func(b Block) { fn(b.Samples) })
}

// RereadSummed is to Reread what EachSummed is to Each.
func (s *Series) RereadSummed(c Cursor, begin func(from int64) int64, fn func(Block)) (next Cursor) {
	s.mu.Lock()
	from := min(s.standsBefore(c), c.newest+1)
	v, next := s.w.view, s.cursor()
	s.w.pins++
	s.mu.Unlock()
	defer s.unpin()
	v.each(begin(from), math.MaxInt64, fn)
	return next
}

// standsBefore returns the time before which a reader at c still has what the
// series holds; MaxInt64 if all that it has stands.
func (s *Series) standsBefore(c Cursor) int64 {
	switch {
	case c.series != s.id:
		return math.MinInt64
	case c.rev == s.rev:
		return math.MaxInt64
	}
	// What was appended behind c has to be read, too.
	return min(s.rewinds.since(c.rev), c.newest+1)
}

func (s *Series) cursor() Cursor {
	c := Cursor{s.id, s.taken, s.rev, math.MinInt64}
	if s.w.n > 0 {
		c.newest = s.w.newest().T
	}
	return c
}

func (s *Series) unpin() {
	s.mu.Lock()
	s.w.pins--
	s.mu.Unlock()
}

// errDropped says that a series was dropped between being found and being
// appended to: look again.
var errDropped = errors.New("series was dropped")

// append takes a sample in, whose time the store has checked against the
// present.
func (s *Series) append(sample Sample, oldest int64, maxSamples int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped {
		return errDropped
	}
	w := &s.w
	w.expire(oldest)
	switch {
	case sample.T <= w.floor || w.n == maxSamples && sample.T < w.oldest().T:
		return tooOld(sample.T, max(w.floor+1, oldest))
	case w.n == 0 || sample.T > w.newest().T:
		w.push(sample)
		s.taken++
	default:
		held := w.n
		changed, ok := w.insert(sample)
		if !ok {
			return tooOld(sample.T, w.floor+1)
		}
		if changed {
			s.rev++
			s.rewinds = s.rewinds.note(s.rev, sample.T)
		}
		if w.n > held {
			s.taken++
		}
	}
	if w.n > maxSamples {
		w.drop(w.n - maxSamples)
	}
	s.appended++
	return nil
}

// counts returns how many samples are held, and how many were ever taken in.
func (s *Series) counts() (held int, appended uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.n, s.appended
}

// markListed says that the index has the series.
func (s *Series) markListed() {
	s.mu.Lock()
	s.listed = true
	s.mu.Unlock()
}

// expire drops samples before a time. If none is left, it drops the series too
// and reports true, once.
func (s *Series) expire(before int64) (dropped bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped {
		return false
	}
	s.w.expire(before)
	if s.w.n > 0 || !s.listed {
		return false
	}
	s.dropped = true
	s.w.release()
	return true
}

func tooOld(t, oldest int64) error {
	return fmt.Errorf("%w: t %d is %s; the oldest that is taken is %s",
		ErrTooOld, t, stamp(t), stamp(oldest))
}

func tooNew(t, newest int64) error {
	return fmt.Errorf("%w: t %d is %s; the newest that is taken is %s",
		ErrTooNew, t, stamp(t), stamp(newest))
}

// stamp writes a time so that a wrong unit is seen at once.
func stamp(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return "not a time in ms since 1970"
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}
