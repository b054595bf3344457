package browser

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// helpers are functions that several tests use in the page.
const helpers = `
	window.all = () => [...document.querySelectorAll("chartd-chart")];
	window.svg = (el) => el.shadowRoot.querySelector("#stage svg");
	window.write = (root) => {
		const copy = root.cloneNode(true);
		copy.classList.remove("light", "dark");
		return new XMLSerializer().serializeToString(copy);
	};
	window.add = (attributes, parent = document.body) => {
		const el = document.createElement("chartd-chart");
		for (const [k, v] of Object.entries(attributes)) el.setAttribute(k, v);
		parent.append(el);
		return el;
	};
	window.frame = () => new Promise(requestAnimationFrame);
	window.sleep = (ms) => new Promise((r) => setTimeout(r, ms));
	window.x = (el) => svg(el)?.querySelector("[data-k=x]")?.getAttribute("transform");
`

// TestGallery shows every chart, and every chart moves.
func TestGallery(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{width: 1440, height: 1000})
	b.goTo(d.URL())
	b.do(helpers)
	b.until(`all().length === 8 && all().every((el) => el.state === "live")`)
	b.until(`document.getElementById("link-text").textContent === "Live"`)
	b.do(`window.first = all().map((el) => write(svg(el)))`)
	b.until(`all().every((el, i) => write(svg(el)) !== first[i])`)
	if n := metric(t, d.URL(), "chartd_connections"); n != 1 {
		t.Errorf("%v connections; want one for the whole page", n)
	}
	order := eval[[]string](b, `return all().map((el) => el.src)`)
	if got := strings.Join(order, " "); got != "line area stack step scatter bar gauge stat" {
		t.Errorf("the order is %s; want that of the configuration", got)
	}
	b.picture("gallery-kinds")

	// What is told of the sources is told anew in its place: who selects an error keeps it.
	b.until(`document.querySelectorAll("#sources li b").length > 1`)
	b.do(`
		window.asked = () => performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/api/v1/sources")).length;
		window.n = asked();
		window.line = document.querySelector("#sources li:last-child");
		getSelection().selectAllChildren(line);
		document.dispatchEvent(new Event("visibilitychange"));`)
	b.until(`asked() > n`)
	b.do(`document.dispatchEvent(new Event("visibilitychange"))`)
	b.until(`asked() > n + 1`) // and what the first answer said is written
	if !eval[bool](b, `return line.isConnected && getSelection().toString() !== ""`) {
		t.Error("what was selected of the sources is gone")
	}
}

// TestPatchesEqualFull compares what patches made of the DOM with fulls that
// another client is sent, for every kind, at whatever revisions come.
func TestPatchesEqualFull(t *testing.T) {
	t.Parallel() // it mostly waits
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers)
	b.do(`
		for (const src of ["line", "area", "stack", "step", "scatter", "bar", "gauge", "stat"]) add({ src, size: "640x320" });
		await customElements.whenDefined("chartd-chart");`)
	b.until(`all().every((el) => el.state === "live")`)
	wrong := eval[[]string](b, `
		const { Picture } = await import("/chartd/patch.js");
		const { View } = await import("/chartd/view.js");
		// What was shown at each position.
		const seen = new Map();
		const flush = View.prototype.flush;
		View.prototype.flush = function () {
			flush.call(this);
			const el = all().find((el) => el.src === this.chart);
			if (this.pos) seen.set(this.chart + " " + this.pos.e + "/" + this.pos.r, write(svg(el)));
		};
		const socket = new WebSocket(new URL("/ws", location.href.replace("http", "ws")), "chartd.v1");
		const fulls = [], ids = new Map();
		await new Promise((r) => socket.onopen = r);
		socket.send(JSON.stringify([{ t: "hello" }, ...all().map((el, id) => ({ t: "sub", id, chart: el.src, view: { size: [640, 320] } }))]));
		socket.onmessage = (e) => {
			for (const m of [JSON.parse(e.data)].flat()) {
				if (m.t === "ok") ids.set(m.v, all()[m.id].src);
				if (m.t === "full") fulls.push(m);
			}
		};
		const wrong = [];
		const compared = Object.fromEntries(all().map((el) => [el.src, 0]));
		const compare = () => {
			for (const m of fulls.splice(0)) {
				const src = ids.get(m.v), where = src + " " + m.e + "/" + m.r;
				const was = seen.get(where);
				if (was === undefined) { // it comes yet; or it was passed over, on a busy machine
					if (!(m.rounds-- <= 0)) fulls.push({ rounds: 20, ...m });
					continue;
				}
				seen.delete(where);
				compared[src]++;
				const want = write(Picture.parse(m.svg).root);
				if (was !== want) wrong.push(where + " was shown as\n" + was + "\nwant\n" + want);
			}
		};
		const end = performance.now() + `+strconv.FormatInt(patience.Milliseconds(), 10)+`;
		while (Object.values(compared).some((n) => n < 6) && performance.now() < end) {
			await sleep(200);
			compare();
			for (const v of ids.keys()) socket.send(JSON.stringify({ t: "resync", v }));
		}
		socket.close();
		View.prototype.flush = flush;
		for (const src of Object.keys(compared)) {
			if (compared[src] < 6) wrong.push(src + " was compared " + compared[src] + " times only");
		}
		return wrong;`)
	for _, w := range wrong[:min(len(wrong), 10)] {
		t.Error(w)
	}
}

// TestGlide looks at what is seen between two frames.
func TestGlide(t *testing.T) {
	t.Parallel() // it mostly waits
	d := start(t, strings.Replace(allKinds, "refresh: 250ms", "refresh: 1s", 1))
	feed(t, d)
	const path = `
		const el = add({ src: "line" });
		el.style.inlineSize = "1200px";
		window.el = el;`
	// Looks in every frame, until the server has said three places of one picture
	// and enough has been seen of them.
	const watch = `
		const end = performance.now() + %d, enough = %s;
		let root = null, shown, said;
		do {
			if (svg(el) !== root) { // of another epoch: from the beginning
				root = svg(el);
				shown = new Set();
				said = new Set();
			}
			const x = root.querySelector("[data-k=x]");
			shown.add(x.getCTM().e.toFixed(1));
			said.add(x.getAttribute("transform"));
			await frame();
		} while ((said.size < 4 || !enough(shown.size, said.size)) && performance.now() < end);
		return { shown: shown.size, said: said.size };`
	type result struct{ Shown, Said int }
	t.Run("glides", func(t *testing.T) {
		t.Parallel()
		b := open(t, look{width: 1280, height: 800})
		b.goTo(d.URL() + "blank")
		b.do(helpers + path)
		b.until(`el.state === "live" && svg(el).querySelector("[data-k=x]").getAnimations().length === 1`)
		r := eval[result](b, fmt.Sprintf(watch, patience.Milliseconds(), `(shown, said) => shown >= 4 * said`))
		if r.Said < 4 || r.Shown < 4*r.Said {
			t.Errorf("the server said %d places, and %d were seen; want many more", r.Said, r.Shown)
		}
	})
	t.Run("reduced motion", func(t *testing.T) {
		t.Parallel()
		b := open(t, look{width: 1280, height: 800, media: map[string]string{"prefers-reduced-motion": "reduce"}})
		b.goTo(d.URL() + "blank")
		b.do(helpers + path)
		b.until(`el.state === "live"`)
		r := eval[result](b, fmt.Sprintf(watch, patience.Milliseconds(), `() => true`))
		if r.Said < 4 || r.Shown > r.Said {
			t.Errorf("the server said %d places, and %d were seen; want the same", r.Said, r.Shown)
		}
	})
}

// TestShared: equal views are subscribed once, and end with their last place.
func TestShared(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + `
		window.a = add({ src: "line", size: "640x320" });
		window.b = add({ src: "line", size: "640x320" });
		window.c = add({ src: "line", size: "640x320", window: "1m" });`)
	b.until(`all().every((el) => el.state === "live")`)
	awaitMetric(t, d.URL(), "chartd_subscriptions", 2)
	b.do(`const late = window.late = add({ src: "line", size: "640x320" });`)
	b.until(`late.state === "live"`)
	b.until(`write(svg(a)) === write(svg(b)) && write(svg(a)) === write(svg(late))`)
	awaitMetric(t, d.URL(), "chartd_subscriptions", 2)

	// An element that is moved keeps its picture, and the server hears nothing.
	if !eval[bool](b, `
		const before = svg(c);
		const box = document.createElement("div");
		document.body.append(box);
		box.append(c);
		await frame();
		return svg(c) === before && c.state === "live";`) {
		t.Error("an element that was moved lost its picture")
	}
	awaitMetric(t, d.URL(), "chartd_subscriptions", 2)
	b.do(`c.remove()`)
	awaitMetric(t, d.URL(), "chartd_subscriptions", 1)
	b.do(`a.remove(); b.remove()`)
	b.do(`window.was = write(svg(late))`)
	b.until(`write(svg(late)) !== was`)
	b.do(`late.remove()`)
	awaitMetric(t, d.URL(), "chartd_subscriptions", 0)
}

// TestAttributes: what attributes ask for is what is shown, and a picture stays
// until there is another.
func TestAttributes(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + `
		window.el = add({ src: "line" });
		window.blank = 0;
		(async () => { let had = false; for (;;) { const has = !!svg(el); if (had && !has) blank++; had ||= has; await frame(); } })();`)
	b.until(`el.state === "live"`)
	b.until(`el.view.size[0] === 1280`)
	b.do(`el.setAttribute("window", "1m")`)
	b.until(`el.shadowRoot.querySelector("desc").textContent.includes("The last 1m")`)
	b.do(`el.setAttribute("hide", "user, steal")`)
	b.until(`[...svg(el).querySelectorAll("g[data-name]")].map((g) => g.dataset.name).sort().join() === "iowait,system"`)
	b.do(`el.style.inlineSize = "500px"`)
	b.until(`svg(el).viewBox.baseVal.width === 4800`)
	b.do(`el.setAttribute("size", "320x160")`)
	b.until(`svg(el).viewBox.baseVal.width === 3200`)
	b.do(`el.setAttribute("theme", "dark")`)
	b.until(`getComputedStyle(svg(el).querySelector("text.ff, .ff")).fill === "rgb(232, 236, 242)"`)
	b.do(`el.src = "stat"`)
	b.until(`svg(el).dataset.kind === "stat" && el.state === "live"`)
	if n := eval[int](b, `return blank`); n != 0 {
		t.Errorf("it was blank %d times", n)
	}
	awaitMetric(t, d.URL(), "chartd_subscriptions", 1)

	b.do(`el.src = "lime"`)
	b.until(`el.state === "lost" && el.shadowRoot.getElementById("word").textContent.includes('did you mean "line"')`)
	b.do(`el.src = "line"; el.setAttribute("window", "1ms")`)
	b.until(`el.state === "lost" && el.shadowRoot.getElementById("word").textContent.includes("is not between")`)
	b.do(`el.removeAttribute("window")`)
	b.until(`el.state === "live" && svg(el).dataset.kind === "line"`)
}
