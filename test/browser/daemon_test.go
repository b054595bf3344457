package browser

import (
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/store"
)

// allKinds is a configuration with a chart of every kind, refreshed four times
// a second.
const allKinds = `
listen: "127.0.0.1:0"
defaults: {refresh: 250ms, window: 20s}
charts:
  line: {title: Line, kind: line, series: &all [{metric: m, name: "{mode}"}]}
  area: {title: Area, kind: area, series: *all}
  stack: {title: Stack, kind: area, stack: true, y: {unit: percent}, series: *all}
  step: {title: Step, kind: step, y: {unit: bytes/s}, series: *all}
  scatter: {title: Scatter, kind: scatter, y: {unit: ms}, series: *all}
  bar: {title: Bar, kind: bar, series: *all}
  gauge: {title: Gauge, kind: gauge, y: {min: 0, max: 100, unit: celsius}, series: *all}
  stat: {title: Stat, kind: stat, y: {unit: short}, series: *all}
`

// blank is a page of the daemon's own origin without any chart.
const blank = `<!doctype html><html lang="en"><meta charset="utf-8"><title>blank</title><link rel="icon" href="data:,">
<script type="module" src="/chartd.js"></script><body></body></html>`

// start runs a daemon with a configuration until the test ends, and returns it
// when it is ready. It serves blank at /blank.
func start(t testing.TB, yaml string, opts ...daemon.Option) *daemon.Daemon {
	t.Helper()
	cfg, err := daemon.Parse(yaml)
	if err != nil {
		t.Fatal(err)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		// As strict as a page can be.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:")
		_, _ = io.WriteString(w, blank)
	})
	opts = append(opts, daemon.WithLogger(zap.NewNop()), daemon.WithPage("GET /blank", page))
	d, err := daemon.New(cfg, opts...)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, d)
	return d
}

// serve runs a daemon until the test ends, and returns when it is ready.
func serve(t testing.TB, d *daemon.Daemon) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-d.Ready():
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
}

// feed fills the daemon's store with a minute of four series, and goes on ten
// times a second until the test ends: on a busy machine, which leaves ticks out,
// late, but with every sample.
func feed(t *testing.T, d *daemon.Daemon) {
	t.Helper()
	put := func(ms int64) {
		for k, mode := range []string{"user", "system", "iowait", "steal"} {
			at, k := float64(ms), float64(k)
			v := 20 + 4*k + 9*math.Sin(at/3000+k) + 4*math.Sin(at/417+2*k)
			if err := d.Store().Append("m", store.LabelsOf(map[string]string{"mode": mode}), ms, v); err != nil {
				t.Error(err)
			}
		}
	}
	now := time.Now().UnixMilli()
	next := now - 60_000
	until := func(ms int64) {
		for ; next <= ms; next += 100 {
			put(next)
		}
	}
	until(now)
	var work sync.WaitGroup
	stop := make(chan struct{})
	work.Go(func() {
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case at := <-ticker.C:
				until(at.UnixMilli())
			}
		}
	})
	t.Cleanup(func() { close(stop); work.Wait() })
}

// metric returns the value of a metric, by its name with labels as /metrics
// writes it; NaN if it is not there.
func metric(t *testing.T, url, name string) float64 {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindSubmatch(body)
	if m == nil {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// awaitMetric waits for a metric to have a value.
func awaitMetric(t *testing.T, url, name string, want float64) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		got := metric(t, url, name)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is %v after %v; want %v", name, got, patience, want)
		}
		<-tick.C
	}
}

// network stands between the browser and a daemon, and can be cut.
type network struct {
	url    string
	target string
	ln     net.Listener
	work   sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	down   bool // refuses connections
	frozen chan struct{}
}

func between(t *testing.T, d *daemon.Daemon) *network {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{url: "http://" + ln.Addr().String() + "/", target: d.Addr().String(), ln: ln, conns: map[net.Conn]struct{}{}}
	n.work.Go(n.serve)
	t.Cleanup(func() {
		_ = ln.Close()
		n.thaw()
		n.cut()
		n.work.Wait()
	})
	return n
}

func (n *network) serve() {
	for {
		client, err := n.ln.Accept()
		if err != nil {
			return
		}
		n.work.Go(func() { n.join(client) })
	}
}

func (n *network) join(client net.Conn) {
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server, err := new(net.Dialer).DialContext(ctx, "tcp", n.target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	n.mu.Lock()
	if n.down {
		n.mu.Unlock()
		return
	}
	n.conns[client], n.conns[server] = struct{}{}, struct{}{}
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		delete(n.conns, client)
		delete(n.conns, server)
		n.mu.Unlock()
	}()
	var up sync.WaitGroup
	up.Go(func() {
		n.pump(server, client)
		_ = server.Close()
	})
	n.pump(client, server)
	_ = client.Close()
	up.Wait()
}

// pump copies until one side ends. While the network is frozen it holds what
// it has.
func (n *network) pump(to io.Writer, from io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		k, err := from.Read(buf)
		n.mu.Lock()
		frozen := n.frozen
		n.mu.Unlock()
		if frozen != nil {
			<-frozen
		}
		if k > 0 {
			if _, err := to.Write(buf[:k]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut ends every connection.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		_ = c.Close()
	}
}

// setDown makes the network refuse connections, or take them again.
func (n *network) setDown(down bool) {
	n.mu.Lock()
	n.down = down
	n.mu.Unlock()
	if down {
		n.cut()
	}
}

// freeze lets nothing through, without a word to either side, until thaw.
func (n *network) freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.frozen = make(chan struct{})
}

func (n *network) thaw() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.frozen != nil {
		close(n.frozen)
		n.frozen = nil
	}
}
