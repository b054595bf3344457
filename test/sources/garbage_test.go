package sources

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
)

// TestGarbageInBetween lets a real node_exporter and a real Prometheus answer through a proxy that sends rubbish for a while.
func TestGarbageInBetween(t *testing.T) {
	t.Parallel()
	exporter, front := address(t), address(t)
	launch(t, exporter, program(t, "prometheus-node-exporter", "prometheus-node-exporter"),
		"--web.listen-address="+exporter, "--collector.disable-defaults", "--collector.loadavg")
	p := newProm(t, newTarget(t), "")
	p.start()
	var rubbish atomic.Bool
	proxy := func(addr string) http.Handler {
		real := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if rubbish.Load() {
				_, _ = w.Write([]byte("\x00\xff{\"status\": <beat{ 12 hunter2\n" + strings.Repeat("x", 1000)))
				return
			}
			real.ServeHTTP(w, r)
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", proxy(exporter))
	mux.Handle("/api/", proxy(p.addr))
	serveAt(t, front, mux)
	r := start(t, fmt.Sprintf(`
sources:
  node: {type: scrape, url: "http://%s/metrics", interval: 200ms, headers: {X-Key: hunter2}, keep: node_load1}
  prom: {type: prometheus, url: "http://%s", window: 30s, step: 1s, headers: {X-Key: hunter2}, queries: {beats: beat}}
`, front, front))
	scraped := func() []store.Sample { return r.one("node_load1", "job=node") }
	asked := func() []store.Sample { return r.one("beats", "kind=one") }
	livetest.Eventually(t, "samples come", func() bool { return len(values(scraped())) >= 3 && len(values(asked())) >= 3 })
	rubbish.Store(true)
	livetest.Eventually(t, "both say what they are sent", func() bool {
		return strings.Contains(r.status("node").Error, "want metrics") && strings.Contains(r.status("prom").Error, "is not that of Prometheus' API")
	})
	if s := scraped(); !math.IsNaN(s[len(s)-1].V) {
		t.Errorf("what cannot be read is no gap: %v", s)
	}
	rubbish.Store(false)
	began := time.Now().UnixMilli()
	newest := func(s []store.Sample) int64 { v := values(s); return v[len(v)-1].T }
	livetest.Eventually(t, "samples come again", func() bool { return newest(scraped()) > began && newest(asked()) > began+1000 })
	if n := gaps(scraped()); n != 1 {
		t.Errorf("%d gaps in what was scraped: %v", n, scraped())
	}
	// The Prometheus has gone on, and is asked for what was missed.
	s := asked()
	for i := range s[1:] {
		if s[i+1].T != s[i].T+1000 || math.IsNaN(s[i].V) {
			t.Errorf("what was asked has a hole: %v", s)
			break
		}
	}
	r.holdsNoSecret("hunter2")
}
