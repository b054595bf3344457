package sources

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
)

// writesTo is what makes a Prometheus write to an address, at once and without giving up.
func writesTo(addr string) string {
	return fmt.Sprintf(`
remote_write:
  - url: http://%s/api/v1/write
    queue_config: {batch_send_deadline: 100ms, min_backoff: 50ms, max_backoff: 500ms, retry_on_http_429: true}
`, addr)
}

// TestRemoteWrite lets a Prometheus write to chartd, which is away at first and again in the middle: nothing is lost, and nothing is there twice.
func TestRemoteWrite(t *testing.T) {
	t.Parallel()
	tg, addr := newTarget(t), address(t)
	extra := "leaving{} 7\nendless +Inf\n"
	tg.more.Store(&extra)
	p := newProm(t, tg, writesTo(addr))
	p.start()
	r := start(t, "sources: {}")
	beats := func() []store.Sample { return r.one("beat", "kind=one", "job=t", "instance="+tg.addr) }
	livetest.Eventually(t, "the Prometheus tries in vain", func() bool { return p.metric("prometheus_remote_storage_samples_retried_total") > 0 })

	// Now and then the receiver is too busy, and answers only after it has taken the samples.
	var requests atomic.Int64
	busy := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if requests.Add(1)%5 == 0 {
			rec := &deaf{header: http.Header{}}
			r.ServeHTTP(rec, req)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		r.ServeHTTP(w, req)
	})
	stop := serveAt(t, addr, busy)
	livetest.Eventually(t, "samples come", func() bool { return len(beats()) >= 6 })
	stop()
	retried := p.metric("prometheus_remote_storage_samples_retried_total")
	livetest.Eventually(t, "it is missed", func() bool { return p.metric("prometheus_remote_storage_samples_retried_total") > retried })
	before := tg.scrape.Load()
	none := ""
	tg.more.Store(&none)
	livetest.Eventually(t, "there is more to tell", func() bool { return tg.scrape.Load() >= before+3 })
	serveAt(t, addr, busy)
	upTo := float64(tg.scrape.Load())
	livetest.Eventually(t, "it comes after all", func() bool { s := beats(); return len(s) > 0 && s[len(s)-1].V >= upTo })

	s := beats()
	for i, v := range s {
		if v.V != float64(i+1) {
			t.Errorf("sample %d is %v: something is missing, or there twice: %v", i+1, v, s)
			break
		}
	}
	if gone := r.one("leaving", "job=t"); len(values(gone)) == 0 || !math.IsNaN(gone[len(gone)-1].V) {
		t.Errorf("a series that ended has no gap: %v", gone)
	}
	if endless := r.one("endless", "job=t"); len(endless) == 0 || len(values(endless)) > 0 {
		t.Errorf("an infinite value is shown as %v", endless)
	}
	if len(values(r.one("up", "job=t"))) == 0 {
		t.Error("up is not there")
	}
	for _, name := range []string{"failed", "dropped"} {
		if n := p.metric("prometheus_remote_storage_samples_" + name + "_total"); n != 0 {
			t.Errorf("%v samples %s:\n%s", n, name, p.out)
		}
	}
	if st := r.status("remote_write"); st.Rejected != 0 || st.Skipped == 0 || st.Error != "" || st.Last.IsZero() {
		t.Errorf("%+v", st)
	}
}

// deaf is an answer that nobody reads.
type deaf struct{ header http.Header }

func (d *deaf) Header() http.Header         { return d.header }
func (d *deaf) Write(b []byte) (int, error) { return len(b), nil }
func (d *deaf) WriteHeader(int)             {}

// TestRemoteWriteFull lets a Prometheus write to a store that has no room for all of its series: it is told so, and what was there goes on.
func TestRemoteWriteFull(t *testing.T) {
	t.Parallel()
	tg, addr := newTarget(t), address(t)
	var lines strings.Builder
	for i := range 50 {
		fmt.Fprintf(&lines, "many{n=\"%d\"} 1\n", i)
	}
	p := newProm(t, tg, writesTo(addr)+`    write_relabel_configs: [{source_labels: [__name__], regex: beat|many, action: keep}]`)
	r := start(t, "store: {max_series: 10}")
	serveAt(t, addr, r)
	p.start()
	beats := func() []store.Sample { return r.one("beat", "kind=one") }
	livetest.Eventually(t, "samples come", func() bool { return len(beats()) >= 1 })
	text := lines.String()
	tg.more.Store(&text)
	livetest.Eventually(t, "the source says what it refuses", func() bool {
		return strings.Contains(r.status("remote_write").Reject, "the limit of store.max_series (10) is reached")
	})
	had := len(beats())
	livetest.Eventually(t, "what was there goes on", func() bool { return len(beats()) >= had+3 })
	if n := len(r.store.Select("many", nil)); n != 9 {
		t.Errorf("%d series beside the one", n)
	}
	livetest.Eventually(t, "the Prometheus says why", func() bool {
		return strings.Contains(p.out.String(), "samples were rejected; the first, of series")
	})
}
