package browser

import (
	"strings"
	"testing"
)

// replayKinds is allKinds with values beside the names of one chart.
var replayKinds = strings.Replace(allKinds, "line: {title: Line,", "line: {title: Line, legend_values: [last, mean],", 1) // of four series

// replayHelpers say what is seen.
const replayHelpers = helpers + `
	window.button = (el, name) => [...el.shadowRoot.querySelectorAll("#legend button")].find((b) => b.dataset.name === name);
	window.middle = (node) => { const r = node.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; };
	window.drawn = (el) => [...new Set([...svg(el).querySelectorAll("g[data-name]")].map((g) => g.dataset.name))].sort().join(" ");
	window.tool = (el, part) => el.shadowRoot.querySelector("[part~='tool-" + part + "']");
	window.bar = (el) => el.shadowRoot.getElementById("replay");
	window.word = (el) => el.shadowRoot.getElementById("word").textContent;
	window.still = async (el, ms) => { const was = write(svg(el)); await sleep(ms); return write(svg(el)) === was; };
`

// showTwo shows one chart to two viewers with connections of their own, of which
// the second one's bytes are counted by its socket.
func showTwo(t *testing.T, l look) (b *tab) {
	t.Helper()
	d := start(t, replayKinds)
	feed(t, d)
	b = open(t, l)
	b.goTo(d.URL() + "blank")
	b.do(replayHelpers + `
		document.head.append(Object.assign(document.createElement("meta"), { name: "viewport", content: "width=device-width" }));
		document.body.style.cssText = "margin: 0; background: light-dark(#fff, #141920); color-scheme: light dark";
		window.el = add({ src: "line" });
		el.style.cssText = "inline-size: min(100vw, 640px)";
		window.other = [];
		window.socket = new WebSocket(new URL("/ws", location.href.replace("http", "ws")), "chartd.v1");
		await new Promise((r) => socket.onopen = r);
		socket.onmessage = (e) => { for (const m of [JSON.parse(e.data)].flat()) other.push(m); };
		socket.send(JSON.stringify([{ t: "hello" }, { t: "sub", id: 1, chart: "line", view: { size: [640, 320] } }]));`)
	b.until(`el.state === "live" && el.shadowRoot.querySelectorAll("#legend button").length === 4`)
	b.until(`other.some((m) => m.t === "patch")`)
	b.until(`el.view.size[0] === Math.round(Math.min(innerWidth, 640) / 80) * 80 && svg(el).viewBox.baseVal.width === el.view.size[0] * 10`)
	return b
}

// untouched holds that the second viewer was sent patches of the live view alone.
func untouched(t *testing.T, b *tab) {
	t.Helper()
	b.do(`window.before = other.length`)
	b.until(`other.length > before + 2`)
	if wrong := eval[int](b, `return other.filter((m) => m.t === "full" && m.svg.includes("class='off'")).length
		+ other.filter((m) => m.v && m.v !== other.find((m) => m.t === "ok").v).length`); wrong > 0 {
		t.Errorf("%d messages to another viewer come from what this one did", wrong)
	}
}

// TestLegend hides and isolates series by mouse, keyboard and finger.
func TestLegend(t *testing.T) {
	t.Run("mouse", func(t *testing.T) {
		b := showTwo(t, look{dark: true})
		at := func(name string) (x, y float64) {
			p := eval[[]float64](b, `return middle(button(el, "`+name+`"))`)
			return p[0], p[1]
		}
		// The button lies over the name.
		if !eval[bool](b, `const e = svg(el).querySelector("[data-entry=user]").getBoundingClientRect(), r = button(el, "user").getBoundingClientRect();
			return r.left <= e.left + 0.1 && r.right >= e.right && r.top <= e.top && r.bottom >= e.bottom && r.right - e.right < 12`) {
			t.Error("a name is not under its button")
		}
		x, y := at("user")
		b.click(x, y, 1)
		b.until(`drawn(el) === "iowait steal system" && button(el, "user").getAttribute("aria-pressed") === "false"`)
		b.until(`svg(el).querySelector("[data-entry=user]").classList.contains("off")`)
		b.picture("legend-hidden")
		b.click(x, y, 1)
		b.until(`drawn(el) === "iowait steal system user" && button(el, "user").getAttribute("aria-pressed") === "true"`)
		const alt = 1
		x, y = at("steal")
		b.press(x, y, alt)
		b.release(x, y, alt)
		b.until(`drawn(el) === "steal"`)
		b.press(x, y, alt)
		b.release(x, y, alt)
		b.until(`drawn(el) === "iowait steal system user"`)
		untouched(t, b)
	})
	t.Run("keyboard", func(t *testing.T) {
		b := showTwo(t, look{})
		b.do(`button(el, [...el.shadowRoot.querySelectorAll("#legend button")][0].dataset.name).focus()`)
		b.keys(0, "ArrowRight", "ArrowRight", "ArrowLeft")
		name := eval[string](b, `return el.shadowRoot.activeElement.dataset.name`)
		b.keys(0, "Enter")
		b.until(`!drawn(el).includes("` + name + `")`)
		b.until(`el.shadowRoot.activeElement?.dataset.name === "` + name + `"`)
		b.keys(0, " ")
		b.until(`drawn(el) === "iowait steal system user"`)
		b.keys(1, "Enter")
		b.until(`drawn(el) === "` + name + `"`)
		b.keys(1, "Enter")
		b.until(`drawn(el) === "iowait steal system user"`)
		if role := eval[string](b, `return el.shadowRoot.getElementById("legend").getAttribute("role") + " " + el.shadowRoot.activeElement.getAttribute("aria-label")`); role != "group "+name {
			t.Errorf("a reader hears %q", role)
		}
		untouched(t, b)
	})
	t.Run("finger", func(t *testing.T) {
		b := showTwo(t, look{width: 390, height: 700, mobile: true})
		p := eval[[]float64](b, `return middle(button(el, "user"))`)
		b.touch(fingerDown, p...)
		b.touch(fingerUp)
		b.until(`drawn(el) === "iowait steal system"`)
		b.touch(fingerDown, p...)
		b.until(`drawn(el) === "user"`)
		b.touch(fingerUp)
		b.picture("legend-phone")
		untouched(t, b)
	})
}

// TestReplay pauses, steps, scrubs and replays by mouse, keyboard and finger.
func TestReplay(t *testing.T) {
	t.Run("keyboard", func(t *testing.T) {
		b := showTwo(t, look{})
		b.do(`el.focus()`)
		b.keys(0, " ")
		b.until(`/^paused .*\d\d:\d\d:\d\d/.test(word(el)) && !bar(el).hidden && el.getAttribute("clock") === "paused"`)
		b.until(`svg(el).dataset.held !== undefined && el.view.replay?.at > 0`)
		if !eval[bool](b, `return still(el, 900)`) {
			t.Error("a paused chart moves")
		}
		b.picture("replay-paused")
		b.do(`window.at = el.view.replay.at`)
		b.keys(0, ",")
		b.until(`el.view.replay.at < at && el.view.replay.at > at - 400`) // samples come every 100 ms
		b.do(`window.back = el.view.replay.at`)
		b.keys(0, ".")
		b.until(`el.view.replay.at > back`)
		b.do(`at = el.view.replay.at`)
		b.keys(8, "<")
		b.until(`el.view.replay.at === at - 1000`)
		b.keys(0, "k")
		b.until(`word(el) === "replay ×1" && el.getAttribute("clock") === "replay"`)
		b.do(`window.moving = x(el)`)
		b.until(`x(el) !== moving`)
		b.keys(0, "l")
		b.until(`el.view.replay === undefined && bar(el).hidden && word(el) === "live"`)
		if !eval[bool](b, `return el.shadowRoot.activeElement === el.shadowRoot.getElementById("frame")`) {
			t.Error("the keyboard fell out of the chart")
		}
		untouched(t, b)
	})
	t.Run("mouse", func(t *testing.T) {
		b := showTwo(t, look{})
		at := func(js string) (x, y float64) {
			p := eval[[]float64](b, `return middle(`+js+`)`)
			return p[0], p[1]
		}
		b.hover(at(`el`))
		b.until(`!tool(el, "pause").hidden`)
		x, y := at(`tool(el, "pause")`)
		b.click(x, y, 1)
		b.until(`!bar(el).hidden && svg(el).dataset.held !== undefined && el.view.replay?.at > 0`)
		// Scrub: requests are few, and the last one holds.
		b.do(`window.asked = []; const send = WebSocket.prototype.send;
			WebSocket.prototype.send = function (text) { if (text.includes("replay")) asked.push(performance.now()); send.call(this, text); };
			window.at = el.view.replay.at; window.began = performance.now()`)
		r := eval[box](b, `const r = bar(el).querySelector("input").getBoundingClientRect(); return { X: r.x, Y: r.y, Width: r.width, Height: r.height }`)
		x0, y0 := r.at(0.97, 0.5)
		x1, y1 := r.at(0.3, 0.5)
		b.drag(x0, y0, x1, y1, 0)
		b.until(`el.view.replay.at < at - 20_000 && Math.abs(el.view.replay.at - Number(bar(el).querySelector("input").value)) < 2`)
		// Five a second, and one more at either end.
		if n := eval[float64](b, `return asked.length - (asked.at(-1) - began) / 200`); n > 3 {
			t.Errorf("%v requests more for one stroke than there is time for", n)
		}
		// Play fast until the present, which may be there at once.
		b.do(`window.words = [];
			new MutationObserver(() => words.push(word(el))).observe(el.shadowRoot.getElementById("word"), { childList: true, characterData: true, subtree: true });
			const select = bar(el).querySelector("select"); select.value = "60"; select.dispatchEvent(new Event("change"))`)
		b.until(`words.includes("replay ×60") || words.join()`)
		b.until(`el.view.replay === undefined && word(el) === "live"`)
		x, y = at(`tool(el, "pause")`)
		b.click(x, y, 1)
		b.until(`!bar(el).hidden`)
		x, y = at(`bar(el).querySelector("[data-do=live]")`)
		b.click(x, y, 1)
		b.until(`bar(el).hidden && word(el) === "live"`)
		untouched(t, b)
	})
	t.Run("finger", func(t *testing.T) {
		b := showTwo(t, look{width: 390, height: 700, mobile: true})
		b.do(`tool(el, "pause").click()`)
		b.until(`!bar(el).hidden && svg(el).dataset.held !== undefined && el.view.replay?.at > 0`)
		p := eval[[]float64](b, `return middle(bar(el).querySelector("[data-do=back]"))`)
		b.do(`window.at = el.view.replay.at`)
		b.touch(fingerDown, p...)
		b.touch(fingerUp)
		b.until(`el.view.replay.at < at`)
		b.picture("replay-phone")
		untouched(t, b)
	})
	t.Run("a kind without a time axis", func(t *testing.T) {
		d := start(t, allKinds)
		feed(t, d)
		b := open(t, look{dark: true})
		b.goTo(d.URL() + "blank")
		b.do(replayHelpers + `window.el = add({ src: "gauge", size: "640x320" })`)
		b.until(`el.state === "live"`)
		b.do(`el.focus()`)
		b.keys(0, " ")
		b.until(`/^paused/.test(word(el))`)
		if !eval[bool](b, `return still(el, 900)`) {
			t.Error("a paused gauge moves")
		}
		b.picture("replay-gauge")
	})
}
