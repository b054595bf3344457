package ticker

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/plotting"
)

// The reasons for which Acquire refuses.
var (
	// ErrTooManyViews says that the pool runs as many loops as it may.
	ErrTooManyViews = errors.New("as many different views are watched as this server allows")
	// ErrUnknownChart says that the pool has no such chart (any more).
	ErrUnknownChart = errors.New("no such chart")
	// ErrClosed says that the pool was closed.
	ErrClosed = errors.New("the pool is closed")
)

// Config is how a Pool is bounded.
type Config struct {
	// MaxViews is how many loops may run at the same time.
	MaxViews int
	// Linger is how long a loop goes on after its last watcher left, so that a
	// watcher who is back soon gets patches.
	Linger time.Duration
}

// Key names a loop. Equal keys share it.
type Key struct {
	// View is what the loop draws, under the overlays of callbacks.
	View plotting.View
	// ID is the view's id on the wire. It is View.ID(), except for a view that
	// keeps the id its watchers know while a reload changed what it shows.
	ID string
}

// KeyOf returns the usual key of a view.
func KeyOf(v plotting.View) Key { return Key{View: v, ID: v.ID()} }

// Pool runs the loops of all watched views. All methods are safe for
// concurrent use.
type Pool struct {
}

// NewPool returns a pool without charts. It counts in reg, which must not have
// another pool's metrics. Close it.
func NewPool(cfg Config, log *zap.Logger, reg prometheus.Registerer) (*Pool, error) {
	return &Pool{}, nil
}

// SetChart adds a chart or replaces the one of this name. Loops of the chart
// take it over without losing their watchers; they draw anew only if the spec
// differs.
func (p *Pool) SetChart(c *Chart) {}

// RemoveChart removes a chart and stops its loops. Leases of them are void.
func (p *Pool) RemoveChart(name string) {}

// Acquire returns a lease of the loop with this key, which is started if it
// does not run. Release it. The error is ErrTooManyViews, ErrUnknownChart or
// ErrClosed.
func (p *Pool) Acquire(k Key) (*Lease, error) { return nil, ErrClosed }

// Share lays a change over every view of the chart, from now on until the
// chart's spec changes, and pushes the views that are watched. A Reset takes
// away what was laid over before.
func (p *Pool) Share(chart string, c plotting.Change) error { return nil }

// Shared returns v under what Share laid over the views of its chart.
func (p *Pool) Shared(v plotting.View) plotting.View { return v }

// Views returns how many loops run.
func (p *Pool) Views() int { return 0 }

// Flush makes every loop draw and deliver once more, and returns when all have
// or ctx ends.
func (p *Pool) Flush(ctx context.Context) error { return nil }

// Close stops all loops and waits until they, and the callbacks that they
// started, returned. If ctx ends first, its error says how many still run.
func (p *Pool) Close(ctx context.Context) error { return nil }
