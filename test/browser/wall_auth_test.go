package browser

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/daemon"
)

// TestWallGuarded: a wall on a server that wants to know who is there asks,
// takes a token from a form or from the address, goes on with the next one when
// that ends, and with the same when the server is another process; signed links
// open their charts alone. It never loads itself anew for that.
func TestWallGuarded(t *testing.T) {
	t.Parallel() // it mostly waits
	f := newFront(t)
	daemons := []*daemon.Daemon{start(t, guarded), start(t, guarded)}
	for _, d := range daemons {
		feed(t, d)
	}
	wall := func(path string) *tab {
		t.Helper()
		b := open(t, look{})
		for _, said := range []string{"the server responded with a status of", "WebSocket connection", "ERR_"} {
			b.expect(said)
		}
		b.goTo(f.url + path)
		b.do(helpers + mint + `window.first = true; window.live = (names) => all().map((el) => el.src).join(" ") === names && all().every((el) => el.state === "live");`)
		return b
	}
	f.serve(t, daemons[0])

	var links []string
	for _, chart := range []string{"line", "stat"} {
		_, link, err := auth.Links{Secret: linkSecret}.Sign(auth.Link{Chart: chart, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, "link="+url.QueryEscape(link))
	}
	byLink := wall("wall?" + strings.Join(links, "&"))
	byLink.until(`live("line stat")`)
	one := wall("wall?" + links[0])
	one.until(`live("line")`)

	b := wall("wall?charts=line,stat&title=Hall")
	b.until(`document.querySelector("#sign-in input") === document.activeElement && document.getElementById("charts").hidden`)
	b.picture("wall-sign-in")
	b.do(`document.querySelector("#sign-in input").value = await mint({ sub: "hall", exp: soon(2), chartd_read: ["*"] }); document.querySelector("#sign-in button").click()`)
	b.until(`live("line stat") && document.getElementById("sign-in").hidden`)
	// It ends, and a second of leeway later so does the session.
	b.until(`!document.getElementById("sign-in").hidden && !document.getElementById("trouble").hidden`)
	b.picture("wall-token-ended")
	b.do(`location.hash = "token=" + await mint({ sub: "hall", exp: soon(600), chartd_read: ["*"] })`)
	b.until(`live("line stat") && document.getElementById("sign-in").hidden && location.hash === ""`)
	b.until(`document.getElementById("trouble").hidden`)

	f.cut()
	tabs := []*tab{byLink, one, b}
	for _, b := range tabs {
		b.until(`all().every((el) => el.state === "stale")`)
	}
	f.serve(t, daemons[1])
	for i, b := range tabs {
		b.until(`live("` + []string{"line stat", "line", "line stat"}[i] + `") && window.first`)
	}
	byLink.picture("wall-links")
}

// TestWallAwake: while it is seen a wall asks for the screen to stay on, again
// whenever it is seen again; that a browser cannot, or will not, is no matter.
func TestWallAwake(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	for name, lock := range map[string]string{
		"granted": `async () => { const lock = Object.assign(new EventTarget(), { released: false }); locks.push(lock); return lock; }`,
		"refused": `async () => { locks.push({ released: true }); throw new DOMException("the battery is low", "NotAllowedError"); }`,
		"absent":  "",
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, look{})
			script := `window.locks = []; delete Navigator.prototype.wakeLock;`
			if lock != "" {
				script += `Object.defineProperty(navigator, "wakeLock", { value: { request: ` + lock + ` } });`
			}
			if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
				t.Fatal(err)
			}
			b.goTo(d.URL() + "wall?charts=line")
			b.do(helpers + `window.show = (visible) => {
				Object.defineProperty(document, "hidden", { configurable: true, get: () => !visible });
				if (!visible) for (const lock of locks) lock.released = true; // as the browser does
				document.dispatchEvent(new Event("visibilitychange"));
			};`)
			b.until(`all().length === 1 && all()[0].state === "live"`)
			held := eval[[]int](b, `
				const now = [];
				const count = async () => { await sleep(0); now.push(locks.filter((l) => !l.released).length); };
				await count();
				show(false); await count();
				show(true); await count();
				document.dispatchEvent(new Event("visibilitychange")); await count(); // it has one
				return now;`)
			want := []int{0, 0, 0, 0}
			if name == "granted" {
				want = []int{1, 0, 1, 1}
			}
			for i := range want {
				if held[i] != want[i] {
					t.Errorf("it holds %v locks at first, hidden, seen again and once more; want %v", held, want)
					break
				}
			}
			b.until(`all()[0].state === "live"`)
		})
	}
}
