package sources

import (
	"fmt"
	"math"
	"net"
	"strings"
	"testing"

	"github.com/chartd/chartd/internal/livetest"
)

// TestScrapeNodeExporter reads a node_exporter that is down at first, dies in the middle and comes back.
func TestScrapeNodeExporter(t *testing.T) {
	t.Parallel()
	path, addr := program(t, "prometheus-node-exporter", "prometheus-node-exporter"), address(t)
	r := start(t, fmt.Sprintf(`
sources:
  node:
    type: scrape
    url: http://me:hunter2@%s/metrics
    interval: 200ms
    keep: node_load1|node_cpu_seconds_total
  elsewhere: {type: scrape, url: "http://%s/metrics", interval: 200ms, keep: node_load1, labels: {job: ""}}
`, addr, addr))
	_, port, _ := net.SplitHostPort(addr)
	livetest.Eventually(t, "the source says that the target is down", func() bool {
		return strings.HasSuffix(r.status("node").Error, "connect: connection refused")
	})
	if got := r.status("node").Samples; got != 0 {
		t.Errorf("%d samples of a target that is down", got)
	}

	// Two sources read it, one of them under a name of its own.
	jobs := []string{"job=node", "job="}
	load := func() (n int) {
		n = math.MaxInt
		for _, job := range jobs {
			n = min(n, len(values(r.one("node_load1", job, "instance=127.0.0.1:"+port))))
		}
		return n
	}
	run := func() *process {
		return launch(t, addr, path, "--web.listen-address="+addr, "--collector.disable-defaults", "--collector.loadavg", "--collector.cpu")
	}
	p := run()
	livetest.Eventually(t, "samples come", func() bool { return load() >= 3 })
	if st := r.status("node"); st.Error != "" || st.Errors == 0 || st.Last.IsZero() {
		t.Errorf("when it is there: %+v", st)
	}
	if n := len(r.store.Select("node_cpu_seconds_total", nil)); n < 8 || len(r.store.Select("go_goroutines", nil)) > 0 {
		t.Errorf("%d counters, and what is not to be kept: %v", n, r.store.Select("go_goroutines", nil))
	}

	p.kill()
	livetest.Eventually(t, "it is missed", func() bool { return r.status("node").Error != "" && r.status("elsewhere").Error != "" })
	left := r.status("node").Samples + r.status("elsewhere").Samples
	if s := r.one("node_load1", "job=node"); !math.IsNaN(s[len(s)-1].V) {
		t.Errorf("the line does not end in a gap: %v", s)
	}
	run()
	livetest.Eventually(t, "samples come again", func() bool {
		return r.status("node").Error == "" && r.status("elsewhere").Error == "" && r.status("node").Samples+r.status("elsewhere").Samples > left+6
	})
	for _, job := range jobs {
		s := r.one("node_load1", job)
		if n := gaps(s); n != 1 {
			t.Errorf("%s: %d gaps for one absence: %v", job, n, s)
		}
		for i := range s[1:] {
			if s[i].T >= s[i+1].T {
				t.Errorf("%s: a sample at %d comes after one at %d", job, s[i+1].T, s[i].T)
			}
		}
	}
	r.holdsNoSecret("hunter2")
}

// TestScrapeChartd reads chartd itself, and draws what it says.
func TestScrapeChartd(t *testing.T) {
	t.Parallel()
	addr := address(t)
	base := serveDaemon(t, addr, fmt.Sprintf(`
sources:
  self: {type: scrape, url: "http://%s/metrics", interval: 100ms}
charts:
  held: {window: 1m, refresh: 100ms, series: [{metric: chartd_store_samples, labels: {job: self}}]}
`, addr))
	livetest.Eventually(t, "the chart has a line", func() bool {
		_, svg := get(t, base+"/charts/held.svg")
		return strings.Contains(svg, "class='l")
	})
	_, metrics := get(t, base+"/metrics")
	for _, want := range []string{`chartd_source_up{kind="scrape",source="self"} 1`, `chartd_source_rejected_total{kind="scrape",source="self"} 0`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	_, sources := get(t, base+"/api/v1/sources")
	if !strings.Contains(sources, `"name":"self"`) || strings.Contains(sources, `"error":`) {
		t.Error(sources)
	}
}
