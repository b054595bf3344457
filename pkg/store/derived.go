package store

import (
	"math"
	"sync"
)

// Derived is a series that a reader computes from others. It is read like any
// other, by its Series, but is in no index: nobody else finds it, it counts as
// none of Config.MaxSeries, and no sweep touches it. Its samples take their room
// from Config.MaxTotal; when that is spent, its own oldest samples give way.
//
// Whoever made it is the only one to change it. The Series is safe for
// concurrent use all the same.
type Derived struct {
	series     *Series
	maxSamples int
	close      sync.Once
}

// Derive returns a new, empty series of this metric and these labels, which
// must be as LabelsOf returns them and are kept. The error is a *LimitError if
// there is no room for it. It holds its room until it is closed.
func (s *Store) Derive(metric string, labels Labels) (*Derived, error) {
	w, ok := newWindow(&s.budget)
	if !ok {
		return nil, &LimitError{Setting: "store.max_total", Limit: int(s.budget.limit)}
	}
	return &Derived{
		series:     &Series{metric: metric, labels: labels, id: s.lastID.Add(1), w: w, listed: true},
		maxSamples: s.maxSamples,
	}, nil
}

// Series returns the series by which d is read.
func (d *Derived) Series() *Series { return d.series }

// Of says that what d holds is made of s, whose origin is d's then.
func (d *Derived) Of(s *Series) { d.series.comeFrom(s.origin.Load()) }

// Append adds a sample: value v at time t, in ms since the Unix epoch. One that
// is not newer than all others changes nothing, and neither does one of a closed
// series. An infinite value, which no axis can show, becomes a gap.
func (d *Derived) Append(t int64, v float64) {
	s := d.series
	if math.IsInf(v, 0) {
		v = math.NaN()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped || s.w.n > 0 && t <= s.w.newest().T {
		return
	}
	s.w.push(Sample{t, v})
	s.taken++
	if s.w.n > d.maxSamples {
		s.w.drop(s.w.n - d.maxSamples)
	}
}

// Truncate drops the samples from time t on, which is a change of history there
// for every reader that has seen one of them. Samples may then be appended from
// t on.
func (d *Derived) Truncate(t int64) {
	s := d.series
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w.n == 0 || s.w.newest().T < t {
		return
	}
	s.w.truncate(t)
	s.rev++
	s.rewinds = s.rewinds.note(s.rev, t)
}

// Expire drops the samples before time t, which is no change of history.
func (d *Derived) Expire(t int64) {
	s := d.series
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w.expire(t)
}

// Close drops all samples and returns their room to the store. The series stays
// readable, and empty.
func (d *Derived) Close() {
	d.close.Do(func() {
		s := d.series
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dropped = true
		s.w.release()
	})
}
