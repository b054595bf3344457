package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/store"
)

// How long a source may take to stop before it is left behind: when everything
// stops, which the daemon has ten seconds for in all, and when another one is to
// take its place.
const (
	stopPatience    = 2 * time.Second
	replacePatience = 5 * time.Second
)

// Manager runs sources and keeps them running: one that errs or panics is run
// again, and none stops another. Its methods are safe for concurrent use, but
// for Apply, which one caller at a time may call.
type Manager struct {
	app store.Appender
	log *zap.Logger
	mux atomic.Pointer[http.ServeMux]

	mu      sync.Mutex
	ctx     context.Context // of Run; nil before
	ended   bool            // Run is about to return
	runners map[string]*runner
	leaving []*runner // that were told to stop and may not have yet
}

// NewManager returns a Manager without sources, whose sources will append to
// app. Its metrics are registered with reg, which may be nil; that panics if
// another manager's already are.
func NewManager(app store.Appender, logger *zap.Logger, reg prometheus.Registerer) *Manager {
	m := &Manager{app: app, log: logger, runners: map[string]*runner{}}
	m.mux.Store(http.NewServeMux())
	if reg != nil {
		reg.MustRegister(collector{m})
	}
	return m
}

// Apply makes the running sources those of cfgs, by name: it starts what is
// new, stops what is gone, replaces what changed, and leaves alone what did
// not. On an error nothing has changed. Before Run it only says what to start.
// The configurations must have been validated. It does not wait for sources to
// stop.
func (m *Manager) Apply(cfgs map[string]Config) error {
	m.mu.Lock()
	current := maps.Clone(m.runners)
	m.mu.Unlock()

	next := make(map[string]*runner, len(cfgs))
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(cfgs)) {
		old := current[name]
		if old != nil && reflect.DeepEqual(old.cfg, cfgs[name]) {
			next[name] = old
			continue
		}
		r, err := m.build(name, cfgs[name], old)
		if err != nil {
			errs = append(errs, fmt.Errorf("sources.%s: %w", name, err))
			continue
		}
		next[name] = r
	}
	mux, err := routes(next)
	if err := errors.Join(append(errs, err)...); err != nil {
		return err
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return errors.New("the sources have been stopped")
	}
	for name, old := range current {
		if next[name] != old {
			m.dismiss(old)
		}
	}
	if m.ctx != nil {
		for name, r := range next {
			if current[name] != r {
				r.start(m.ctx)
			}
		}
	}
	m.runners = next
	m.mux.Store(mux)
	return nil
}

// build makes a runner that is not started yet. old is the one of that name that
// it replaces, or nil.
func (m *Manager) build(name string, cfg Config, old *runner) (*runner, error) {
	hidden := secret.In(cfg)
	log := discreetLogger(m.log.With(zap.String("source", name), zap.String("kind", cfg.Kind())), hidden)
	r := &runner{name: name, cfg: cfg, log: log, hidden: hidden, after: old}
	if old != nil {
		r.meter = old.meter
	} else {
		r.meter = newMeter(m.from(name))
	}
	var err error
	if r.src, err = cfg.New(Deps{Name: name, Logger: r.log, Skip: r.meter.skip, Reject: r.meter.refused}); err != nil {
		return nil, err
	}
	if rec, ok := r.src.(Receiver); ok {
		r.routes = rec.Routes()
	}
	return r, nil
}

// from returns the appender of a source, which notes where samples came from if
// there is a store behind it that can.
func (m *Manager) from(name string) store.Appender {
	if o, ok := m.app.(interface {
		From(origin string) store.Appender
	}); ok {
		return o.From(name)
	}
	return m.app
}

// dismiss tells a runner to stop. m.mu is held.
func (m *Manager) dismiss(r *runner) {
	if r.done == nil {
		return // it was never started
	}
	r.stop()
	m.leaving = slices.DeleteFunc(m.leaving, (*runner).stopped)
	m.leaving = append(m.leaving, r)
}

// Run runs the sources until ctx ends, and returns when all have stopped, or
// with an error that names those that did not within a few seconds. It can be
// called once.
func (m *Manager) Run(ctx context.Context) error {
	m.mu.Lock()
	m.ctx = ctx
	for _, r := range m.runners {
		r.start(ctx)
	}
	m.mu.Unlock()

	tick := time.NewTicker(measureEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			for _, r := range m.list() {
				r.meter.measure(now)
			}
			continue
		case <-ctx.Done():
		}
		break
	}

	m.mu.Lock()
	m.ended = true
	all := m.leaving
	for _, r := range m.runners {
		all = append(all, r)
	}
	m.mu.Unlock()
	return waitFor(all)
}

// waitFor waits until the runners have stopped, all together no longer than
// stopPatience.
func waitFor(all []*runner) error {
	late := time.NewTimer(stopPatience)
	defer late.Stop()
	expired := false
	var names []string
	for _, r := range all {
		if !expired {
			select {
			case <-r.done:
			case <-late.C:
				expired = true
			}
		}
		if expired && !r.stopped() {
			names = append(names, r.name)
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		return fmt.Errorf("these sources did not stop within %v: %s", stopPatience, strings.Join(slices.Compact(names), ", "))
	}
	return nil
}

// list returns the runners, sorted by name.
func (m *Manager) list() []*runner {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.runners), func(a, b *runner) int { return strings.Compare(a.name, b.name) })
}

// Status returns how the sources are doing, sorted by name.
func (m *Manager) Status() []Status {
	list := m.list()
	out := make([]Status, len(list))
	for i, r := range list {
		out[i] = r.meter.status(r.name, r.cfg.Kind())
	}
	return out
}
