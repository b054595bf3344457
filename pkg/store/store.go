package store

import (
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"sync"
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
// A sample's way is: hash, one shard's read lock, one series' lock. No function
// holds two locks, and none is held while a reader looks at samples.
type Store struct {
	maxAge     int64 // ms
	maxSamples int
	maxSeries  int64
	budget     budget
	seed       maphash.Seed

	shards     [shardCount]shard
	index      index
	series     atomic.Int64 // that exist
	lastID     atomic.Uint64
	generation atomic.Uint64
	nextSweep  atomic.Int64 // ms since the Unix epoch
	rejected   [reasonCount]atomic.Uint64
}

// shardCount spreads appenders so that they rarely meet; a power of two.
const shardCount = 64

// shard holds the series whose hashes end in its number.
type shard struct {
	mu     sync.RWMutex
	series map[uint64][]*Series // by hash; nearly always one

	appended atomic.Uint64
	held     atomic.Int64
	_        [64]byte // the next shard's counters are another core's business
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
	for i := range s.shards {
		s.shards[i].series = map[uint64][]*Series{}
	}
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
	return s.take(time.Now().UnixMilli(), nil, metric, labels, Sample{t, v})
}

// AppendAt implements Clocked.
func (s *Store) AppendAt(now int64, metric string, labels Labels, t int64, v float64) error {
	return s.take(now, nil, metric, labels, Sample{t, v})
}

// take appends a sample, and counts it if it is refused. origin says where it
// comes from; nil does not.
func (s *Store) take(now int64, origin *string, metric string, labels Labels, sample Sample) error {
	err := s.append(now, origin, metric, labels, sample)
	if err != nil {
		s.rejected[reasonOf(err)].Add(1)
	}
	return err
}

func (s *Store) append(now int64, origin *string, metric string, labels Labels, sample Sample) error {
	if math.IsInf(sample.V, 0) {
		return ErrInfinite
	}
	s.maybeSweep(now)
	oldest := now - s.maxAge
	switch {
	case sample.T < oldest:
		return tooOld(sample.T, oldest)
	case sample.T > now+s.maxAge:
		return tooNew(sample.T, now+s.maxAge)
	}
	h := s.hash(metric, labels)
	sh := &s.shards[h%shardCount]
	for {
		sr := sh.find(h, metric, labels)
		if sr == nil {
			var err error
			if sr, err = s.create(sh, h, metric, labels); err != nil {
				return err
			}
		}
		held, err := sr.append(sample, oldest, s.maxSamples)
		if held != 0 {
			sh.held.Add(int64(held))
		}
		if err == nil {
			sr.comeFrom(origin)
			sh.appended.Add(1)
			return nil
		}
		if !errors.Is(err, errDropped) {
			return err
		}
		// A sweep is about to unlink it; whoever is first does.
		sh.remove(sr)
	}
}

// create returns the series of these names, which it makes unless another
// appender just has.
func (s *Store) create(sh *shard, h uint64, metric string, labels Labels) (*Series, error) {
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
	mine := &Series{metric: strings.Clone(metric), labels: labels.clone(), hash: h, id: s.lastID.Add(1), w: w}
	if sr := sh.add(mine); sr != mine {
		mine.w.release()
		s.series.Add(-1)
		return sr, nil
	}
	s.index.add(mine)
	mine.markListed()
	s.generation.Add(1)
	return mine, nil
}

// hash mixes the names. It need not be perfect: find compares them; and it is
// seeded, so that nobody outside can aim at one shard.
func (s *Store) hash(metric string, labels Labels) uint64 {
	// Most names are short, and one hash of all is dearer than the copy for it.
	var room [256]byte
	b := append(room[:0], metric...)
	for i := range labels {
		b = append(append(append(append(b, 0), labels[i].Name...), 0), labels[i].Value...)
	}
	return maphash.Bytes(s.seed, b)
}

// find returns the series of these names, or nil.
func (sh *shard) find(h uint64, metric string, labels Labels) *Series {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return lookup(sh.series[h], metric, labels)
}

// add adds sr, unless there is one of its names; it returns the one that is there.
func (sh *shard) add(sr *Series) *Series {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if old := lookup(sh.series[sr.hash], sr.metric, sr.labels); old != nil {
		return old
	}
	sh.series[sr.hash] = append(sh.series[sr.hash], sr)
	return sr
}

// remove unlinks sr, if it is still there.
func (sh *shard) remove(sr *Series) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	rest := slices.DeleteFunc(sh.series[sr.hash], func(o *Series) bool { return o == sr })
	if len(rest) == 0 {
		delete(sh.series, sr.hash)
		return
	}
	sh.series[sr.hash] = rest
}

func lookup(list []*Series, metric string, labels Labels) *Series {
	for _, sr := range list {
		if sr.metric == metric && slices.Equal(sr.labels, labels) {
			return sr
		}
	}
	return nil
}
