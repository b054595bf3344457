package session

import (
	"context"
	"maps"
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
	spec.Vars = map[string]plotting.Var{"host": {Default: "a"}}
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
	next := maps.Clone(w.charts)
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

func (tr *truth) Deliver(d *ticker.Delivery, _ *ticker.Tally) {
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

// waiting returns how many items wait in the outbox.
func (o *outbox) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.queue) - o.head
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
