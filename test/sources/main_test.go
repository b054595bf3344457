// Package sources tests sources against the real servers that they are for:
// each test starts its own, on a port of loopback, and ends it.
package sources

import (
	"context"
	"flag"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/builtin"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) {
	// These tests mostly wait for servers: more of them than there are processors may do so at a time.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a condition may take to come true. No test that passes waits that long.
const patience = 60 * time.Second

// rig runs the sources of a configuration before a store, as the daemon does, so that a test can look at every sample.
type rig struct {
	t       testing.TB
	store   *store.Store
	manager *source.Manager
	logs    *observer.ObservedLogs
	close   func() // ends the sources, and so does the end of the test
}

func start(t testing.TB, yaml string) *rig {
	t.Helper()
	cfg, err := config.Parse("test.yaml", []byte(yaml), builtin.Kinds(), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	r := &rig{t: t, store: store.New(cfg.Store, nil), logs: logs}
	r.manager = source.NewManager(r.store, zap.New(core), nil)
	if err := r.manager.Apply(cfg.Sources); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.manager.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	r.close = func() { cancel(); running.Wait() }
	t.Cleanup(func() {
		r.close()
		if t.Failed() {
			t.Logf("sources: %+v", r.manager.Status())
		}
	})
	return r
}

// ServeHTTP lets the sources receive.
func (r *rig) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if h, ok := r.manager.Route(req); ok {
		h.ServeHTTP(w, req)
		return
	}
	http.NotFound(w, req)
}

// status returns how a source is doing.
func (r *rig) status(name string) source.Status {
	r.t.Helper()
	for _, st := range r.manager.Status() {
		if st.Name == name {
			return st
		}
	}
	r.t.Fatalf("there is no source %s", name)
	return source.Status{}
}

// one returns the samples of the one series of a metric that has these labels, as "name=value"; nil if it is not there yet.
func (r *rig) one(metric string, labels ...string) (out []store.Sample) {
	r.t.Helper()
	found := slices.DeleteFunc(slices.Clone(r.store.Select(metric, nil)), func(sr *store.Series) bool {
		return slices.ContainsFunc(labels, func(l string) bool {
			name, value, _ := strings.Cut(l, "=")
			return sr.Labels().Get(name) != value
		})
	})
	if len(found) > 1 {
		r.t.Fatalf("there are %d series %s with %q: %v", len(found), metric, labels, found)
	}
	for _, sr := range found {
		sr.Each(math.MinInt64, math.MaxInt64, func(block []store.Sample) { out = append(out, block...) })
	}
	return out
}

// values are samples without the gaps.
func values(samples []store.Sample) []store.Sample {
	return slices.DeleteFunc(slices.Clone(samples), func(s store.Sample) bool { return math.IsNaN(s.V) })
}

// gaps counts the gaps between values.
func gaps(samples []store.Sample) (n int) {
	for i, s := range samples {
		if i > 0 && i < len(samples)-1 && math.IsNaN(s.V) && !math.IsNaN(samples[i-1].V) {
			n++
		}
	}
	return n
}

// holdsNoSecret searches all that the sources and the log say.
func (r *rig) holdsNoSecret(secrets ...string) {
	r.t.Helper()
	said := []string{fmt.Sprintf("%+v", r.manager.Status())}
	for _, e := range r.logs.All() {
		line, err := zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig()).EncodeEntry(e.Entry, e.Context)
		if err != nil {
			r.t.Fatal(err)
		}
		said = append(said, line.String())
	}
	for _, text := range said {
		for _, s := range secrets {
			if strings.Contains(text, s) {
				r.t.Errorf("the secret %s is in %s", s, text)
			}
		}
	}
}

// address returns an address of loopback where nobody listens, for what must come back to where it was.
func address(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// serveAt serves h at an address until the returned function is called, and again when serveAt is.
func serveAt(t testing.TB, addr string, h http.Handler) (stop func()) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h, ReadHeaderTimeout: patience}}
	s.Start()
	stop = sync.OnceFunc(s.Close)
	t.Cleanup(stop)
	return stop
}
