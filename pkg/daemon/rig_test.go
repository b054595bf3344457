package daemon_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
)

// patience is how long a test waits for what should come at once. It is long
// because a machine that runs tests is busy; no test waits that long when it
// passes.
const patience = 30 * time.Second

// rig is a daemon that runs on a port of loopback until the test ends.
type rig struct {
	*daemon.Daemon
	t    testing.TB
	base string
	logs *observer.ObservedLogs
	stop context.CancelFunc
	done chan struct{} // closed when Run has returned
	err  error         // what it returned
}

// start runs a daemon with this configuration (YAML without listen).
func start(t testing.TB, yaml string, opts ...daemon.Option) *rig {
	t.Helper()
	cfg, err := daemon.Parse(yaml, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, cfg, opts...)
}

func run(t testing.TB, cfg *config.Config, opts ...daemon.Option) *rig {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	opts = append([]daemon.Option{daemon.WithListen("127.0.0.1:0"), daemon.WithLogger(zap.New(core))}, opts...) // the test's own come last
	d, err := daemon.New(cfg, opts...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &rig{Daemon: d, t: t, logs: logs, stop: stop, done: make(chan struct{})}
	var running sync.WaitGroup
	running.Go(func() {
		defer close(r.done)
		r.err = d.Run(ctx)
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
		if r.err != nil {
			t.Errorf("run: %v", r.err)
		}
	})
	select {
	case <-d.Ready():
	case <-r.done:
		t.Fatalf("run: %v", r.err)
	}
	r.base = d.URL()
	return r
}

// get asks over the socket and returns status and body.
func (r *rig) get(path string) (status int, body string) {
	r.t.Helper()
	return r.do("GET", path, "")
}

func (r *rig) do(method, path, body string) (int, string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(r.base, "/")+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// metric reads a value off /metrics.
func (r *rig) metric(name string, labels ...string) float64 {
	r.t.Helper()
	return r.scrape().value(name, labels...)
}

// scrape is what /metrics said at one time: values that belong together are read
// off one of them.
type scrape struct {
	t    testing.TB
	body string
}

func (r *rig) scrape() scrape {
	r.t.Helper()
	status, body := r.get("/metrics")
	if status != http.StatusOK {
		r.t.Fatalf("/metrics: %d %s", status, body)
	}
	return scrape{r.t, body}
}

// value returns the sum of the lines that begin with name and contain every one
// of labels.
func (s scrape) value(name string, labels ...string) float64 {
	s.t.Helper()
	return livetest.Sum(s.t, s.body, name, labels...)
}

// append appends a sample of this moment to a metric.
func (r *rig) append(metric string, v float64) {
	r.t.Helper()
	if err := r.Store().Append(metric, nil, time.Now().UnixMilli(), v); err != nil {
		r.t.Fatal(err)
	}
}
