package session

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// writeTimeout is the write deadline of the connections in tests.
const writeTimeout = 10 * time.Second

// world is a hub over a real store and the real renderer, with one chart "cpu"
// of one series that moves.
type world struct {
	*Hub
	t      testing.TB
	store  *store.Store
	reg    *prometheus.Registry
	logs   *observer.ObservedLogs
	charts map[string]*Chart
}

func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	cfg := DefaultConfig()
	for _, f := range change {
		f(&cfg)
	}
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	core, logs := observer.New(zap.WarnLevel)
	w := &world{t: t, reg: prometheus.NewRegistry(), logs: logs}
	w.store = store.New(store.DefaultConfig(), w.reg)
	var err error
	w.Hub, err = NewHub(cfg, Deps{
		Appender: w.store, Log: zap.New(core), Registerer: w.reg, Server: "chartd/test",
		NewRenderer: func(spec *plotting.Spec) ticker.Renderer { return plotting.NewLive(spec, w.store) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.charts = map[string]*Chart{"cpu": w.chartOf(func(*Chart) {})}
	w.SetCharts(w.charts)
	return w
}

// chartOf returns a chart that differs from the usual one.
func (w *world) chartOf(change func(c *Chart)) *Chart {
	spec := plotting.DefaultSpec()
	spec.Title = "CPU of $host"
	spec.Window = quantity.Duration(time.Minute)
	spec.Vars = map[string]string{"host": "a"}
	spec.Series = []plotting.SeriesSpec{{Metric: "m"}}
	c := &Chart{Spec: &spec, Config: DefaultChartConfig()}
	change(c)
	if ps := append(c.Spec.Validate(), c.Config.Validate()...); len(ps) > 0 {
		w.t.Fatal(ps)
	}
	return c
}

// with replaces a chart, or removes it if change is nil.
func (w *world) with(name string, change func(c *Chart)) {
	next := map[string]*Chart{}
	for n, c := range w.charts {
		next[n] = c
	}
	delete(next, name)
	if change != nil {
		next[name] = w.chartOf(change)
	}
	w.charts = next
	w.SetCharts(next)
}

func (w *world) close() {
	w.t.Helper()
	if err := w.Close(w.t.Context()); err != nil {
		w.t.Error(err)
	}
}

// metric returns the sum of a metric over the series with these labels.
func (w *world) metric(name string, labels ...string) (sum float64) {
	w.t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	metrics:
		for _, m := range f.GetMetric() {
			have := map[string]string{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			for i := 0; i < len(labels); i += 2 {
				if have[labels[i]] != labels[i+1] {
					continue metrics
				}
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

// truth watches a view in the pool itself, and knows the frame that all who
// watch it should show.
type truth struct {
	lease *ticker.Lease
	mu    sync.Mutex
	last  *wire.Update
}

func (w *world) truth(k ticker.Key) *truth {
	w.t.Helper()
	l, err := w.pool.Acquire(k)
	if err != nil {
		w.t.Fatal(err)
	}
	tr := &truth{lease: l}
	l.Watch(tr, false, nil)
	return tr
}

func (tr *truth) Deliver(d *ticker.Delivery) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if d.Update != nil {
		tr.last = d.Update
	}
}

func (tr *truth) svg() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return string(tr.last.Frame().AppendSVG(nil))
}

// page is a client: the connection as the hub sees it, and what a browser
// makes of what arrives.
type page struct {
	w      *world
	client *Client
	token  string

	mu      sync.Mutex
	log     []string
	last    wire.OK // the last ok
	writes  int
	mirrors map[string]*wire.Mirror
	errs    []wire.Failure
	closed  *wire.Close
	cut     chan struct{} // closed by Close
	stuck   chan struct{} // Write waits for it; nil: not
}

// connect makes a connection and says nothing.
func (w *world) connect(from string) *page {
	w.t.Helper()
	p := &page{w: w, mirrors: map[string]*wire.Mirror{}, cut: make(chan struct{})}
	c, err := w.Connect(p, Peer{Address: from, Since: time.Now()})
	if err != nil {
		w.t.Fatal(err)
	}
	p.client = c
	return p
}

// open connects and says hello.
func (w *world) open() *page {
	w.t.Helper()
	p := w.connect("")
	p.say(wire.Hello{})
	synctest.Wait()
	equal(w.t, p.took(), "welcome")
	return p
}

// say sends messages to the hub.
func (p *page) say(ms ...wire.ClientMessage) {
	for _, m := range ms {
		p.client.Handle(m.AppendJSON(nil))
	}
}

// sub subscribes and takes what comes first.
func (p *page) sub(m wire.Sub) (v string) {
	p.w.t.Helper()
	m.ID = "1"
	if m.Chart == "" {
		m.Chart = "cpu"
	}
	p.say(m)
	synctest.Wait()
	equal(p.w.t, p.took(), "ok:1 full")
	return p.v()
}

// v returns the view's id of the last ok.
func (p *page) v() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last.V
}

// Write implements Conn.
func (p *page) Write(m *wire.Message) error {
	p.mu.Lock()
	stuck := p.stuck
	p.writes++
	p.mu.Unlock()
	if stuck != nil {
		timer := time.NewTimer(writeTimeout)
		defer timer.Stop()
		select {
		case <-stuck:
		case <-p.cut:
			return errors.New("closed")
		case <-timer.C:
			return os.ErrDeadlineExceeded
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil {
		return errors.New("closed")
	}
	ms, err := wire.ParseServer(m.JSON())
	if err != nil {
		p.w.t.Errorf("%v: %s", err, m.JSON())
	}
	for _, m := range ms {
		p.take(m)
	}
	return nil
}

// take does what a page does.
func (p *page) take(m wire.ServerMessage) {
	follow := func(v string) {
		if p.mirrors[v] == nil {
			p.mirrors[v] = wire.NewMirror(v)
		}
		if _, err := p.mirrors[v].Take(m); err != nil {
			p.w.t.Error(err)
		}
	}
	word := ""
	switch m := m.(type) {
	case wire.Welcome:
		p.token, word = m.Session, "welcome"
		if m.Resumed {
			word = "resumed"
		}
	case wire.OK:
		p.last, word = m, "ok:"+string(m.ID)
		if m.Handled != nil && !*m.Handled {
			word += "(unhandled)"
		}
		if m.Reply != nil {
			word += "=" + string(m.Reply)
		}
	case wire.Failure:
		p.errs = append(p.errs, m)
		word = "error:" + string(m.ID) + ":" + string(m.Err.Code)
	case wire.Full:
		follow(m.V)
		word = "full"
	case wire.Patch:
		follow(m.V)
		word = "patch"
	case wire.Event:
		word = string(m.Name)
		if m.Cause == wire.CauseClient {
			word += "@" + string(m.ID)
		}
		if m.Error != "" {
			word += "!"
		}
	}
	p.log = append(p.log, word)
}

// Close implements Conn. As in the server, the reader then finds the
// connection closed.
func (p *page) Close(how wire.Close) {
	p.mu.Lock()
	if p.closed != nil {
		p.w.t.Errorf("closed twice: %v, %v", p.closed, how)
	}
	p.closed = &how
	close(p.cut)
	p.mu.Unlock()
	p.client.Gone(nil)
}

// drop is what a cut cable does.
func (p *page) drop() { p.client.Gone(errors.New("cut")) }

// stick lets every Write from now on wait; the result lets them go on.
func (p *page) stick() (release func()) {
	ch := make(chan struct{})
	p.mu.Lock()
	p.stuck = ch
	p.mu.Unlock()
	return func() {
		p.mu.Lock()
		p.stuck = nil
		p.mu.Unlock()
		close(ch)
	}
}

// took returns what arrived since the last call, in words.
func (p *page) took() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := strings.Join(p.log, " ")
	p.log = nil
	return out
}

// closing returns how the connection was closed, nil if it is open.
func (p *page) closing() *wire.Close {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// failure returns the last error that arrived.
func (p *page) failure() wire.Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.errs) == 0 {
		return wire.Failure{Err: &wire.Error{}}
	}
	return p.errs[len(p.errs)-1]
}

// svg returns what the page shows of a view.
func (p *page) svg(v string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mirrors[v] == nil {
		return ""
	}
	return string(p.mirrors[v].SVG())
}

// pos returns the position of what the page shows of a view.
func (p *page) pos(v string) wire.Pos {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mirrors[v].Pos()
}

// waiting returns how many items wait in the outbox.
func (o *outbox) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.queue)
}

// after lets time pass in the bubble, and everything that it brings happen.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func equal(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func window(d time.Duration) *quantity.Duration { return new(quantity.Duration(d)) }

// inBubble runs a test in a synctest bubble with a world.
func inBubble(t *testing.T, f func(w *world), change ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, change...)
		defer w.close()
		f(w)
	})
}

func callback(f func(ctx context.Context, call *Call) error) func(*Chart) {
	return func(c *Chart) { c.Callback = f }
}
