package browser

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/daemon"
)

// TestWall shows walls of several kinds, in several shapes.
func TestWall(t *testing.T) {
	t.Parallel() // it mostly waits
	d := start(t, allKinds)
	feed(t, d)
	for _, tc := range []struct {
		name, query, charts string
		look
	}{
		{"four", "?charts=line,stack,gauge,step&title=Hall", "line stack gauge step", look{width: 1920, height: 1080}},
		{"dark", "?charts=line,stack,gauge,step&theme=dark", "line stack gauge step", look{width: 1920, height: 1080}},
		{"all", "", "line area stack step scatter bar gauge stat", look{width: 1280, height: 800}},
		{"phone", "?charts=line,stat", "line stat", look{width: 390, height: 700, mobile: true}},
		{"200", "?charts=line,stack&columns=2", "line stack", look{width: 640, height: 400}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, tc.look)
			b.goTo(d.URL() + "wall" + tc.query)
			b.do(helpers)
			b.until(`all().length > 0 && all().every((el) => el.state === "live")`)
			if got := eval[string](b, `return all().map((el) => el.src).join(" ")`); got != tc.charts {
				t.Errorf("it shows %s; want %s", got, tc.charts)
			}
			b.until(`/\d\d:\d\d:\d\d/.test(document.querySelector("#clock .hour").textContent)`)
			b.until(`document.body.classList.contains("idle") && getComputedStyle(document.body).cursor === "none"`)
			if wide := eval[bool](b, `return document.scrollingElement.scrollWidth > innerWidth || innerWidth > 640 && document.scrollingElement.scrollHeight > innerHeight`); wide {
				t.Error("the page scrolls")
			}
			if n := eval[int](b, `return all().filter((el) => el.getBoundingClientRect().height < 100 || el.shadowRoot.getElementById("tools").checkVisibility()).length`); n > 0 {
				t.Errorf("%d charts are too small, or have buttons", n)
			}
			b.picture("wall-" + tc.name)
		})
	}
	t.Run("pages", func(t *testing.T) {
		t.Parallel()
		b := open(t, look{width: 320, height: 640, mobile: true})
		b.goTo(d.URL() + "wall?rotate=2&each=3&title=The+northern+hall+of+the+second+plant")
		b.do(helpers)
		b.until(`document.getElementById("page").textContent === "2 / 3" && all().map((el) => el.src).join(" ") === "step scatter bar"`)
		b.until(`document.getElementById("page").textContent === "1 / 3" && all().every((el) => el.state === "live")`)
		if high := eval[float64](b, `return document.getElementById("page").offsetHeight`); high > 30 {
			t.Errorf("which page it is takes %v px: more than a line", high)
		}
	})
	t.Run("from the gallery", func(t *testing.T) {
		t.Parallel()
		b := open(t, look{})
		b.goTo(d.URL())
		b.do(`document.getElementById("wall").click()`)
		b.until(`location.pathname === "/wall" && document.querySelectorAll("chartd-chart").length === 8`)
	})
}

// front is an address that stays while the daemon behind it is another.
type front struct {
	url    string
	behind atomic.Pointer[url.URL] // nil: nobody is there
	conns  sync.Map                // those that are open
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{}
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.url = "http://" + ln.Addr().String() + "/"
	quiet, err := zap.NewStdLogAt(zap.NewNop(), zap.DebugLevel)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet}
	srv.ConnState = func(c net.Conn, _ http.ConnState) { f.conns.Store(c, true) }
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := f.behind.Load()
		if to == nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		proxy := &httputil.ReverseProxy{
			Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(to); p.Out.Host = p.In.Host },
			Transport: &http.Transport{DisableKeepAlives: true}, ErrorLog: srv.ErrorLog,
		}
		proxy.ServeHTTP(w, r)
	})
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	t.Cleanup(func() { f.cut(); _ = srv.Close(); <-done })
	return f
}

// cut takes the daemon away, and every connection to it.
func (f *front) cut() {
	f.behind.Store(nil)
	f.conns.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true })
}

// serve puts a daemon behind the address.
func (f *front) serve(t *testing.T, d *daemon.Daemon) {
	t.Helper()
	to, err := url.Parse(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	f.behind.Store(to)
}

// TestWallSurvives leaves a wall open at ten refreshes a second while its server
// dies and comes back: it says so while that lasts, shows what it had, goes on by
// itself, and does not grow. One of another version makes it load itself anew.
func TestWallSurvives(t *testing.T) {
	long(t)
	f := newFront(t)
	fast := strings.Replace(allKinds, "refresh: 250ms, window: 20s", "refresh: 100ms, window: 3s", 1)
	one, same, other := start(t, fast, daemon.WithVersion("1.0.0")), start(t, fast, daemon.WithVersion("1.0.0")), start(t, fast, daemon.WithVersion("1.1.0"))
	for _, d := range []*daemon.Daemon{one, same, other} {
		feed(t, d)
	}
	f.serve(t, one)
	b := open(t, look{width: 1440, height: 900})
	for _, said := range []string{"WebSocket connection", "502", "ERR_"} {
		b.expect(said)
	}
	if _, err := chromedp.Call(b.ctx, performance.Enable, performance.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	b.goTo(f.url + "wall")
	b.do(helpers + `window.first = true; window.sign = () => document.getElementById("trouble")`)
	b.until(`all().length === 8 && all().every((el) => el.state === "live")`)
	measure := func() (nodes, heap float64) {
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
		for _, x := range m.Metrics {
			switch x.Name {
			case "Nodes":
				nodes = x.Value
			case "JSHeapUsedSize":
				heap = x.Value
			}
		}
		return nodes, heap
	}
	b.do(`await sleep(4000)`) // more than a window
	nodes, heap := measure()

	f.cut()
	b.until(`!sign().hidden && /no connection since \d\d:\d\d/.test(sign().textContent) && all().length === 8 && all().every((el) => svg(el))`)
	b.picture("wall-dead")
	f.serve(t, same)
	b.until(`sign().hidden && all().every((el) => el.state === "live")`)
	b.do(`await sleep(4000)`)
	n, h := measure()
	t.Logf("%.0f nodes and %.0f KiB became %.0f and %.0f", nodes, heap/1024, n, h/1024)
	if n > nodes*1.1 || h > heap*1.1+512<<10 {
		t.Error("it grows")
	}
	if !eval[bool](b, `return window.first === true`) {
		t.Error("a server of the same version made it load itself anew")
	}

	f.cut()
	f.serve(t, other)
	awaitMetric(t, other.URL(), `chartd_http_requests_total{code="3xx",route="/wall"}`, 1) // it is the same page
	b.until(`window.first === undefined && document.querySelectorAll("chartd-chart").length === 8`)
	b.until(`[...document.querySelectorAll("chartd-chart")].every((el) => el.state === "live")`)
}
