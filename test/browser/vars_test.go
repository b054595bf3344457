package browser

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/store"
)

const withVars = `
listen: "127.0.0.1:0"
defaults: {refresh: 200ms, window: 20s}
session: {linger: 1s}
charts:
  load:
    title: Load of $host
    vars:
      host: {label: Host, from: {metric: load, label: host}, all: true, default: web1}
      rack: {label: Rack, values: [a1, b2], hide: true}
      unit: {label: Shown as, values: [share, count]}
    series: [{metric: load, labels: {host: $host}, name: "{host}"}]
  many:
    title: One of $host
    vars: {host: {from: {metric: many, label: host}}}
    series: [{metric: many, labels: {host: $host}}]
  free:
    title: Load of $host
    vars: {host: web1}
    series: [{metric: load, labels: {host: $host}}]
  plain:
    title: No vars
    series: [{metric: load}]
`

// feedHosts fills the daemon's store with twenty seconds of each host.
func feedHosts(t *testing.T, d *daemon.Daemon, metric string, hosts ...string) {
	t.Helper()
	now := time.Now().UnixMilli()
	for i, host := range hosts {
		for ms := now - 20_000; ms <= now+30_000; ms += 500 {
			v := 3 + float64(i) + math.Sin(float64(ms)/4000+float64(i))
			if err := d.Store().Append(metric, store.LabelsOf(map[string]string{"host": host}), ms, v); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// picker are functions of the page that look at a chart's pickers.
const picker = `
	window.row = (el) => el.shadowRoot.getElementById("vars");
	window.control = (el, name) => row(el).querySelector("[part~='var-" + name + "'] :is(select, input)");
	window.offered = (el, name) => [...row(el).querySelectorAll("[part~='var-" + name + "'] option")].map((o) => o.text).join();
	window.title = (el) => svg(el)?.querySelector("title")?.textContent;
	window.seenPickers = (el) => row(el).checkVisibility() && [...row(el).querySelectorAll("label")].map((l) => l.textContent.trim().split("\n")[0]).length;
	window.middle = (e) => { const r = e.getBoundingClientRect(); return { X: r.x, Y: r.y, Width: r.width, Height: r.height }; };
`

func (b *tab) clickOn(element string) {
	b.t.Helper()
	x, y := eval[box](b, "return middle("+element+")").at(0.5, 0.5)
	b.click(x, y, 1)
}

// TestPick picks values by hand: the picked chart changes, the one beside it
// does not, and who picks what another has picked shares its view.
func TestPick(t *testing.T) {
	d := start(t, withVars)
	feedHosts(t, d, "load", "web1", "web2", "db")
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + picker + `
		add({ src: "load", id: "one", pick: "", size: "640x320", label: "Load" });
		add({ src: "load", id: "two", pick: "", size: "640x320" });
		add({ src: "load", id: "bare", size: "640x320" });
		await customElements.whenDefined("chartd-chart");
		window.heard = [];
		document.addEventListener("varschange", (e) => heard.push(e.target.id + " " + JSON.stringify(e.detail.vars)));`)
	b.until(`all().every((el) => el.state === "live") && one.hasAttribute("picking") && two.hasAttribute("picking")`)
	if got := eval[string](b, `return offered(one, "host") + "|" + control(one, "host").value + "|" + offered(one, "unit") + "|" + row(one).querySelectorAll("label").length`); got != "All,db,web1,web2|web1|share,count|2" {
		t.Errorf("the pickers are %s", got)
	}
	if eval[bool](b, `return bare.hasAttribute("picking") || row(bare).checkVisibility()`) {
		t.Error("a chart without the attribute has pickers")
	}
	awaitMetric(t, d.URL(), "chartd_views", 1)

	t.Run("by keyboard", func(t *testing.T) {
		b.do(`control(one, "host").focus()`)
		b.keys(0, "ArrowDown") // from web1 to web2
		b.until(`title(one) === "Load of web2"`)
		b.until(`control(one, "host").value === "web2" && one.view.vars.host === "web2" && heard.length > 0`)
		if got := eval[string](b, `return title(two) + "|" + control(two, "host").value + "|" + heard.join()`); got != `Load of web1|web1|one {"host":"web2"}` {
			t.Errorf("the other chart and the event: %s", got)
		}
		awaitMetric(t, d.URL(), "chartd_views", 2)
	})

	t.Run("by mouse", func(t *testing.T) {
		b.clickOn(`control(two, "host")`)
		b.keys(0, "ArrowDown", "Enter") // in the list that is open
		b.until(`title(two) === "Load of web2"`)
		if got := eval[string](b, `return title(one)`); got != "Load of web2" {
			t.Errorf("the first chart is %s", got)
		}
		// Equal picks share a view: bare shows the default, the two others one.
		awaitMetric(t, d.URL(), "chartd_views", 2)
	})

	t.Run("all, and back to the default", func(t *testing.T) {
		b.do(`control(one, "host").focus()`)
		b.keys(0, "Home")
		b.until(`title(one) === "Load of All" && one.shadowRoot.textContent.includes("db") && svg(one).textContent.includes("web2")`)
		awaitMetric(t, d.URL(), "chartd_views", 3)
		b.keys(0, "ArrowDown", "ArrowDown")
		b.until(`title(one) === "Load of web1"`)
		awaitMetric(t, d.URL(), "chartd_views", 2) // that of bare, which never picked
	})

	t.Run("a new value is offered when somebody looks", func(t *testing.T) {
		feedHosts(t, d, "load", "web3")
		b.do(`await sleep(1100); control(two, "host").blur(); control(two, "unit").focus()`)
		b.until(`offered(two, "host") === "All,db,web1,web2,web3"`)
		if got := eval[string](b, `return control(two, "host").value`); got != "web2" {
			t.Errorf("the value became %s", got)
		}
	})

	t.Run("set by script", func(t *testing.T) {
		b.do(`await two.callback({ view: { vars: { host: "db" } } })`)
		b.until(`control(two, "host").value === "db" && title(two) === "Load of db"`)
		b.do(`two.setAttribute("vars", "host=gone")`)
		b.until(`title(two) === "Load of gone" && control(two, "host").value === "gone" && offered(two, "host").startsWith("All,gone,db")`)
	})

	t.Run("names for a screen reader", func(t *testing.T) {
		got := eval[string](b, `
			const c = control(one, "host");
			return [c.labels[0].firstElementChild.textContent, row(one).role ?? row(one).getAttribute("role"), row(one).getAttribute("aria-label"), c.tagName].join("|")`)
		if got != "Host|group|What the chart shows|SELECT" {
			t.Errorf("got %s", got)
		}
	})

	t.Run("away with it", func(t *testing.T) {
		b.do(`window.tall = one.shadowRoot.getElementById("stage").clientHeight; one.removeAttribute("pick")`)
		b.until(`!one.hasAttribute("picking") && one.shadowRoot.getElementById("stage").clientHeight > tall`)
	})
}

// TestPickWritten picks from more values than a list has room for, and from none.
func TestPickWritten(t *testing.T) {
	d := start(t, withVars)
	feedHosts(t, d, "load", "web1", "web2")
	var hosts []string
	for i := range 600 {
		hosts = append(hosts, fmt.Sprintf("node-%03d", i))
	}
	feedHosts(t, d, "many", hosts...)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + picker + `
		add({ src: "many", id: "many", pick: "", size: "640x320" });
		add({ src: "free", id: "free", pick: "", size: "640x320" });
		await customElements.whenDefined("chartd-chart");`)
	b.until(`all().every((el) => el.state === "live" && el.hasAttribute("picking"))`)
	got := eval[string](b, `const c = control(many, "host"); return [c.tagName, c.value, c.list.options.length, c.title, title(many)].join("|")`)
	if got != "INPUT|node-000|500|100 more are not listed; write their names|One of node-000" {
		t.Errorf("the picker of many is %s", got)
	}
	b.clickOn(`control(many, "host")`)
	b.keys(0, strings.Split("node-599", "")...)
	b.keys(0, "Enter")
	b.until(`title(many) === "One of node-599"`)
	b.do(`control(free, "host").focus()`)
	b.keys(0, "End", "Backspace", "2", "Enter")
	b.until(`title(free) === "Load of web2"`)
	if got := eval[string](b, `return control(free, "host").list?.id ?? "no list"`); got != "no list" {
		t.Errorf("a var without values has a list: %s", got)
	}
	// What the server refuses is said, and the value stays.
	b.keys(0, strings.Split(strings.Repeat("x", 257), "")...)
	b.keys(0, "Enter")
	b.until(`row(free).textContent.includes("at most 256") && control(free, "host").value === "web2"`)
	b.until(`free.shadowRoot.getElementById("said").textContent.includes("at most 256")`)
}

// TestPickOnPage follows a pick into the address, from where it comes back.
func TestPickOnPage(t *testing.T) {
	d := start(t, withVars)
	feedHosts(t, d, "load", "web1", "web2", "db")
	for _, l := range []struct {
		name string
		look
	}{
		{"light", look{width: 1000, height: 560}},
		{"dark", look{width: 1000, height: 560, dark: true}},
		{"phone", look{width: 390, height: 700, mobile: true}},
		{"tiny", look{width: 320, height: 480, mobile: true, dark: true}},
	} {
		t.Run(l.name, func(t *testing.T) {
			b := open(t, l.look)
			b.goTo(d.URL() + "c/load?window=10s")
			b.do(helpers + picker + `window.one = all()[0]`)
			b.until(`one.state === "live" && one.hasAttribute("picking")`)
			b.do(`control(one, "host").focus()`)
			b.keys(0, "ArrowDown")
			b.until(`location.search === "" && location.hash === "#window=10s&vars.host=web2" && document.title === "Load of web2 · chartd"`)
			b.do(`window.old = true; location.reload()`)
			b.until(`!window.old && document.readyState === "complete" && document.title === "Load of web2 · chartd"`)
			b.do(helpers + picker + `window.one = all()[0]`)
			b.until(`one.state === "live" && one.hasAttribute("picking") && control(one, "host").value === "web2"`)
			b.until(`(() => { const [w, h] = one.view.size, s = one.shadowRoot.getElementById("stage"); return Math.abs(w / h - s.clientWidth / s.clientHeight) < .1; })()`)
			b.picture("vars-" + l.name)
			// Nothing lies over anything, and nothing makes the page scroll.
			got := eval[string](b, `
				const over = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
				const chrome = document.getElementById("chrome"), bar = row(one), wrong = [];
				for (const label of bar.querySelectorAll("label")) {
					const r = label.getBoundingClientRect();
					if (r.left < bar.getBoundingClientRect().right && chrome.checkVisibility() && over({ left: r.left, right: Math.min(r.right, bar.getBoundingClientRect().right), top: r.top, bottom: r.bottom }, chrome.getBoundingClientRect())) wrong.push("the way back is over a picker");
					if (over(r, one.shadowRoot.getElementById("stage").getBoundingClientRect())) wrong.push("a picker is over the chart");
				}
				if (document.scrollingElement.scrollHeight > innerHeight || document.scrollingElement.scrollWidth > innerWidth) wrong.push("the page scrolls");
				if (one.getBoundingClientRect().height !== innerHeight) wrong.push("the chart is " + one.getBoundingClientRect().height + " px high");
				return wrong.join();`)
			if got != "" {
				t.Error(got)
			}
		})
	}
	b := open(t, look{})
	b.goTo(d.URL() + "c/plain")
	b.do(helpers + picker + `window.one = all()[0]`)
	b.until(`one.state === "live"`)
	if eval[bool](b, `return one.hasAttribute("picking")`) {
		t.Error("a chart without vars has a row of pickers")
	}
}
