package browser

import (
	"fmt"
	"strings"
	"testing"
)

// takeHelpers catch what is copied and downloaded.
const takeHelpers = `
	window.tool = (el, id) => el.shadowRoot.querySelector("[part~='tool-" + id + "']");
	window.menu = (el, id) => el.shadowRoot.getElementById("menu-" + id);
	window.item = (el, id) => el.shadowRoot.querySelector("[part~='menu-" + id + "']");
	window.open_ = (el, id) => menu(el, id).matches(":popover-open");
	window.middle = (e) => { const r = e.getBoundingClientRect(); return { X: r.x, Y: r.y, Width: r.width, Height: r.height }; };
	window.said = (el) => el.shadowRoot.getElementById("said").textContent.trim();
	window.saved = [];
	const create = URL.createObjectURL;
	URL.createObjectURL = (blob) => { saved.push(blob); return create.call(URL, blob); };
	HTMLAnchorElement.prototype.click = function () { if (this.download) saved.at(-1).as = this.download; };
	window.copied = "";
	window.clip = (works) => Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: async (text) => { if (!works) throw new Error("no"); copied = text; } } });
	clip(true);
	document.execCommand = (what) => { copied = el.shadowRoot.activeElement.value; return what === "copy"; };
`

// TestTakeAway takes a view away in each form, by mouse, keyboard and finger.
func TestTakeAway(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{dark: true})
	b.expect("Applying inline style") // of the picture that the test parses
	b.chart(d.URL(), `{ src: "line", hide: "user" }`, "inline-size: 640px; block-size: 320px")
	b.do(takeHelpers)

	t.Run("by keyboard", func(t *testing.T) {
		b.do(`tool(el, "take").focus()`)
		b.keys(0, "ArrowDown")
		b.until(`open_(el, "take") && el.shadowRoot.activeElement === item(el, "svg") && tool(el, "take").getAttribute("aria-expanded") === "true"`)
		b.picture("take-menu-dark")
		b.keys(0, "End")
		b.until(`el.shadowRoot.activeElement === item(el, "embed")`)
		b.keys(0, "ArrowDown", "p") // round to the first, and on to PNG
		b.until(`el.shadowRoot.activeElement === item(el, "png")`)
		b.keys(0, "Escape")
		b.until(`!open_(el, "take") && el.shadowRoot.activeElement === tool(el, "take")`)
		b.keys(0, "Enter")
		b.until(`open_(el, "take") && el.shadowRoot.activeElement === item(el, "svg")`)
		b.keys(0, "Enter")
		b.until(`saved.length === 1 && saved[0].as === "line.svg" && said(el) === "line.svg downloaded"`)
		got := eval[string](b, `
			const root = new DOMParser().parseFromString(await saved[0].text(), "image/svg+xml").documentElement;
			const names = [...new Set([...root.querySelectorAll("g[data-name]")].map((g) => g.dataset.name))].sort();
			const edge = (Number(root.dataset.x0) + 0) > 0;
			return [names.join(" "), root.getAttribute("width"), root.textContent.includes("From 2"), edge].join("|")`)
		if got != "iowait steal system|640|true|true" {
			t.Errorf("the SVG is %s", got)
		}
	})
	t.Run("by mouse", func(t *testing.T) {
		b.hover(300, 150)
		b.clickOn(`tool(el, "take")`)
		b.until(`open_(el, "take")`)
		b.clickOn(`tool(el, "take")`) // again closes
		b.until(`!open_(el, "take")`)
		b.clickOn(`tool(el, "take")`)
		b.until(`open_(el, "take")`)
		b.clickOn(`item(el, "png")`)
		b.until(`saved.length === 2 && saved[1].as === "line.png"`)
		if got := eval[string](b, `const bitmap = await createImageBitmap(saved[1]); return bitmap.width + "x" + bitmap.height`); got != "1280x640" {
			t.Errorf("the PNG is %s", got)
		}
		b.clickOn(`tool(el, "take")`)
		b.until(`open_(el, "take")`)
		b.clickOn(`item(el, "csv")`)
		b.until(`saved.length === 3 && saved[2].as === "line.csv"`)
		lines := strings.Split(strings.TrimSpace(eval[string](b, `return saved[2].text()`)), "\n")
		if lines[0] != "time,iowait,steal,system" && lines[0] != "time,system,iowait,steal" || len(lines) < 150 || len(lines) > 210 {
			t.Errorf("%d lines: %s", len(lines), lines[0])
		}
		b.clickOn(`tool(el, "take")`)
		b.until(`open_(el, "take")`)
		b.clickOn(`item(el, "link")`)
		b.until(`copied !== "" && said(el) === "link copied"`)
		if got := eval[string](b, `return copied`); got != d.URL()+"c/line#hidden=user" {
			t.Errorf("the link is %s", got)
		}
		b.do(`clip(false); copied = ""`) // as over plain HTTP
		b.clickOn(`tool(el, "take")`)
		b.until(`open_(el, "take")`)
		b.clickOn(`item(el, "embed")`)
		b.until(`said(el) === "code copied"`)
		want := `<script type="module" src="` + d.URL() + `chartd.js"></script>` + "\n" + `<chartd-chart src="line" hide="[&quot;user&quot;]"></chartd-chart>` + "\n"
		if got := eval[string](b, `return copied`); got != want {
			t.Errorf("the code is %s", got)
		}
	})
	t.Run("by finger", func(t *testing.T) {
		b := open(t, look{width: 390, height: 700, mobile: true})
		b.chart(d.URL(), `{ src: "gauge" }`, "inline-size: 100vw; block-size: 200px")
		b.do(takeHelpers + `tool(el, "take").focus()`)
		x, y := eval[box](b, `return middle(tool(el, "take"))`).at(0.5, 0.5)
		b.touch(fingerDown, x, y)
		b.touch(fingerUp)
		b.until(`open_(el, "take")`)
		b.picture("take-phone")
		if eval[bool](b, `const r = menu(el, "take").getBoundingClientRect(); return r.left < 0 || r.right > innerWidth || r.top < 0 || r.bottom > innerHeight`) {
			t.Error("the menu is not in the window")
		}
		x, y = eval[box](b, `return middle(item(el, "csv"))`).at(0.5, 0.5)
		b.touch(fingerDown, x, y)
		b.touch(fingerUp)
		b.until(`saved.length === 1 && saved[0].as === "gauge.csv"`)
	})
	t.Run("what the server refuses is said", func(t *testing.T) {
		b.do(`el.setAttribute("src", "line"); const get = window.fetch;
			window.fetch = async (...a) => String(a[0]).includes(".csv") ? new Response("chartd: not now", { status: 503 }) : get(...a);`)
		b.clickOn(`tool(el, "take")`)
		b.until(`open_(el, "take")`)
		b.clickOn(`item(el, "csv")`)
		b.until(`said(el) === "no CSV: not now"`)
	})
}

// TestLinkOpensTheView: the address of the page of one chart follows what is
// done there, and leads back to it; history stays as it is.
func TestLinkOpensTheView(t *testing.T) {
	t.Parallel() // it mostly waits
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "c/line?window=15s&hidden=steal")
	b.do(helpers + `window.el = all()[0]; window.before = history.length`)
	b.until(`el.state === "live" && el.view.window === "15s"`)
	// It is written where the changes pause for a quarter of a second, which on a
	// busy machine may be after each.
	b.do(`window.writes = window.pauses = 0; const replace = history.replaceState;
		history.replaceState = function (...a) { writes++; return replace.apply(this, a); };
		let last = performance.now();
		el.addEventListener("viewchange", () => { const now = performance.now(); if (now - last > 240) pauses++; last = now; });
		for (let i = 0; i < 30; i++) { await el.callback({ view: { hidden: ["user"], window: 10000 + i } }); await sleep(60); }
		await sleep(1000);
		await el.callback({ view: { timezone: "Asia/Tokyo", window: "30s", hidden: ["user", "steal"] } });
		el.setAttribute("theme", "dark");`)
	b.until(`location.search === "" && /^#window=(30000|30s)&hidden=steal&hidden=user&timezone=Asia%2FTokyo&theme=dark$/.test(location.hash) || location.hash`)
	if n := eval[int](b, `return writes - pauses`); n > 2 { // the last one, and a theme
		t.Errorf("the address was written %d times more than the changes paused", n)
	}
	if n := eval[int](b, `return history.length - before`); n != 0 {
		t.Errorf("%d more steps in the history", n)
	}
	b.do(`window.old = true; location.reload()`)
	b.until(`!window.old && document.readyState === "complete" && document.querySelector("chartd-chart")?.state === "live"`)
	b.do(helpers + `window.el = all()[0]`)
	b.until(`el.view.timezone === "Asia/Tokyo" && ["30s", "30000"].includes(String(el.view.window)) && el.view.hidden.join() === "steal,user" && el.getAttribute("theme") === "dark" && svg(el).dataset.zone === "Asia/Tokyo"`)
	b.do(`await el.callback({ view: { replay: { at: Date.now() - 5000 } } })`)
	b.until(`location.hash.includes("replay.at=")`)
	b.do(`window.was = el.view.replay.at; sessionStorage.was = was; window.old = true; location.reload()`)
	b.until(`!window.old && document.readyState === "complete" && document.querySelector("chartd-chart")?.state === "live" && document.querySelector("chartd-chart").view.replay?.at === Number(sessionStorage.was)`)
	// What only a callback or a program sets is of the view, too.
	b.do(`window.el = document.querySelector("chartd-chart");
		const t = Date.now() - 5000;
		await el.callback({ view: { replay: {}, title: "Mine & yours", marks: [{ t, text: "a=b&c" }], thresholds: [{ at: 25, level: "alarm", text: "25 %" }] } });
		sessionStorage.was = JSON.stringify([el.view.title, el.view.marks, el.view.thresholds]);`)
	b.until(`location.hash.includes("thresholds=")`)
	b.do(`window.old = true; location.reload()`)
	b.until(`!window.old && document.readyState === "complete" && document.querySelector("chartd-chart")?.state === "live"`)
	b.do(helpers + `window.el = all()[0]`)
	b.until(`JSON.stringify([el.view.title, el.view.marks, el.view.thresholds]) === sessionStorage.was && ["25 %", "a=b&c", "Mine & yours"].every((text) => svg(el).textContent.includes(text)) && document.title === "Mine & yours · chartd"`)
	b.picture("link-marks")
	// More than an address holds is left out, and that is said.
	b.do(takeHelpers + `el.shadowRoot.getElementById("frame").focus();
		await el.callback({ view: { marks: Array.from({ length: 40 }, (_, i) => ({ t: Date.now() - 9000 + i, text: "é".repeat(64) })) } });`)
	b.until(`!location.hash.includes("marks=") && location.hash.includes("title=")`)
	b.do(`tool(el, "take").click(); item(el, "link").click()`)
	b.until(`said(el) === "link copied without marks: they are too long for an address" && copied.includes("thresholds=") && !copied.includes("marks=")`)
	b.picture("link-too-long")
	// An address that is damaged is refused as a whole, in words, until another view is seen.
	for i, l := range []look{{}, {dark: true}, {width: 390, height: 700, mobile: true}, {width: 640, height: 450}} {
		page := b
		if i > 0 {
			page = open(t, l)
		}
		page.goTo(d.URL() + "blank")
		page.goTo(d.URL() + "c/line#window=1h&marks=%5B%7B%22t%22%3A17")
		page.do(helpers + byHand + `window.el = all()[0]`)
		page.until(`el.state === "live" && el.view.window === undefined && document.getElementById("refused").innerText.startsWith("This address holds no view: marks is no list of marks. Here is the chart as it is.")`)
		page.picture(fmt.Sprint("link-refused-", i))
	}
	b.do(`await el.callback({ view: { window: "10s" } })`)
	b.until(`!document.getElementById("refused").checkVisibility() && location.hash === "#window=10s"`)
	// Another address typed into the same page opens that view.
	b.do(`location.hash = "#window=7000"`)
	b.until(`document.querySelector("chartd-chart")?.view?.window === 7000 && document.querySelector("chartd-chart").view.replay === undefined`)
}

// TestLook changes theme, zone and size by hand.
func TestLook(t *testing.T) {
	d := start(t, strings.Replace(allKinds, "line: {title: Line,", "line: {title: Line, timezone: UTC,", 1))
	feed(t, d)
	b := open(t, look{})
	b.chart(d.URL(), `{ src: "line" }`, "inline-size: 640px; block-size: 320px")
	b.do(takeHelpers + `window.bg = () => getComputedStyle(el.shadowRoot.getElementById("frame")).backgroundColor`)
	b.hover(300, 150)
	b.clickOn(`tool(el, "look")`)
	b.until(`open_(el, "look") && item(el, "theme-auto").getAttribute("aria-checked") === "true" && item(el, "theme-auto").role === "menuitemradio"`)
	b.picture("look-menu")
	b.clickOn(`item(el, "theme-dark")`)
	b.until(`el.getAttribute("theme") === "dark" && bg() === "rgb(20, 25, 32)"`)
	b.picture("look-dark-on-light")
	b.do(`tool(el, "look").focus()`)
	b.keys(0, "Enter")
	b.until(`open_(el, "look") && item(el, "theme-dark").getAttribute("aria-checked") === "true"`)
	b.keys(0, "Home", "Enter")
	b.until(`el.getAttribute("theme") === "auto" && bg() === "rgba(0, 0, 0, 0)"`)

	// Times in the viewer's zone.
	b.do(`const real = Intl.DateTimeFormat.prototype.resolvedOptions;
		Intl.DateTimeFormat.prototype.resolvedOptions = function () { return { ...real.call(this), timeZone: "Asia/Kolkata" }; };`)
	b.do(`tool(el, "look").focus()`)
	b.keys(0, "ArrowDown")
	b.until(`item(el, "zone-server").getAttribute("aria-checked") === "true" && item(el, "zone-own").textContent === "Mine (Asia/Kolkata)"`)
	b.keys(0, "m", "Enter")
	b.until(`svg(el).dataset.zone === "Asia/Kolkata" && el.view.timezone === "Asia/Kolkata" && said(el) === "times in Asia/Kolkata"`)
	label := `[...svg(el).querySelectorAll("[data-k=t] text")].map((n) => n.textContent)[0].slice(0, 5)`
	if got := eval[string](b, `
		const drawn = `+label+`;
		const near = [0, 30, 60].map((s) => new Date(Date.now() - 1000 * s).toLocaleTimeString("en-GB", { timeZone: "Asia/Kolkata" }).slice(0, 5));
		return near.includes(drawn) ? "" : drawn + " is not one of " + near`); got != "" {
		t.Error(got)
	}
	b.do(`tool(el, "look").focus()`)
	b.keys(0, "ArrowDown")
	b.until(`open_(el, "look")`)
	b.keys(0, "t", "Enter")
	b.until(`el.view.timezone !== "Asia/Kolkata" && svg(el).dataset.zone === "UTC"`)

	// As large as the screen.
	b.do(`el.shadowRoot.getElementById("frame").focus()`)
	b.keys(0, "f")
	b.until(`document.fullscreenElement === el && tool(el, "full").getAttribute("aria-pressed") === "true"`)
	b.until(`Math.abs(el.getBoundingClientRect().width - innerWidth) < 1 && Math.abs(el.getBoundingClientRect().height - innerHeight) < 1`)
	b.keys(0, "f")
	b.until(`document.fullscreenElement === null && tool(el, "full").getAttribute("aria-pressed") === "false"`)
	b.hover(300, 150)
	b.clickOn(`tool(el, "full")`)
	b.until(`document.fullscreenElement === el`)
	b.clickOn(`tool(el, "full")`)
	b.until(`document.fullscreenElement === null`)
}
