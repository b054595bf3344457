package browser

import (
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/chartd/chartd/pkg/daemon"
)

// modules is where npm puts what tests of the page need.
const modules = "../../web/node_modules"

// need fails a test for which a module is missing.
func need(t *testing.T, name string) {
	t.Helper()
	if browser == nil {
		t.Skip("no Chromium on this machine: install the package chromium")
	}
	if _, err := os.Stat(modules + "/" + name); err != nil {
		t.Fatalf("%v: run npm ci --prefix web", err)
	}
}

// frameworkPage is a page that a framework fills. Half of each script runs
// before chartd.js is there: late says when that comes.
const frameworkPage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>framework</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": {
	"svelte": "/modules/svelte/src/index-client.js",
	"svelte/internal/client": "/modules/svelte/src/internal/client/index.js",
	"svelte/internal/disclose-version": "/modules/svelte/src/internal/disclose-version.js",
	"#client/constants": "/modules/svelte/src/internal/client/constants.js",
	"svelte/reactivity": "/modules/svelte/src/reactivity/index-client.js",
	"esm-env": "/modules/esm-env/index.js", "esm-env/browser": "/modules/esm-env/true.js", "esm-env/development": "/modules/esm-env/false.js", "esm-env/node": "/modules/esm-env/false.js",
	"clsx": "/modules/clsx/dist/clsx.mjs", "devalue": "/modules/devalue/index.js"
}}</script>
<script>
	window.page = { mounted: 0, events: [], heard: (e) => page.events.push(e.type + " " + (e.detail.state ?? e.detail.cause)) };
	window.sockets = [];
	window.WebSocket = class extends WebSocket { constructor(...a) { super(...a); sockets.push(this); } };
</script><body><div id="app"></div></body></html>`

// frameworks runs a daemon that serves frameworkPage at /framework, and what it
// needs.
func frameworks(t *testing.T) *daemon.Daemon {
	t.Helper()
	need(t, "react")
	need(t, "vue")
	need(t, "svelte")
	return start(t, allKinds,
		daemon.WithPage("GET /framework", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, frameworkPage)
		})),
		daemon.WithPage("GET /modules/", http.StripPrefix("/modules/", http.FileServer(http.Dir(modules)))),
		daemon.WithPage("GET /scripts/", http.StripPrefix("/scripts/", http.FileServer(http.Dir("testdata/frameworks")))),
	)
}

// TestFrameworks puts the tag into pages of React, Vue and Svelte as they are,
// without a wrapper: what they set arrives, what they listen to is heard, and
// nothing is left when they take it away.
func TestFrameworks(t *testing.T) {
	d := frameworks(t)
	feed(t, d)
	for _, name := range []string{"react", "vue", "svelte"} {
		for _, first := range []string{"chartd", "framework"} {
			t.Run(name+"/"+first+" first", func(t *testing.T) {
				t.Parallel() // a socket lingers ten seconds
				b := open(t, look{})
				b.expect("You are running a development build of Vue")
				b.expect("Download the React DevTools")
				b.goTo(d.URL() + "framework")
				b.do(helpers)
				if first == "chartd" {
					b.do(`await import("/chartd.js")`)
				}
				b.do(`await import("/scripts/` + name + `.js"); page.start();`)
				b.until(`page.ready && page.mounted === page.strict`)
				if first == "framework" {
					b.until(`all().length === 1 && !customElements.get("chartd-chart")`)
					b.do(`await import("/chartd.js")`)
				}
				b.until(`all().length === 1 && all()[0].state === "live" || JSON.stringify([all().map((el) => [el.outerHTML, el.state]), page])`)
				b.until(`JSON.stringify([all()[0].src, all()[0].view.window, all()[0].view.hidden, all()[0].pick]) === '["line","20s",["user"],true]' || JSON.stringify([all()[0].outerHTML, all()[0].view])`)
				b.until(`page.events.includes("statechange live")`)

				// Another value of a prop is another view; another src another chart.
				b.do(`window.was = all()[0]; page.set({ window: 10000, hide: ["steal", "iowait"] })`)
				b.until(`JSON.stringify([was.view.window, was.view.hidden]) === '[10000,["steal","iowait"]]' && was.state === "live"`)
				b.do(`page.set({ src: "stat" })`)
				b.until(`svg(was)?.querySelector("title")?.textContent === "Stat" && all()[0] === was`)

				if first == "framework" { // nobody saw that it listens
					b.do(`page.set({ events: true })`)
					b.until(`was.hasAttribute("events")`)
				}
				b.do(`await page.callback("hello")`)
				b.until(`page.events.includes("aftercallback client")`)

				// The last one gone, the socket goes.
				b.do(`page.stop()`)
				b.until(`all().length === 0 && !was.isConnected`)
				b.until(`sockets.filter((s) => s.readyState < 2).length === 0`)
				if n := eval[int](b, `return sockets.length`); n != 1 {
					t.Errorf("%d sockets were opened; want one", n)
				}
			})
		}
	}
}
