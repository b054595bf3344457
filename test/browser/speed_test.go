package browser

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/store"
)

// many fills a daemon's store with series of so many samples each, evenly over
// a span that ends now.
func many(t testing.TB, d *daemon.Daemon, series, samples int, over time.Duration) {
	t.Helper()
	end := time.Now().UnixMilli()
	for k := range series {
		app := d.Store()
		labels := store.LabelsOf(map[string]string{"mode": string(rune('a' + k))})
		for i := range samples {
			at := end - over.Milliseconds() + int64(i)*over.Milliseconds()/int64(samples)
			x := float64(i) / float64(samples)
			v := 20*float64(k) + 9*math.Sin(x*40+float64(k)) + 4*math.Sin(x*997) + 2*math.Sin(x*31_013)
			if err := app.Append("m", labels, at, v); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// BenchmarkCrosshair moves a real pointer over a chart of 4 × 10,000 samples.
// script is what the page's own code takes for one move, and with it the style
// and layout that it asks for; shown is from the dispatch of the event until the
// frame with the crosshair has been painted. What an event waits for the next
// frame of the display is not in either.
func BenchmarkCrosshair(b *testing.B) {
	d := start(b, `
listen: "127.0.0.1:0"
charts:
  many: {title: Many, kind: line, window: 10m, refresh: 1s, series: [{metric: m, name: "{mode}"}]}
`)
	many(b, d, 4, 10_000, 10*time.Minute)
	page := open(b, look{width: 1280, height: 700})
	page.chart(d.URL(), `{src: "many"}`, "width:1280px;height:640px")
	r := page.dataBox("el")
	page.hover(r.at(0.5, 0.5))
	page.until(`readout(el) !== null`)
	page.do(`
		window.script = []; window.shown = [];
		const raf = requestAnimationFrame.bind(window), cross = el.shadowRoot.getElementById("cross");
		window.requestAnimationFrame = (then) => raf((now) => {
			const began = performance.now();
			then(now);
			cross.getBoundingClientRect();
			script.push(performance.now() - began);
		});
		addEventListener("pointermove", () => {
			const began = performance.now();
			raf(() => {
				const { port1, port2 } = new MessageChannel(); // its message comes when the frame is done
				port1.onmessage = () => { shown.push(performance.now() - began); port1.close(); };
				port2.postMessage(0);
			});
		}, true);`)
	i := 0
	for b.Loop() {
		i++
		page.hover(r.at(0.02+0.96*math.Mod(float64(i)*0.377, 1), 0.1+0.8*math.Mod(float64(i)*0.233, 1)))
	}
	report(b, page, "script", "shown")
}

// report says how long things took: lists of ms in the page.
func report(b *testing.B, page *tab, lists ...string) {
	b.Helper()
	type times struct{ Median, P95, P99, Max float64 }
	for _, name := range lists {
		q := eval[times](page, `const all = `+name+`.sort((a, b) => a - b); const q = (p) => all[Math.min(all.length - 1, Math.floor(all.length * p))]; return { median: q(.5), p95: q(.95), p99: q(.99), max: q(1) };`)
		b.ReportMetric(q.Median, name+"-median-ms")
		b.ReportMetric(q.P95, name+"-p95-ms")
		b.ReportMetric(q.P99, name+"-p99-ms")
		b.ReportMetric(q.Max, name+"-max-ms")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkZoom selects ranges of a chart with ten million samples in the
// store, and with next to none, which is what page and machine take by
// themselves: from the moment the hand lets go until the server's own picture
// has been painted.
func BenchmarkZoom(b *testing.B) {
	for _, samples := range []int{1_000, 10_000_000} {
		b.Run("samples="+strconv.Itoa(samples), func(b *testing.B) { zoom(b, samples) })
	}
}

func zoom(b *testing.B, samples int) {
	d := start(b, `
listen: "127.0.0.1:0"
store: {max_age: 24h, max_samples: 3000000}
session: {new_views_per_minute: 100000}
charts:
  many: {title: Many, kind: line, window: 10h, refresh: 1s, series: [{metric: m, name: "{mode}"}]}
`)
	many(b, d, 4, samples/4, 10*time.Hour)
	page := open(b, look{width: 1280, height: 700})
	page.chart(d.URL(), `{src: "many"}`, "width:1280px;height:640px")
	r := page.dataBox("el")
	page.do(`
		window.exact = [];
		let released = 0;
		addEventListener("pointerup", () => { released = performance.now(); }, true);
		// The stage is stretched from the release, or before, to the landing.
		new MutationObserver(() => {
			if (released === 0 || svg(el).closest(".stretched")) return;
			const began = released;
			released = 0;
			const { port1, port2 } = new MessageChannel(); // its message comes when the frame is done in which pictures are shown
			port1.onmessage = () => { exact.push(performance.now() - began); port1.close(); };
			port2.postMessage(0);
		}).observe(el.shadowRoot.getElementById("stage"), { attributes: true, attributeFilter: ["class"] });`)
	i := 0
	for b.Loop() {
		i++
		share := 0.02 + 0.4*math.Mod(float64(i)*0.377, 1)
		x0, y := r.at(share, 0.5)
		x1, _ := r.at(share+0.3, 0.5)
		page.drag(x0, y, x1, y, 0)
		page.until(`exact.length === ` + strconv.Itoa(i))
		page.do(`tool(el, "live").click()`)
		page.until(`!el.view.to && el.state === "live" && !svg(el).closest(".stretched")`)
	}
	report(b, page, "exact")
}
