package browser

import (
	"cmp"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Modifiers of a key or of a mouse, as CDP counts them.
const (
	ctrl  = 2
	shift = 8
)

// byHand are functions that tests of the hand use in the page.
const byHand = `
	window.part = (el, name) => el.shadowRoot.querySelector("[part~='" + name + "']");
	// What is read at the crosshair; null: nothing is.
	window.readout = (el) => {
		if (el.shadowRoot.getElementById("cross").hidden) return null;
		const rows = [...el.shadowRoot.querySelectorAll("[part=readout-row]")].filter((r) => !r.hidden);
		return {
			time: part(el, "readout-time").textContent,
			rows: Object.fromEntries(rows.map((r) => [r.querySelector("[part=readout-name]").textContent, r.querySelector("[part=readout-value]").textContent])),
		};
	};
	// Where the data are, in px of the window.
	window.dataBox = (el) => {
		const root = svg(el), m = root.getScreenCTM();
		const [x, y, w, h] = root.dataset.rect.split(" ").map(Number);
		return { x: m.a * x + m.e, y: m.d * y + m.f, width: m.a * w, height: m.d * h };
	};
	// Where a time is really drawn, in px of the window, whatever moves or stretches it.
	window.drawnAt = (el, t) => {
		const m = svg(el).querySelector("[data-k=b]").getScreenCTM();
		const { x0, xs } = svg(el).dataset;
		return m.a * (t - x0) * xs + m.e;
	};
	// The times at the edges of the data as they are drawn.
	window.seen = (el) => {
		const box = dataBox(el), m = svg(el).querySelector("[data-k=b]").getScreenCTM();
		const { x0, xs } = svg(el).dataset;
		const at = (px) => Number(x0) + (px - m.e) / m.a / xs;
		return { from: at(box.x), to: at(box.x + box.width) };
	};
	// What the page asked for by hand.
	window.asked = () => sent.map((m) => (m.t === "callback" ? m.arg?.view : m.t === "set" ? m.view : null)).filter((v) => v && "from" in v);
	// What f says in every animation frame until stop() is called.
	window.watchFrames = (f) => {
		const all = [];
		let on = true;
		(async () => { while (on) { await frame(); if (on) all.push(f()); } })();
		return { all, stop: () => { on = false; return all; } };
	};
	window.tool = (el, id) => part(el, "tool-" + id);
	window.shown = (el, id) => !tool(el, id).hidden;
	// The picture has the size that was asked for, and nothing made the chart
	// another size meanwhile: who lays it out again takes away what is read.
	window.settled = async (el) => {
		const place = () => { const r = el.getBoundingClientRect(); return [r.x, r.y, r.width, r.height, el.view.size].join() };
		const was = place(), [w] = el.view.size ?? [0];
		await frame();
		await frame();
		return place() === was && Math.abs(svg(el).viewBox.baseVal.width / 10 - w) < 1;
	};
	// No hand stretches the picture, nothing it asked for is under way: two frames
	// on, it is as it was.
	window.resting = async (el) => {
		const now = () => svg(el).closest(".stretched") ? "stretched" : JSON.stringify([el.view, asked().length]);
		await frame();
		const was = now();
		await frame();
		await frame();
		return was !== "stretched" && now() === was;
	};
`

// box is a rectangle of the window, in px.
type box struct{ X, Y, Width, Height float64 }

// at returns a place in the box, as shares of its sides.
func (r box) at(x, y float64) (px, py float64) { return r.X + r.Width*x, r.Y + r.Height*y }

// dataBox returns where a chart's data are.
func (b *tab) dataBox(el string) box { return eval[box](b, "return dataBox("+el+")") }

// mouse sends one event of a mouse.
func (b *tab) mouse(kind input.DispatchMouseEventType, x, y float64, modifiers int64, down bool, clicks int64) {
	b.t.Helper()
	p := input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Modifiers: modifiers, ClickCount: clicks, PointerType: "mouse"}
	if down {
		p.Button, p.Buttons = input.MouseButtonLeft, 1
	}
	if kind == input.DispatchMouseEventTypeMouseReleased {
		p.Button = input.MouseButtonLeft
	}
	if _, err := chromedp.Call(b.ctx, input.DispatchMouseEvent, p); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) hover(x, y float64) {
	b.t.Helper()
	b.mouse(input.DispatchMouseEventTypeMouseMoved, x, y, 0, false, 0)
}

// pen moves a pen over the page without touching it.
func (b *tab) pen(x, y float64) {
	b.t.Helper()
	p := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: x, Y: y, PointerType: "pen"}
	if _, err := chromedp.Call(b.ctx, input.DispatchMouseEvent, p); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) press(x, y float64, modifiers int64) {
	b.t.Helper()
	b.mouse(input.DispatchMouseEventTypeMouseMoved, x, y, modifiers, false, 0)
	b.mouse(input.DispatchMouseEventTypeMousePressed, x, y, modifiers, true, 1)
}

func (b *tab) dragTo(x, y float64, modifiers int64) {
	b.t.Helper()
	b.mouse(input.DispatchMouseEventTypeMouseMoved, x, y, modifiers, true, 0)
}

func (b *tab) release(x, y float64, modifiers int64) {
	b.t.Helper()
	b.mouse(input.DispatchMouseEventTypeMouseReleased, x, y, modifiers, false, 1)
}

// drag presses, moves in steps, and lets go.
func (b *tab) drag(x0, y0, x1, y1 float64, modifiers int64) {
	b.t.Helper()
	b.press(x0, y0, modifiers)
	for i := 1; i <= 6; i++ {
		s := float64(i) / 6
		b.dragTo(x0+(x1-x0)*s, y0+(y1-y0)*s, modifiers)
	}
	b.release(x1, y1, modifiers)
}

func (b *tab) click(x, y float64, clicks int64) {
	b.t.Helper()
	b.hover(x, y)
	for i := int64(1); i <= clicks; i++ {
		b.mouse(input.DispatchMouseEventTypeMousePressed, x, y, 0, true, i)
		b.mouse(input.DispatchMouseEventTypeMouseReleased, x, y, 0, false, i)
	}
}

func (b *tab) wheel(x, y, dx, dy float64, modifiers int64) {
	b.t.Helper()
	p := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseWheel, X: x, Y: y, Modifiers: modifiers}
	p.DeltaX, p.DeltaY = cmp.Or(dx, 1e-6), cmp.Or(dy, 1e-6) // CDP wants both
	if _, err := chromedp.Call(b.ctx, input.DispatchMouseEvent, p); err != nil {
		b.t.Fatal(err)
	}
}

// keys presses keys, one after the other. Named keys are as DOM names them.
func (b *tab) keys(modifiers int64, names ...string) {
	b.t.Helper()
	codes := map[string]int64{
		"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35, "Escape": 27,
		"PageUp": 33, "PageDown": 34, "Tab": 9, "Enter": 13, "Backspace": 8,
	}
	for _, name := range names {
		p := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: name, Modifiers: modifiers}
		p.WindowsVirtualKeyCode = codes[name]
		if len(name) == 1 {
			p.Text = name
		} else if name == "Enter" {
			p.Text = "\r"
		}
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, p); err != nil {
			b.t.Fatal(err)
		}
		p.Type, p.Text = input.DispatchKeyEventTypeKeyUp, ""
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, p); err != nil {
			b.t.Fatal(err)
		}
	}
}

// touch sends one event of fingers: where all of them are now, x and y in
// turns.
func (b *tab) touch(kind input.DispatchTouchEventType, places ...float64) {
	b.t.Helper()
	p := input.DispatchTouchEventParams{Type: kind, TouchPoints: []*input.TouchPoint{}}
	for i := 0; i < len(places); i += 2 {
		p.TouchPoints = append(p.TouchPoints, &input.TouchPoint{X: places[i], Y: places[i+1], ID: new(float64(i / 2))})
	}
	if _, err := chromedp.Call(b.ctx, input.DispatchTouchEvent, p); err != nil {
		b.t.Fatal(err)
	}
}

const (
	fingerDown = input.DispatchTouchEventTypeTouchStart
	fingerMove = input.DispatchTouchEventTypeTouchMove
	fingerUp   = input.DispatchTouchEventTypeTouchEnd
)

// chart opens a page with one chart, called el there, and waits until it is
// live and has the size it will keep.
func (b *tab) chart(url, attributes, style string) {
	b.t.Helper()
	b.goTo(url + "blank")
	b.do(helpers + byHand + `document.body.style.margin = "0";
		document.head.append(Object.assign(document.createElement("meta"), { name: "viewport", content: "width=device-width" }));
		window.sent = [];
		const { send } = WebSocket.prototype;
		WebSocket.prototype.send = function (text) {
			for (const m of [JSON.parse(text)].flat()) sent.push({ at: performance.now(), ...m });
			send.call(this, text);
		};
		window.el = add(` + attributes + `); el.style.cssText = "` + style + `";`)
	b.until(`el.state === "live" && await settled(el)`)
}
