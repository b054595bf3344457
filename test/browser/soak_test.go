package browser

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

func nowMillis() int64 { return time.Now().UnixMilli() }

// TestSoak leaves a page with all kinds open at four refreshes a second: it does
// not grow. It runs for 20 s; CHARTD_SOAK=10m prolongs that.
func TestSoak(t *testing.T) {
	length := 20 * time.Second
	if text := os.Getenv("CHARTD_SOAK"); text == "" {
		long(t)
	} else {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("CHARTD_SOAK: %v", err)
		}
	}
	// A short window, so that what leaves it begins to leave soon.
	d := start(t, strings.Replace(allKinds, "window: 20s", "window: 5s", 1))
	feed(t, d)
	b := open(t, look{width: 1440, height: 1000})
	if _, err := chromedp.Call(b.ctx, performance.Enable, performance.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	b.goTo(d.URL())
	b.do(helpers)
	b.until(`all().length === 8 && all().every((el) => el.state === "live")`)
	// Listening to events costs, too.
	b.do(`window.heard = 0; for (const el of all()) el.addEventListener("aftercallbackresponseprocess", () => heard++);`)

	type sizes struct{ nodes, listeners, heap float64 }
	measure := func() sizes {
		t.Helper()
		for range 2 {
			if _, err := chromedp.Call(b.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
				t.Fatal(err)
			}
		}
		m, err := chromedp.Call(b.ctx, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		var s sizes
		for _, x := range m.Metrics {
			switch x.Name {
			case "Nodes":
				s.nodes = x.Value
			case "JSEventListeners":
				s.listeners = x.Value
			case "JSHeapUsedSize":
				s.heap = x.Value
			}
		}
		return s
	}
	wait := time.NewTimer(min(length/4, 15*time.Second))
	<-wait.C
	first := measure()
	t.Logf("at first: %.0f nodes, %.0f listeners, %.0f KiB", first.nodes, first.listeners, first.heap/1024)
	step := max(length/8, time.Second)
	var last sizes
	least := sizes{nodes: 1e12, listeners: 1e12, heap: 1e12} // of the second half
	for begin := time.Now(); time.Since(begin) < length; {
		wait.Reset(step)
		<-wait.C
		last = measure()
		t.Logf("after %v: %.0f nodes, %.0f listeners, %.0f KiB", time.Since(begin).Round(time.Second), last.nodes, last.listeners, last.heap/1024)
		if time.Since(begin) > length/2 {
			least = sizes{min(least.nodes, last.nodes), min(least.listeners, last.listeners), min(least.heap, last.heap)}
		}
	}
	// Chunks come and go: a tenth up or down is noise. What leaks grows with
	// every one of the hundreds of refreshes.
	if least.nodes > first.nodes*1.1 || least.listeners > first.listeners*1.1 || least.heap > first.heap*1.1+512<<10 {
		t.Errorf("it grew from %+v to at least %+v", first, least)
	}
	if heard := eval[float64](b, `return heard`); heard < 8*4*length.Seconds()/2 {
		t.Errorf("only %.0f refreshes were heard in %v", heard, length)
	}
	if !eval[bool](b, `return all().every((el) => el.state === "live")`) {
		t.Error("not every chart is live at the end")
	}
}

// TestHidden: a page that nobody sees is sent nothing, and catches up at once:
// a chart whose refresh is far off does not wait for it.
func TestHidden(t *testing.T) {
	t.Parallel() // it mostly waits
	d := start(t, allKinds+"  rare: {title: Rare, kind: line, refresh: 10m, series: *all}\nsession: {linger: 1s}\n")
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + `
		window.raw = 0; // messages that are no answers
		const take = WebSocket.prototype.send;
		window.sent = [];
		WebSocket.prototype.send = function (data) {
			if (!this.counted) { this.counted = true; this.addEventListener("message", (e) => { raw += [JSON.parse(e.data)].flat().filter((m) => m.t !== "ok").length; }); }
			sent.push(data);
			return take.call(this, data);
		};
		for (const src of ["line", "stat", "rare"]) add({ src, size: "640x320" });
		window.show = (visible) => {
			Object.defineProperty(document, "hidden", { configurable: true, get: () => !visible });
			document.dispatchEvent(new Event("visibilitychange"));
		};`)
	b.until(`all().every((el) => el.state === "live")`)
	b.do(`show(false)`)
	b.until(`sent.map((s) => JSON.parse(s)).flat().filter((m) => m.t === "set" && m.view.paused).length === 3`)
	awaitMetric(t, d.URL(), "chartd_views", 0) // after their linger
	quiet := eval[int](b, `
		const before = raw;
		window.was = all().map((el) => write(svg(el)));
		await sleep(1500);
		return raw - before;`)
	if quiet != 0 {
		t.Errorf("a hidden page was sent %d messages", quiet)
	}
	b.do(`show(true)`)
	b.until(`all().every((el, i) => write(svg(el)) !== was[i] && el.state === "live")`)
}
