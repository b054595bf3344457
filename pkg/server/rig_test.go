package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
)

// rig is a whole server on a port of loopback, over a real store, hub and
// renderer.
type rig struct {
	*Server
	t       testing.TB
	base    string // "http://127.0.0.1:1234"
	store   *store.Store
	logs    *observer.ObservedLogs
	renders atomic.Int64 // pictures and views drawn
	hold    func()       // called by every render, if set before the first
}

type rigOptions struct {
	change  func(*Config)
	session func(*session.Config)
	charts  func(map[string]*session.Chart)
	pages   map[string]http.Handler
	hold    func()
}

// newRig starts a server with the charts "cpu" (10 s, one line) and "fast".
func newRig(t testing.TB, o rigOptions) *rig {
	t.Helper()
	cfg, scfg := DefaultConfig(), session.DefaultConfig()
	if o.change != nil {
		o.change(&cfg)
	}
	if o.session != nil {
		o.session(&scfg)
	}
	core, logs := observer.New(zap.DebugLevel)
	log, reg := zap.New(core), prometheus.NewRegistry()
	r := &rig{t: t, store: store.New(store.DefaultConfig(), reg), logs: logs, hold: o.hold}
	newRenderer := func(spec *plotting.Spec) ticker.Renderer {
		return &countingRenderer{Live: plotting.NewLive(spec, r.store), rig: r}
	}
	sources := source.NewManager(r.store, log, reg)
	hub, err := session.NewHub(scfg, session.Deps{
		Appender: r.store, NewRenderer: newRenderer, Log: log, Registerer: reg, Server: "chartd/test",
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Server, err = New(cfg, Deps{
		Hub: hub, Sources: sources, Store: r.store, NewRenderer: newRenderer, Registry: reg, Log: log, Version: "chartd/test", Pages: o.pages,
	})
	if err != nil {
		t.Fatal(err)
	}
	charts := map[string]*session.Chart{"cpu": testChart("cpu", 10*time.Second), "fast": testChart("fast", 100*time.Millisecond)}
	if o.charts != nil {
		o.charts(charts)
	}
	hub.SetCharts(charts)
	var list []Chart
	for _, name := range []string{"fast", "cpu"} {
		list = append(list, Chart{name, charts[name].Spec})
	}
	r.SetCharts(list)
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.base = "http://" + ln.Addr().String()
	r.Start()
	var served sync.WaitGroup
	served.Go(func() {
		if err := r.Serve(ln); err != nil {
			t.Error(err)
		}
	})
	r.SetReady(true)
	now := time.Now().UnixMilli()
	for i := range int64(20) {
		if err := r.store.Append("load", nil, now-(20-i)*500, float64(i)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := hub.Drain(ctx); err != nil {
			t.Error(err)
		}
		if err := r.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := hub.Close(ctx); err != nil {
			t.Error(err)
		}
		served.Wait()
	})
	return r
}

func testChart(name string, refresh time.Duration) *session.Chart {
	spec := plotting.DefaultSpec()
	spec.Title, spec.Refresh, spec.Window = "Chart "+name, quantity.Duration(refresh), quantity.Duration(10e9)
	spec.Series = []plotting.SeriesSpec{{Metric: "load"}}
	return &session.Chart{Spec: &spec, Config: session.DefaultChartConfig()}
}

type countingRenderer struct {
	*plotting.Live
	rig *rig
}

func (c *countingRenderer) Render(v plotting.View, now int64) (*plotting.Frame, error) {
	c.rig.renders.Add(1)
	if c.rig.hold != nil {
		c.rig.hold()
	}
	return c.Live.Render(v, now)
}

// answer is an HTTP answer, read.
type answer struct {
	*http.Response
	body string
}

// get asks over the socket; header is names and values in turn.
func (r *rig) get(path string, header ...string) answer { return r.do("GET", path, "", header...) }

func (r *rig) do(method, path, body string, header ...string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, r.base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	// No kept connections: they would outlive the test.
	resp, err := (&http.Transport{DisableKeepAlives: true, DisableCompression: true}).RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{resp, string(b)}
}

// metric returns the sum of a metric's values on /metrics; labels is a part of
// the line, as `reason="origin"`, or "".
func (r *rig) metric(name, labels string) float64 {
	r.t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			text := ""
			for _, l := range m.GetLabel() {
				text += l.GetName() + `="` + l.GetValue() + `",`
			}
			if strings.Contains(text, labels) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}
