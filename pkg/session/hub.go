package session

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/headroom"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quiet"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// Deps is what a Hub works with. All fields are needed but Memory.
type Deps struct {
	// Appender takes the samples that handlers append.
	Appender store.Appender
	// NewRenderer makes the renderer of one view's loop.
	NewRenderer func(spec *plotting.Spec) ticker.Renderer
	// Log takes what went wrong.
	Log *zap.Logger
	// Memory says whether there is room for new views; nil is always.
	Memory *headroom.Gauge
	// Registerer takes the hub's metrics and those of its loops.
	Registerer prometheus.Registerer
	// Server is what welcome calls the software: "chartd/0.1.0".
	Server string
}

// Hub holds all sessions and the loops of what they watch. All methods are
// safe for concurrent use.
type Hub struct {
	cfg     Config
	deps    Deps
	metrics *metrics
	pool    *ticker.Pool
	census  *census
	outside outside
	post    post
	runner  *runner
	quiet   *quiet.Log // refusals
	charts  atomic.Pointer[map[string]*Chart]
	gate    atomic.Pointer[auth.Gate] // nil: nobody is asked
	// everybody is what each has where nobody is asked.
	everybody *auth.Grant
	reload    serial         // SetCharts, one at a time
	work      sync.WaitGroup // every goroutine of the hub
	ctx       context.Context
	cancel    context.CancelFunc

	mu       sync.Mutex
	clients  map[*Client]struct{}
	draining bool
}

// NewHub returns a hub without charts and sessions. cfg must be valid. Close
// the hub. An error is that of registering metrics.
func NewHub(cfg Config, deps Deps) (*Hub, error) {
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, fmt.Errorf("metrics of the sessions: %w", err)
	}
	h := &Hub{cfg: cfg, deps: deps, metrics: m, quiet: quiet.New(deps.Log, refusalLines, time.Second), clients: map[*Client]struct{}{}, everybody: auth.Everybody()}
	limits := ticker.Config{MaxViews: cfg.MaxViews, Linger: cfg.Linger.Std()}
	if h.pool, err = ticker.NewPool(limits, deps.Log, deps.Registerer); err != nil {
		return nil, err
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.post = post{limit: int(cfg.MaxQueue), metrics: m, ledger: h.pool.Ledger(), work: &h.work}
	h.census = newCensus(h, cfg)
	h.runner = &runner{timeout: cfg.CallbackTimeout.Std(), quiet: quiet.New(deps.Log, 1, time.Minute), metrics: m, work: h.work.Go}
	h.reload.caught = func(v any) { deps.Log.Error("taking over charts panicked", zap.Any("panic", v), zap.Stack("stack")) }
	h.charts.Store(&map[string]*Chart{})
	return h, nil
}

// Connect takes a fresh connection. Its reader calls Handle with every message
// and Gone when there are no more. An error is a wire.Close, with which the
// caller closes the connection: the hub drains.
func (h *Hub) Connect(conn Conn, peer Peer) (*Client, error) {
	c := newClient(h, conn, peer)
	h.mu.Lock()
	draining := h.draining
	if !draining {
		h.clients[c] = struct{}{}
	}
	h.mu.Unlock()
	if draining {
		return nil, wire.Close{Code: wire.CloseShutdown, Reason: "shutting down"}
	}
	c.awaitHello()
	return c, nil
}

// disconnect forgets a client.
func (h *Hub) disconnect(c *Client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
}

// all returns the clients there are.
func (h *Hub) all() []*Client {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*Client, 0, len(h.clients))
	for c := range h.clients {
		out = append(out, c)
	}
	return out
}

// chart returns a chart by name, nil if there is none.
func (h *Hub) chart(name string) *Chart { return (*h.charts.Load())[name] }

// Stats is a glance at a hub.
type Stats struct {
	// Connections are open.
	Connections int
	// Sessions are the connected ones and those that wait to be resumed.
	Sessions int
	// Views are drawn.
	Views int
}

// Stats returns how much there is at the moment.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	connections := len(h.clients)
	h.mu.Unlock()
	return Stats{Connections: connections, Sessions: h.census.count(), Views: h.pool.Views()}
}
