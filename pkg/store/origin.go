package store

// From returns an Appender to the store that notes on each series which origin
// its newest sample has: the name of a source. Taking the same name once more
// is another Appender of the same origin.
func (s *Store) From(origin string) Appender { return &from{store: s, origin: &origin} }

// from is an Appender of one origin.
type from struct {
	store  *Store
	origin *string
}

// Append implements Appender.
func (f *from) Append(metric string, labels Labels, t int64, v float64) error {
	return f.store.append(f.origin, metric, labels, t, v)
}

// AppendAll implements Clocked.
func (f *from) AppendAll(now int64, points []Point) []Refusal {
	return f.store.appendAll(now, f.origin, points)
}

// Origin returns where the newest sample came from, as Store.From was told; ""
// if nobody said.
func (s *Series) Origin() string {
	if o := s.origin.Load(); o != nil {
		return *o
	}
	return ""
}

// comeFrom notes where a sample came from. That changes next to never, so it is
// looked at rather than written.
func (s *Series) comeFrom(origin *string) {
	if origin != nil && s.origin.Load() != origin {
		s.origin.Store(origin)
	}
}
