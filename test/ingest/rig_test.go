// Package ingest measures the way in: whole requests, from their bodies to the
// store, through all that a running chartd has in between.
package ingest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/builtin"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is the receivers of a chartd.
type rig struct {
	t       testing.TB
	manager *source.Manager
	store   atomic.Pointer[store.Store]
}

// Append implements store.Appender.
func (r *rig) Append(metric string, labels store.Labels, t int64, v float64) error {
	return r.store.Load().Append(metric, labels, t, v)
}

// AppendAll implements store.Clocked.
func (r *rig) AppendAll(now int64, points []store.Point) []store.Refusal {
	return r.store.Load().AppendAll(now, points)
}

// start runs the receivers until the test ends.
func start(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t}
	r.fresh()
	r.manager = source.NewManager(r, zap.NewNop(), nil)
	cfgs := map[string]source.Config{}
	for _, kind := range []string{"influx", "push", "remote_write"} {
		cfg, err := builtin.Kinds().New(kind)
		if err != nil {
			t.Fatal(err)
		}
		cfgs[kind] = cfg
	}
	if err := r.manager.Apply(cfgs); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.manager.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
	// They are up once each has taken something.
	for _, f := range formats() {
		c := r.client(f)
		body, deadline := f.body(0, 4, time.Now().UnixMilli()), time.Now().Add(10*time.Second)
		for c.try(body) != http.StatusNoContent {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d", f.name, c.status)
			}
		}
	}
	return r
}

// fresh makes the store an empty one.
func (r *rig) fresh() {
	cfg := store.DefaultConfig()
	cfg.MaxSeries, cfg.MaxTotal, cfg.MaxAge = 100_000, 200_000_000, quantity.Duration(24*time.Hour)
	r.store.Store(store.New(cfg, nil))
}

// client sends requests, one after another, without a network. What it needs is
// made once, so that what a request allocates is the server's.
type client struct {
	t      testing.TB
	h      http.Handler
	req    http.Request
	body   reader
	header http.Header
	status int
	text   []byte
}

// reader is the body of one request after another.
type reader struct{ bytes.Reader }

// Close implements io.Closer.
func (*reader) Close() error { return nil }

func (r *rig) client(f format) *client {
	r.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, f.path, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	h, ok := r.manager.Route(req)
	if !ok {
		r.t.Fatalf("nobody takes %s", f.path)
	}
	c := &client{t: r.t, h: h, req: *req, header: http.Header{}}
	if f.header != nil {
		c.req.Header = f.header
	}
	c.req.Body = &c.body
	return c
}

// send sends a body, which must be taken whole.
func (c *client) send(body []byte) {
	if c.try(body) != http.StatusNoContent {
		c.t.Fatalf("%d %s", c.status, c.text)
	}
}

func (c *client) try(body []byte) (status int) {
	c.body.Reset(body)
	c.req.ContentLength = int64(len(body))
	c.status, c.text = 0, c.text[:0]
	clear(c.header)
	c.h.ServeHTTP(c, &c.req)
	return c.status
}

// Header implements http.ResponseWriter.
func (c *client) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter.
func (c *client) WriteHeader(status int) { c.status = status }

// Write implements http.ResponseWriter.
func (c *client) Write(b []byte) (int, error) {
	c.text = append(c.text, b...)
	return len(b), nil
}

// cpu returns the processor time that this process has used, which tells more
// than the clock on a machine that does something else as well.
func cpu(t testing.TB) time.Duration { return usage(t, syscall.RUSAGE_SELF) }

// threadCPU is cpu of the thread that runs it, on Linux.
func threadCPU(t testing.TB) time.Duration { return usage(t, 1) } // RUSAGE_THREAD

func usage(t testing.TB, who int) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		t.Error(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// waited returns how long goroutines have waited for locks, all together.
func waited() time.Duration {
	s := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(s)
	return time.Duration(s[0].Value.Float64() * float64(time.Second))
}

var _ io.ReadCloser = (*reader)(nil)
