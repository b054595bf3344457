package sources

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chartd/chartd/internal/livetest"
)

// target is what a Prometheus of these tests scrapes: a counter of its own scrapes, so that every value tells which one it is of.
type target struct {
	addr   string
	scrape atomic.Int64
	more   atomic.Pointer[string]    // further lines
	each   func(scrape int64) string // further lines of a scrape; may be nil
}

func newTarget(t testing.TB) *target {
	t.Helper()
	tg := &target{addr: address(t)}
	serveAt(t, tg.addr, tg)
	return tg
}

func (tg *target) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	n := tg.scrape.Add(1)
	fmt.Fprintf(w, "# TYPE beat gauge\nbeat{kind=\"one\"} %d\n", n)
	if tg.each != nil {
		_, _ = io.WriteString(w, tg.each(n))
	}
	if more := tg.more.Load(); more != nil {
		fmt.Fprint(w, *more)
	}
}

// promServer is a Prometheus that can be ended and started again where it was.
type promServer struct {
	*process
	t    testing.TB
	dir  string
	addr string
	args []string
}

// newProm prepares a Prometheus that scrapes the target twice a second. config is added to its configuration.
func newProm(t testing.TB, tg *target, config string, args ...string) *promServer {
	t.Helper()
	p := &promServer{t: t, dir: t.TempDir(), addr: address(t)}
	p.write("prometheus.yml", fmt.Sprintf(`
global: {scrape_interval: 500ms, scrape_timeout: 500ms, query_log_file: %s}
scrape_configs:
  - {job_name: t, static_configs: [{targets: ["%s"]}]}
%s`, filepath.Join(p.dir, "query.log"), tg.addr, config))
	p.args = append([]string{
		"--config.file=" + filepath.Join(p.dir, "prometheus.yml"), "--storage.tsdb.path=" + filepath.Join(p.dir, "data"),
		"--web.listen-address=" + p.addr, "--query.lookback-delta=1s", "--storage.remote.flush-deadline=1s",
	}, args...)
	return p
}

func (p *promServer) write(name, text string) (path string) {
	p.t.Helper()
	path = filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// replace changes the configuration before the start.
func (p *promServer) replace(old, with string) {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, "prometheus.yml"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("prometheus.yml", strings.ReplaceAll(string(b), old, with))
}

// start starts it, and waits until it answers queries.
func (p *promServer) start() {
	p.t.Helper()
	p.process = launch(p.t, p.addr, program(p.t, "prometheus", "prometheus"), p.args...)
	livetest.Eventually(p.t, "Prometheus is ready", func() bool {
		status, _ := get(p.t, "http://"+p.addr+"/-/ready")
		return status == http.StatusOK || strings.Contains(strings.Join(p.args, " "), "--web.config.file")
	})
}

// metric returns the sum of a metric that the Prometheus has of itself.
func (p *promServer) metric(name string, labels ...string) float64 {
	p.t.Helper()
	status, body := get(p.t, "http://"+p.addr+"/metrics")
	if status != http.StatusOK {
		p.t.Fatalf("the Prometheus answers %d", status)
	}
	return livetest.Sum(p.t, body, name, labels...)
}
