package ticker

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
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
	// MaxViews is how many loops may run at the same time. One that lingers
	// gives way to a new one.
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
	cfg     Config
	log     *zap.Logger
	metrics *metrics
	ledger  *Ledger
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	work    sync.WaitGroup // loops, and the callbacks they started
	running atomic.Int64   // how many work waits for

	mu     sync.Mutex
	charts map[string]*chartState
	loops  map[Key]*loop
	idle   list.List // of *loop without leases, the longest idle first
	closed bool
}

// chartState is a chart in the pool; guarded by Pool.mu.
type chartState struct {
	chart   *Chart
	shared  plotting.Change // laid over every view
	loops   map[*loop]struct{}
	metrics *chartMetrics
}

// NewPool returns a pool without charts. It counts in reg, which must not have
// another pool's metrics. Close it.
func NewPool(cfg Config, log *zap.Logger, reg prometheus.Registerer) (*Pool, error) {
	m, err := newMetrics(reg)
	if err != nil {
		return nil, fmt.Errorf("metrics of the views: %w", err)
	}
	p := &Pool{cfg: cfg, log: log, metrics: m, ledger: &Ledger{}, charts: map[string]*chartState{}, loops: map[Key]*loop{}}
	if err := reg.Register(p.ledger); err != nil {
		return nil, fmt.Errorf("metrics of the deliveries: %w", err)
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Ledger returns where deliveries are counted; watchers add what they write
// later than in Deliver.
func (p *Pool) Ledger() *Ledger { return p.ledger }

// SetChart adds a chart or replaces the one of this name, for all loops that
// start from now on. Those that run take it over when takeOver is called, so
// that watchers can be moved before; they keep their watchers, and draw anew
// only if the spec differs.
func (p *Pool) SetChart(c *Chart) (takeOver func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.charts[c.Name]
	if st == nil {
		st = &chartState{loops: map[*loop]struct{}{}, metrics: p.metrics.of(c.Name)}
		p.charts[c.Name] = st
	} else if !reflect.DeepEqual(st.chart.Spec, c.Spec) {
		st.shared = plotting.Change{}
	}
	st.chart = c
	loops := st.list()
	return func() {
		for _, l := range loops {
			l.mail.put(command{do: l.refetch})
		}
	}
}

// RemoveChart removes a chart and stops its loops. Leases of them are void.
func (p *Pool) RemoveChart(name string) {
	p.mu.Lock()
	st := p.charts[name]
	if st != nil {
		delete(p.charts, name)
		for l := range st.loops {
			p.drop(l)
		}
		p.metrics.forget(name)
	}
	p.mu.Unlock()
}

// Runs reports whether the loop with this key runs, so that Acquire would not
// have to start it.
func (p *Pool) Runs(k Key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.loops[k] != nil
}

// Acquire returns a lease of the loop with this key, which is started if it
// does not run. Release it. The error is ErrTooManyViews, ErrUnknownChart or
// ErrClosed.
func (p *Pool) Acquire(k Key) (*Lease, error) { return p.Exchange(nil, k) }

// Exchange is Acquire for who is about to release another lease, without
// lingering: where there is no room for one loop
// more, the one of old gives way if nobody else has a lease of it. A nil old is
// none.
func (p *Pool) Exchange(old *Lease, k Key) (*Lease, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.charts[k.View.Chart]
	switch {
	case p.closed:
		return nil, ErrClosed
	case st == nil:
		return nil, ErrUnknownChart
	}
	l := p.loops[k]
	if l == nil {
		if len(p.loops) >= p.cfg.MaxViews {
			oldest := p.idle.Front()
			switch {
			case oldest != nil:
				p.drop(oldest.Value.(*loop))
			case old != nil && old.loop.leases == 1 && !old.loop.gone:
				p.drop(old.loop)
			default:
				return nil, ErrTooManyViews
			}
		}
		l = newLoop(p, k, st)
		p.loops[k] = l
		st.loops[l] = struct{}{}
		p.metrics.views.Inc()
		p.running.Add(1)
		p.work.Go(func() {
			defer p.running.Add(-1)
			l.run()
		})
	}
	if l.idle != nil {
		p.idle.Remove(l.idle)
		l.idle = nil
	}
	l.leases++
	return &Lease{loop: l}, nil
}

// release takes a lease back and reports whether it was the loop's last. Then
// the loop lingers, or stops.
func (p *Pool) release(l *loop, linger bool) (last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.leases--
	if l.leases > 0 || l.gone {
		return false
	}
	if !linger {
		p.drop(l)
		return true
	}
	l.idle, l.idleSince = p.idle.PushBack(l), time.Now()
	return true
}

// retire ends a loop that was idle long enough. Otherwise it says how long the
// loop has to go on before it may ask again; 0 is until its last lease ends.
func (p *Pool) retire(l *loop) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.gone {
		return 0, true
	}
	if l.idle == nil {
		return 0, false
	}
	if wait = p.cfg.Linger - time.Since(l.idleSince); wait > 0 {
		return wait, false
	}
	p.drop(l)
	return 0, true
}

// drop takes a loop out of the pool and lets it stop. Pool.mu is held.
func (p *Pool) drop(l *loop) {
	if l.gone {
		return
	}
	l.gone = true
	if l.idle != nil {
		p.idle.Remove(l.idle)
		l.idle = nil
	}
	delete(p.loops, l.key)
	if st := p.charts[l.key.View.Chart]; st != nil {
		delete(st.loops, l)
	}
	p.metrics.views.Dec()
	l.stop()
}

// state returns what a loop draws by: the chart and what is laid over all its
// views.
func (p *Pool) state(name string) (*Chart, plotting.Change, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if st := p.charts[name]; st != nil {
		return st.chart, st.shared, true
	}
	return nil, plotting.Change{}, false
}

// Share lays a change over every view of the chart, from now on until the
// chart's spec changes, and pushes the views that are watched. A Reset takes
// away what was laid over before. by and push, if not nil, are the lease of who
// asked and what to push to it.
func (p *Pool) Share(chart string, c plotting.Change, by *Lease, push *Push) {
	var caller *loop
	if by != nil {
		caller = by.loop
	}
	p.share(chart, c, caller)
	if by != nil {
		by.share(push)
	}
}

// share lays a change over the views of a chart and tells all loops but one.
func (p *Pool) share(chart string, c plotting.Change, except *loop) {
	p.mu.Lock()
	var loops []*loop
	if st := p.charts[chart]; st != nil {
		st.shared = Merge(st.shared, c)
		loops = st.list()
	}
	p.mu.Unlock()
	for _, l := range loops {
		if l != except {
			l.mail.put(command{do: l.refetch})
		}
	}
}

// Redraw draws a view once more where it is watched, and returns when that is on
// its way to who watches: what it shows may have changed, though the view has
// not. If ctx ends first, it is drawn all the same.
func (p *Pool) Redraw(ctx context.Context, v plotting.View) {
	p.mu.Lock()
	var loops []*loop
	if st := p.charts[v.Chart]; st != nil {
		for l := range st.loops {
			if l.key.View == v {
				loops = append(loops, l)
			}
		}
	}
	p.mu.Unlock()
	left := make(chan struct{}, len(loops))
	done := func() { left <- struct{}{} }
	for _, l := range loops {
		l.mail.put(command{do: func() {
			if len(l.watchers) > 0 {
				l.draw(nil, nil)
			}
			done()
		}, drop: done})
	}
	for range loops {
		select {
		case <-left:
		case <-ctx.Done():
			return
		}
	}
}

// Shared returns v under what Share laid over the views of its chart.
func (p *Pool) Shared(v plotting.View) plotting.View {
	if chart, shared, ok := p.state(v.Chart); ok {
		if under, err := lay(chart.Spec, v, shared); err == nil {
			return under
		}
	}
	return v
}

// Views returns how many loops run.
func (p *Pool) Views() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.loops)
}

// Flush makes every loop draw and deliver once more, and returns when all have
// or ctx ends.
func (p *Pool) Flush(ctx context.Context) error {
	p.mu.Lock()
	loops := make([]*loop, 0, len(p.loops))
	for _, l := range p.loops {
		loops = append(loops, l)
	}
	p.mu.Unlock()
	left := make(chan struct{}, len(loops))
	done := func() { left <- struct{}{} }
	for _, l := range loops {
		l.mail.put(command{do: func() { l.draw(nil, nil); done() }, drop: done})
	}
	for range loops {
		select {
		case <-left:
		case <-ctx.Done():
			return fmt.Errorf("last frames: %w", ctx.Err())
		}
	}
	return nil
}

// Close stops all loops and waits until they, and the callbacks that they
// started, returned. If ctx ends first, its error says how many still run.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	for _, l := range p.loops {
		p.drop(l)
	}
	p.mu.Unlock()
	p.cancel()
	done := make(chan struct{})
	go func() {
		p.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d loops and callbacks of ticks still run: %w", p.running.Load(), ctx.Err())
	}
}

func (st *chartState) list() []*loop {
	loops := make([]*loop, 0, len(st.loops))
	for l := range st.loops {
		loops = append(loops, l)
	}
	return loops
}
