package main

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/server"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

// The servers that are measured.
const (
	chartdKind     = "chartd"
	centrifugeKind = "centrifuge"
)

// fanChart is the only chart, and fanVar its only variable: sessions that say
// different values watch different views.
const (
	fanChart = "fan"
	fanVar   = "view"
)

// chartd is the daemon's own server and hub; only the pictures are not from
// samples.
type chartd struct {
	scene  *scene
	hub    *session.Hub
	server *server.Server
	serves sync.WaitGroup
	err    error // of Serve
}

func newChartd(ln *tap, s setup) (*chartd, error) {
	reg, log := prometheus.NewRegistry(), zap.NewNop()
	kept := store.New(store.DefaultConfig(), reg)
	c := &chartd{scene: newScene(s.auto)}

	sessions := session.DefaultConfig()
	sessions.MaxSessionsPerAddress = sessions.MaxSessions
	sessions.TTL = quantity.Duration(s.ttl)
	var err error
	c.hub, err = session.NewHub(sessions, session.Deps{
		Appender: kept, NewRenderer: c.scene.renderer, Log: log, Registerer: reg, Server: "chartd/bench",
	})
	if err != nil {
		return nil, err
	}
	web := server.DefaultConfig()
	web.MaxConnections, web.MaxConnectionsPerAddress = sessions.MaxSessions, sessions.MaxSessions
	web.Heartbeat = quantity.Duration(s.heartbeat)
	c.server, err = server.New(web, server.Deps{
		Hub: c.hub, Sources: source.NewManager(kept, log, reg), NewRenderer: c.scene.renderer, Registry: reg, Log: log, Version: "chartd/bench",
	})
	if err != nil {
		return nil, err
	}
	spec := plotting.DefaultSpec()
	spec.Refresh = quantity.Duration(s.refresh)
	spec.Vars = map[string]plotting.Var{fanVar: {Default: "0"}}
	spec.Series = []plotting.SeriesSpec{{Metric: "fan"}}
	if ps := spec.Validate(); len(ps) > 0 {
		return nil, errors.New(ps[0].Error())
	}
	c.hub.SetCharts(map[string]*session.Chart{fanChart: {Spec: &spec}})
	c.server.SetCharts([]server.Chart{{Name: fanChart, Spec: &spec}})
	c.server.Start()
	c.server.SetReady(true)
	c.serves.Go(func() { c.err = c.server.Serve(ln) })
	return c, nil
}

func (c *chartd) size(n int) { c.scene.size.Store(int64(n)) }

func (c *chartd) fire() error {
	c.scene.armed.Store(true)
	return nil
}

func (c *chartd) started() int64 { return c.scene.start.Load() }

// metrics reads what chartd says of itself at /metrics.
func (c *chartd) metrics() (map[string]float64, error) {
	w := httptest.NewRecorder()
	c.server.Handler().ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", nil))
	all := map[string]float64{}
	lines := bufio.NewScanner(w.Body)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || !strings.HasPrefix(name, "chartd_") {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, err
		}
		all[name] = v
	}
	return all, lines.Err()
}

func (c *chartd) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// Clients that are frozen on purpose take no goodbye: that is no error here.
	_ = c.hub.Drain(ctx)
	err := c.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	c.serves.Wait()
	return errors.Join(err, c.err, c.hub.Close(ctx))
}
