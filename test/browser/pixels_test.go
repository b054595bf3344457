package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPOSTToPixels sends samples one by one at random moments to a chart of
// `refresh: 100ms` that a page watches, and tells how long each took from the
// beginning of its request until the animation frame in which its point is in the
// DOM, painting not included. Chromium's clock and Go's are the same one of this
// machine. That every sample arrives is asserted, how fast is told; with
// CHARTD_LONG=1 by 300 samples.
func TestPOSTToPixels(t *testing.T) {
	d := start(t, `
listen: "127.0.0.1:0"
sources: {in: {type: push}}
charts:
  line: {kind: line, refresh: 100ms, window: 60s, y: {min: 0, max: 1000}, series: [{metric: m}]}
`)
	n := 30
	if os.Getenv("CHARTD_LONG") != "" {
		n = 300
	}
	url := d.URL() + "api/v1/push"
	client := &http.Transport{}
	defer client.CloseIdleConnections()
	post := func(v int) time.Time {
		t.Helper()
		body := fmt.Sprintf(`{"metric":"m","v":%d}`, v)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			t.Fatal(resp.Status)
		}
		return began
	}
	post(500)
	b := open(t, look{width: 1280, height: 700})
	b.goTo(d.URL() + "blank")
	b.do(helpers + `
		window.el = add({ src: "line", size: "1200x600" });
		await customElements.whenDefined("chartd-chart");`)
	b.until(`el.state === "live"`)
	// A path that grew has a new point. Where it ends is noted in the microtask
	// behind the change, which is in the same animation frame.
	b.do(`
		window.seen = [];
		window.ends = () => [...svg(el).querySelectorAll("[data-name=m] path")].map((p) => p.getAttribute("d")).join("|");
		let last = ends();
		new MutationObserver(() => {
			const now = ends();
			if (now === last) return;
			last = now;
			seen.push([performance.timeOrigin + performance.now(), now]);
		}).observe(el.shadowRoot.getElementById("stage"), { subtree: true, childList: true, attributes: true, characterData: true });`)
	pause := time.NewTimer(0)
	defer pause.Stop()
	took := make([]float64, 0, n)
	for i := range n {
		// The next one goes off when the last is there, after a pause of no beat.
		<-pause.C
		had := eval[int](b, `return seen.length`)
		began := post(i * 7919 % 1000)
		raw := eval[string](b, fmt.Sprintf(`
			const end = performance.now() + %d;
			while (seen.length === %d && performance.now() < end) await new Promise((r) => setTimeout(r, 5));
			return JSON.stringify(seen[%d]?.[0] ?? 0);`, patience.Milliseconds(), had, had))
		var at float64
		if err := json.Unmarshal([]byte(raw), &at); err != nil {
			t.Fatal(err)
		}
		if at == 0 {
			t.Fatalf("sample %d did not arrive", i)
		}
		took = append(took, at-float64(began.UnixNano())/1e6)
		pause.Reset(time.Duration(rand.IntN(100)) * time.Millisecond)
	}
	slices.Sort(took)
	t.Logf("from POST to the pixels, %d samples: at least %.0f ms, median %.0f ms, p90 %.0f ms, p99 %.0f ms, at most %.0f ms",
		n, took[0], took[n/2], took[n*90/100], took[n*99/100], took[n-1])
}
