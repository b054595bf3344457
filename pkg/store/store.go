package store

import (
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
	// labels. The slice is shared: it must not be changed.
	Select(metric string, ms []Matcher) []*Series
	// Generation changes whenever a series is created or dropped. While it
	// stays the same, Select returns the same.
	Generation() uint64
}

// Store holds series in memory. It starts no goroutine: what has to be swept
// is swept now and then by whoever comes by.
type Store struct{}

// New returns an empty store whose metrics are registered with reg. reg may be
// nil.
func New(cfg Config, reg prometheus.Registerer) *Store { return &Store{} }

// Append implements Appender.
func (s *Store) Append(metric string, labels Labels, t int64, v float64) error { return nil }

// Select implements Querier.
func (s *Store) Select(metric string, ms []Matcher) []*Series { return nil }

// Generation implements Querier.
func (s *Store) Generation() uint64 { return 0 }
