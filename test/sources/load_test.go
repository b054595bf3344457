package sources

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/wire"
)

const (
	loadMetrics = 100
	loadEach    = 100 // series of each metric
	loadCharts  = 50
)

// TestRemoteWriteLoad lets a Prometheus that scrapes 10,000 series a second write all of them to a daemon whose 50 charts are watched.
// It takes as long as CHARTD_LOAD says: CHARTD_LOAD=5m go test -timeout 10m -run Load -v ./test/sources.
func TestRemoteWriteLoad(t *testing.T) {
	d, err := time.ParseDuration(os.Getenv("CHARTD_LOAD"))
	if err != nil {
		t.Skip("it takes as long as CHARTD_LOAD says, such as 30s, and that is not set")
	}
	tg := newTarget(t)
	tg.each = func(scrape int64) string {
		var b strings.Builder
		for m := range loadMetrics {
			for n := range loadEach {
				fmt.Fprintf(&b, "load_%d{n=\"%d\",zone=\"a%d\"} %d\n", m, n, n%7, scrape*int64(n+1)%1000)
			}
		}
		return b.String()
	}
	var charts strings.Builder
	for i := range loadCharts {
		fmt.Fprintf(&charts, "  c%d: {refresh: 1s, window: 1m, series: [{metric: load_%d, labels: {n: \"=~[0-3]\"}}]}\n", i, i)
	}
	addr := address(t)
	base := serveDaemon(t, addr, "store: {max_series: 30000}\ncharts:\n"+charts.String())
	p := newProm(t, tg, fmt.Sprintf("remote_write: [{url: \"http://%s/api/v1/write\"}]\n", addr))
	p.replace("500ms", "1s")
	p.start()

	c := livetest.Dial(t, base)
	c.Hello("")
	watched := map[string]int{}
	for i := range loadCharts {
		watched[c.Sub(wire.Sub{Chart: fmt.Sprintf("c%d", i)}).V] = 0
	}
	for end := time.Now().Add(d); time.Now().Before(end); {
		switch m := c.Next().(type) {
		case wire.Full:
			watched[m.V]++
		case wire.Patch:
			watched[m.V]++
		}
	}
	least := min(int(d/time.Second)-5, int(d/time.Second)*9/10)
	for v, frames := range watched {
		if frames < least {
			t.Errorf("%s was sent %d frames in %v", v, frames, d)
		}
	}

	sent := p.metric("prometheus_remote_storage_samples_total")
	status, metrics := get(t, base+"/metrics")
	if status != http.StatusOK {
		t.Fatal(status)
	}
	of := func(name string, labels ...string) float64 { return livetest.Sum(t, metrics, name, labels...) }
	t.Logf("%v: %.0f samples sent, %.0f taken, %.0f refused, %.0f retried; %.0f ticks, %.0f of them late", d, sent,
		of("chartd_source_samples_total", `source="remote_write"`), of("chartd_source_rejected_total"),
		p.metric("prometheus_remote_storage_samples_retried_total"), of("chartd_ticks_total"), of("chartd_skipped_ticks_total"))
	for _, name := range []string{"failed", "dropped"} {
		if n := p.metric("prometheus_remote_storage_samples_" + name + "_total"); n != 0 {
			t.Errorf("%v samples %s:\n%s", n, name, p.out)
		}
	}
	if want := loadMetrics * loadEach * (d.Seconds() - 20) * 0.9; sent < want {
		t.Errorf("%v samples were sent, want %v", sent, want)
	}
	if late, ticks := of("chartd_skipped_ticks_total", "late"), of("chartd_ticks_total"); late > ticks/100 {
		t.Errorf("%v of %v ticks were late", late, ticks)
	}
	if n := of("chartd_source_rejected_total", `source="remote_write"`); n != 0 {
		t.Errorf("%v samples were refused", n)
	}
}
