package source

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/store"
)

// Manager runs sources and keeps them running: one that errs or panics is run
// again, and none stops another.
type Manager struct{}

// Status is how one source is doing.
type Status struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Up says whether the source runs now, rather than waiting to be retried.
	Up bool `json:"up"`
	// Last is when its newest sample was taken in; zero if none was.
	Last time.Time `json:"last,omitzero"`
	// Samples counts what was taken in, Rejected what the store refused.
	Samples  uint64 `json:"samples"`
	Rejected uint64 `json:"rejected"`
	// Skipped counts values that the source left out on purpose.
	Skipped uint64 `json:"skipped"`
	// Rate is samples per second over about the last minute.
	Rate float64 `json:"rate"`
	// Errors counts the runs that ended in an error; Error is the last one's
	// text, empty once the source has brought a sample again.
	Errors uint64 `json:"errors"`
	Error  string `json:"error,omitempty"`
	// Reject is the last reason for which the store refused a sample.
	Reject string `json:"reject,omitempty"`
}

// NewManager returns a Manager without sources, whose sources will append to
// app. Its metrics are registered with reg, which may be nil.
func NewManager(app store.Appender, logger *zap.Logger, reg prometheus.Registerer) *Manager {
	return &Manager{}
}

// Apply makes the running sources those of cfgs, by name: it starts what is
// new, stops what is gone, replaces what changed, and leaves alone what did
// not. On an error nothing has changed. Before Run it only says what to start.
// The configurations must have been validated.
func (m *Manager) Apply(cfgs map[string]Config) error { return nil }

// Run runs the sources until ctx ends, and returns when all have stopped, or
// with an error that names those that did not within a few seconds. It can be
// called once.
func (m *Manager) Run(ctx context.Context) error { return nil }

// Route returns the handler of a Receiver for r; ok is false if no source
// wants it. It follows what Apply does.
func (m *Manager) Route(r *http.Request) (h http.Handler, ok bool) { return nil, false }

// Status returns how the sources are doing, sorted by name.
func (m *Manager) Status() []Status { return nil }
