package sources

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chartd/chartd/internal/livetest"
)

// TestStaleChart: a chart says why it has no data yet, and for how long the source that feeds it has been
// silent, and why, without saying where it is; until it is back.
func TestStaleChart(t *testing.T) {
	t.Parallel()
	addr := address(t)
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"v":1}`) })
	base := serveDaemon(t, "127.0.0.1:0", fmt.Sprintf(`
sources:
  a: {type: http, url: "http://%s/data", interval: 100ms}
charts:
  c: {series: [{metric: a_v}]}
`, addr))
	shown := func() string {
		_, svg := get(t, base+"/charts/c.svg")
		return svg
	}
	livetest.Eventually(t, "the chart says what it waits for", func() bool {
		return strings.Contains(shown(), ">waiting for data: connection refused</text>")
	})
	stop := serveAt(t, addr, h)
	livetest.Eventually(t, "data come", func() bool { return strings.Contains(shown(), "data-name='a_v'") })
	if svg := shown(); strings.Contains(svg, "stale for") || strings.Contains(svg, "waiting for") {
		t.Error("a source that is well is called stale")
	}
	stop()
	livetest.Eventually(t, "the chart says so", func() bool {
		svg := shown()
		return strings.Contains(svg, ">stale for ") && strings.Contains(svg, " s: connection refused</text>")
	})
	if strings.Contains(shown(), addr) {
		t.Error("the chart tells where its source is")
	}
	serveAt(t, addr, h)
	livetest.Eventually(t, "all is well again", func() bool { return !strings.Contains(shown(), "stale for") })
}
