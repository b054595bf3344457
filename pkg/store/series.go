package store

// Sample is one value at one time.
type Sample struct {
	// T is the time in ms since the Unix epoch.
	T int64
	// V is the value; NaN is a gap.
	V float64
}

// Series is the recent past of one metric with one set of labels. It is safe
// for concurrent use. A dropped series stays readable but receives no more.
type Series struct {
	metric string
	labels Labels
}

// Cursor is a place in one series up to which a reader has read. It is a
// comparable value. The zero Cursor has read nothing.
type Cursor struct {
	series uint64 // which series, so that one that was dropped and came back is another
	pos    uint64 // samples ever taken in before this place
	rev    uint64 // changes of history before this place
}

// Metric returns the metric's name.
func (s *Series) Metric() string { return s.metric }

// Labels returns the labels. They must not be changed.
func (s *Series) Labels() Labels { return s.labels }

// Last returns the newest sample; ok is false if there is none.
func (s *Series) Last() (last Sample, ok bool) { return Sample{}, false }

// Each calls fn with the samples of from <= T <= to in time order, in blocks
// that are valid only during the call and must not be changed. All are of one
// moment, and fn runs without any lock. Each returns the cursor behind
// everything that the series held at that moment, whatever to was.
func (s *Series) Each(from, to int64, fn func(block []Sample)) Cursor { return Cursor{} }

// Since appends to dst the samples that were appended behind c, and returns it
// with the cursor behind them. Without news it returns dst and c; with one new
// sample it costs some tens of ns and does not allocate if dst has room.
//
// If history changed since c (a late sample was inserted, a value replaced, or c
// belongs to another series), rewound is true, from is a time not later than
// the earliest change, and dst and c are returned as they were: the reader must
// read again from there on with Each, which gives the new cursor. Samples that
// left because they were too old or too many are no change of history.
func (s *Series) Since(c Cursor, dst []Sample) (samples []Sample, next Cursor, from int64, rewound bool) {
	return dst, c, 0, false
}
