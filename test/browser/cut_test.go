package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/pkg/wire"
	"github.com/chartd/chartd/web"
)

// never watches whether a chart is ever without a picture once it had one.
const never = `
	window.blank = 0;
	(async () => {
		for (;;) {
			for (const el of all()) if (!svg(el)) blank++;
			await frame();
		}
	})();`

// TestCut cuts the connection of a page. It comes back in the same session and
// at the same place, and is never blank.
func TestCut(t *testing.T) {
	t.Parallel() // it mostly waits
	// With pinned axes no new epoch begins by itself. The last 8 frames are
	// kept for who comes back: at one a second, even a slow machine is back in
	// time to be sent patches.
	d := start(t, strings.NewReplacer("refresh: 250ms", "refresh: 1s", "kind: line,", "kind: line, y: {min: 0, max: 100},", "y: {unit: short}", "y: {min: 0, max: 100, unit: short}").Replace(allKinds))
	feed(t, d)
	n := between(t, d)
	b := open(t, look{})
	b.expect("WebSocket connection to") // Chromium reports each that fails
	b.goTo(n.url + "blank")
	b.do(helpers + `add({ src: "line" }); add({ src: "stat" });`)
	b.until(`all().every((el) => el.state === "live")`)
	b.do(never + `
		window.states = [];
		for (const el of all()) el.addEventListener("statechange", (e) => states.push(e.detail.state));
		window.roots = all().map(svg);
		const { home, Server } = await import("/chartd.js");
		const server = Server.at(home);
		window.longest = 0; // outage, in ms, as the page saw it
		let since = 0;
		server.addEventListener("change", () => {
			if (server.phase !== "open") since ||= performance.now();
			else if (since > 0) { longest = Math.max(longest, performance.now() - since); since = 0; }
		});`)

	t.Run("a blip passes unseen", func(t *testing.T) {
		n.cut()
		awaitMetric(t, d.URL(), `chartd_hellos_total{result="resumed"}`, 1)
		b.do(`window.was = all().map((el) => write(svg(el)))`)
		b.until(`all().every((el, i) => write(svg(el)) !== was[i] && el.state === "live")`)
		// What lasts longer than 0.6 s is said, on a busy machine too.
		if states, ms := eval[[]string](b, `return states`), eval[float64](b, `return longest`); len(states) != 0 && ms < 500 {
			t.Errorf("states %v after %v ms; want none", states, ms)
		} else if len(states) != 0 {
			t.Logf("the way back took %v ms; states %v", ms, states)
		}
		if !eval[bool](b, `return all().every((el, i) => svg(el) === roots[i])`) {
			t.Error("pictures were replaced; want them patched")
		}
	})

	t.Run("an outage is said, and passes", func(t *testing.T) {
		n.setDown(true)
		b.until(`all().every((el) => el.state === "stale" && el.getAttribute("state") === "stale")`)
		if text := eval[string](b, `return all()[0].shadowRoot.getElementById("word").textContent`); text != "stale: reconnecting" {
			t.Errorf("the badge says %q", text)
		}
		b.until(`all()[0].shadowRoot.getElementById("said").textContent === "Line: stale: reconnecting" || all()[0].shadowRoot.getElementById("said").textContent`)
		b.picture("stale")
		rejected := eval[string](b, `
			const late = all()[0].callback("x").then(() => "resolved", (err) => err.code);
			return Promise.race([late, sleep(300).then(() => "waits")])`)
		if rejected != "waits" {
			t.Errorf("a callback in an outage: %s; want it to wait", rejected)
		}
		n.setDown(false)
		b.until(`all().every((el) => el.state === "live")`)
		awaitMetric(t, d.URL(), `chartd_hellos_total{result="resumed"}`, 2)
	})

	t.Run("silence is noticed", func(t *testing.T) {
		n.freeze()
		b.until(`all().some((el) => el.state === "stale" && el.shadowRoot.getElementById("word").textContent.includes("does not answer"))`)
		n.thaw()
		b.until(`all().every((el) => el.state === "live")`)
	})

	if n := eval[int](b, `return blank`); n != 0 {
		t.Errorf("blank %d times", n)
	}
}

// stand serves a page and, in place of a daemon, a WebSocket that says what a
// test wants: what a daemon does only when something is wrong with it.
func stand(t *testing.T, talk func(c *websocket.Conn, gone <-chan struct{})) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(web.Static()))
	mux.HandleFunc("/blank", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(blank))
	})
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		talk(c, r.Context().Done())
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// TestCloseCodes: the server's last word decides whether a page comes back.
func TestCloseCodes(t *testing.T) {
	t.Parallel() // it mostly waits
	var hellos atomic.Int32
	code := make(chan int, 8)
	url := stand(t, func(c *websocket.Conn, gone <-chan struct{}) {
		if _, _, err := c.ReadMessage(); err != nil {
			return
		}
		hellos.Add(1)
		select {
		case code := <-code:
			_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, "because of the test"))
		case <-gone:
		}
		_, _, _ = c.ReadMessage()
	})
	b := open(t, look{})
	b.goTo(url + "/blank")
	b.do(helpers + `window.el = add({ src: "cpu" });`)
	for _, c := range []int{4000, 1011} {
		code <- c
	}
	code <- 4501
	b.until(`el.state === "lost"`)
	if text := eval[string](b, `return el.shadowRoot.getElementById("word").textContent`); text != "lost: refused by the server: because of the test" {
		t.Errorf("the badge says %q", text)
	}
	if n := hellos.Load(); n != 3 {
		t.Errorf("%d hellos; want one after each of 4000 and 1011, and the first", n)
	}
	// It does not come back, not even when somebody looks again.
	b.do(`dispatchEvent(new Event("online")); dispatchEvent(new Event("pageshow")); await sleep(1500);`)
	if n := hellos.Load(); n != 3 {
		t.Errorf("%d hellos after it was refused", n)
	}
	if got := eval[string](b, `return el.callback("x").catch((err) => err.code + ": " + err.message)`); got != "disconnected: because of the test" {
		t.Errorf("a callback: %s", got)
	}
}

// TestOverdue: a chart that always moved and does not any more is stale,
// although the server answers.
func TestOverdue(t *testing.T) {
	t.Parallel() // it mostly waits
	type message = map[string]any
	more := make(chan struct{})
	url := stand(t, func(c *websocket.Conn, gone <-chan struct{}) {
		asked := make(chan float64) // the ids of pings
		over := make(chan struct{})
		defer close(over)
		go func() {
			defer close(asked)
			for {
				var ms []message
				_, b, err := c.ReadMessage()
				if err != nil {
					return
				}
				if b[0] != '[' {
					b = append(append([]byte{'['}, b...), ']')
				}
				if json.Unmarshal(b, &ms) != nil {
					return
				}
				for _, m := range ms {
					if m["t"] == "ping" {
						select {
						case asked <- m["id"].(float64):
						case <-over:
							return
						}
					}
				}
			}
		}()
		say := func(ms ...message) { _ = c.WriteJSON(ms) }
		say(message{"t": "welcome", "session": "s"}, message{"t": "ok", "id": 1, "v": "cpu~1"},
			message{"t": "full", "v": "cpu~1", "e": "e", "r": 1, "svg": "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8000 4000' " +
				"data-x0='0' data-xs='0.1' data-rect='0 0 8000 4000' data-y='0 1'><g data-k='x' transform='translate(0 0)'></g></svg>"})
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for r := 1; ; {
			select {
			case <-tick.C:
				if r == 8 {
					tick.Stop()
				}
			case <-more:
			case id, ok := <-asked:
				if !ok {
					return
				}
				say(message{"t": "ok", "id": id})
				continue
			case <-gone:
				return
			}
			say(message{"t": "patch", "v": "cpu~1", "e": "e", "b": r, "r": r + 1, "o": [][]string{{"t", "x", fmt.Sprintf("translate(%d 0)", -10*r)}}})
			r++
		}
	})
	b := open(t, look{})
	b.goTo(url + "/blank")
	b.do(helpers + `
		window.el = add({ src: "cpu" });
		window.states = [];
		el.addEventListener("statechange", (e) => states.push(e.detail.state));`)
	b.until(`states.includes("live")`)
	b.until(`el.state === "stale" && el.shadowRoot.getElementById("word").textContent === "stale: no refresh"`)
	more <- struct{}{}
	b.until(`el.state === "live" && x(el) === "translate(-90 0)"`)
}
