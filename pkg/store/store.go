package store

import (
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Appender takes samples in. It is safe for concurrent use.
type Appender interface {
	// Append adds a sample to the series of this metric and these labels,
	// which comes into being if need be: value v at time t, in ms since the
	// Unix epoch. Labels must be as LabelsOf returns them.
	//
	// It keeps no reference to metric and labels: the caller may reuse both.
	//
	// A refused sample changes nothing; the error is, or wraps, ErrTooOld,
	// ErrTooNew, ErrInfinite, a *LimitError or a *NameError.
	Append(metric string, labels Labels, t int64, v float64) error
}

// Querier finds series. It is safe for concurrent use.
type Querier interface {
	// Select returns the series of a metric that fulfil all matchers, sorted by
	// labels. The slice may be shared: it must not be changed.
	Select(metric string, ms []Matcher) []*Series
	// Generation changes whenever a series is created or dropped. Who read it
	// before a Select may keep the result until it differs.
	Generation() uint64
	// Derive makes a series of the caller's own, which Select does not find but
	// which shares the room of the others; see Derived.
	Derive(metric string, labels Labels) (*Derived, error)
}

// Store holds series in memory. It starts no goroutine: what is too old is
// swept now and then by whoever comes by.
//
// A sample's way is: hash, look into the table, one series' lock. No function holds
// two locks, and none is held while a reader looks at samples.
type Store struct {
	maxAge     int64 // ms
	maxSamples int
	maxSeries  int64
	budget     budget
	seed       maphash.Seed

	table      table
	index      index
	series     atomic.Int64 // that exist
	lastID     atomic.Uint64
	generation atomic.Uint64
	nextSweep  atomic.Int64 // ms since the Unix epoch
	rejected   [reasonCount]atomic.Uint64
}

// New returns an empty store. cfg must be valid. If reg is not nil, the store's
// metrics are registered with it, which panics if another store's already are.
func New(cfg Config, reg prometheus.Registerer) *Store {
	s := &Store{
		maxAge:     cfg.MaxAge.Millis(),
		maxSamples: cfg.MaxSamples,
		maxSeries:  int64(cfg.MaxSeries),
		budget:     budget{limit: int64(cfg.MaxTotal)},
		seed:       maphash.MakeSeed(),
		index:      index{entries: map[string]*entry{}},
	}
	s.table.init()
	if reg != nil {
		reg.MustRegister(collector{s})
	}
	return s
}

// Generation implements Querier.
func (s *Store) Generation() uint64 { return s.generation.Load() }

// Select implements Querier.
func (s *Store) Select(metric string, ms []Matcher) []*Series {
	s.maybeSweep(time.Now().UnixMilli())
	all := s.index.get(metric)
	if len(ms) == 0 {
		return all
	}
	var out []*Series
	for _, sr := range all {
		if !slices.ContainsFunc(ms, func(m Matcher) bool { return !m.Matches(sr.labels) }) {
			out = append(out, sr)
		}
	}
	return out
}

// Append implements Appender.
func (s *Store) Append(metric string, labels Labels, t int64, v float64) error {
	return s.append(nil, metric, labels, t, v)
}

// AppendAll implements Clocked.
func (s *Store) AppendAll(now int64, points []Point) []Refusal { return s.appendAll(now, nil, points) }

func (s *Store) append(origin *string, metric string, labels Labels, t int64, v float64) error {
	one := [...]Point{{metric, labels, Sample{t, v}}}
	if refused := s.appendAll(time.Now().UnixMilli(), origin, one[:]); refused != nil {
		return refused[0].Err
	}
	return nil
}

// appendAll appends points, and counts those that are refused. origin says where
// they come from; nil does not.
func (s *Store) appendAll(now int64, origin *string, points []Point) (refused []Refusal) {
	s.maybeSweep(now)
	var room [256]byte
	key, ours := room[:0], 0 // of the point before, and how much of it is of its labels
	var labels Labels        // of the point before
	for i := range points {
		p := &points[i]
		if i == 0 || !p.Labels.same(labels) {
			labels = p.Labels
			key = labels.appendKey(key[:0])
			ours = len(key)
		}
		key = append(key[:ours], p.Metric...)
		if err := s.take(now, origin, p, key); err != nil {
			s.rejected[reasonOf(err)].Add(1)
			refused = append(refused, Refusal{i, err})
		}
	}
	return refused
}

// take appends a point whose names are in key, see Series.key.
func (s *Store) take(now int64, origin *string, p *Point, key []byte) error {
	oldest := now - s.maxAge
	switch {
	case math.IsInf(p.Sample.V, 0):
		return ErrInfinite
	case p.Sample.T < oldest:
		return tooOld(p.Sample.T, oldest)
	case p.Sample.T > now+s.maxAge:
		return tooNew(p.Sample.T, now+s.maxAge)
	}
	// It is seeded, so that nobody outside can make many series of one hash.
	hash := maphash.Bytes(s.seed, key)
	for {
		sr := s.table.find(hash, key, len(p.Labels))
		if sr == nil {
			var err error
			if sr, err = s.create(hash, p.Metric, p.Labels); err != nil {
				return err
			}
		}
		err := sr.append(p.Sample, oldest, s.maxSamples)
		if err == nil {
			sr.comeFrom(origin)
			return nil
		}
		if !errors.Is(err, errDropped) {
			return err
		}
		// A sweep is about to unlink it; whoever is first does.
		s.table.remove(sr)
	}
}

// create returns the series of these names, which it makes unless another
// appender just has.
func (s *Store) create(h uint64, metric string, labels Labels) (*Series, error) {
	if err := checkNames(metric, labels); err != nil {
		return nil, err
	}
	if s.series.Add(1) > s.maxSeries {
		s.series.Add(-1)
		return nil, &LimitError{Setting: "store.max_series", Limit: int(s.maxSeries)}
	}
	w, ok := newWindow(&s.budget)
	if !ok {
		s.series.Add(-1)
		return nil, &LimitError{Setting: "store.max_total", Limit: int(s.budget.limit)}
	}
	mine := &Series{hash: h, id: s.lastID.Add(1), w: w}
	mine.name(metric, labels)
	if sr := s.table.add(mine); sr != mine {
		mine.w.release()
		s.series.Add(-1)
		return sr, nil
	}
	s.index.add(mine)
	mine.markListed()
	s.generation.Add(1)
	return mine, nil
}
