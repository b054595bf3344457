package browser

import (
	"fmt"
	"math"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

type span struct{ From, To float64 }

func (b *tab) seen() span { return eval[span](b, `return seen(el)`) }

// near reports whether two ranges are one within px of a picture so wide.
func (r span) near(want span, px, width float64) bool {
	slack := px * (want.To - want.From) / width
	return math.Abs(r.From-want.From) <= slack && math.Abs(r.To-want.To) <= slack
}

// landed waits until the server's own picture of the range is what is seen.
func (b *tab) landed(want span) {
	b.t.Helper()
	b.until(fmt.Sprintf(`(() => {
		if (svg(el).closest(".stretched")) return "stretched";
		const v = el.view, s = seen(el), px = (%[2]f - %[1]f) / dataBox(el).width;
		const near = (a, b) => Math.abs(a - b) <= 2 * px;
		return near(v.from ?? 0, %[1]f) && near(v.to ?? 0, %[2]f) && near(s.from, v.from) && near(s.to, v.to) || JSON.stringify([v, s]);
	})()`, want.From, want.To))
}

// TestZoomDrag selects a range with the mouse. What is seen from the moment it
// is let go is the range: first stretched, then drawn, without a jump between.
func TestZoomDrag(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	for _, motion := range []string{"no-preference", "reduce"} {
		t.Run(motion, func(t *testing.T) {
			b := open(t, look{width: 900, height: 500, media: map[string]string{"prefers-reduced-motion": motion}})
			b.chart(d.URL(), `{src: "line"}`, "width:800px;height:400px")
			r := b.dataBox("el")
			x0, y0 := r.at(0.3, 0.4)
			x1, y1 := r.at(0.7, 0.6)
			b.press(x0, y0, 0)
			b.dragTo(x0+20, y0, 0)
			b.until(`!el.shadowRoot.getElementById("band").hidden`)
			held := b.seen()
			// The picture stands still while new frames come in.
			b.do(`window.before = svg(el).querySelector("[data-k=x]").getAttribute("transform"); window.moves = watchFrames(() => seen(el));`)
			b.until(`svg(el).querySelector("[data-k=x]").getAttribute("transform") !== before`)
			b.do(`before = svg(el).querySelector("[data-k=x]").getAttribute("transform")`)
			b.until(`svg(el).querySelector("[data-k=x]").getAttribute("transform") !== before`)
			b.dragTo(x1, y1, 0)
			b.picture("zoom-selecting-" + motion)
			for _, s := range eval[[]span](b, `return moves.stop()`) {
				if !s.near(held, 1, r.Width) {
					t.Fatalf("under the hand the picture moved from %v to %v", held, s)
				}
			}
			want := span{held.From + 0.3*(held.To-held.From), held.From + 0.7*(held.To-held.From)}
			b.do(`window.moves = watchFrames(() => ({ ...seen(el), stretched: !!svg(el).closest(".stretched"), asked: asked().length }));`)
			b.release(x1, y1, 0)
			b.landed(want)
			b.do(`await frame(); await frame(); await frame(); await frame()`)
			type moment struct {
				span
				Stretched bool
				Asked     int
			}
			stretched, exact := 0, 0
			for i, m := range eval[[]moment](b, `return moves.stop()`) {
				switch {
				case m.Asked == 0: // it has not been let go
				case !m.near(want, 2, r.Width):
					t.Errorf("frame %d shows %v; want %v", i, m.span, want)
				case m.Stretched:
					stretched++
				default:
					exact++
				}
			}
			if exact < 3 {
				t.Errorf("%d frames stretched, %d exact", stretched, exact)
			}
			if n := eval[int](b, `return asked().length`); n > 2 { // a second one where the first was not understood
				t.Errorf("one drag asked %d times", n)
			}
			b.until(`el.shadowRoot.getElementById("word").textContent === "fixed range" && shown(el, "live") && shown(el, "back")`)
			b.picture("zoomed-" + motion)
			b.hover(r.at(0.5, 0.5))
			b.until(`readout(el) !== null`)
		})
	}
}

// TestZoomGivenUp: Escape, and a drag that is hardly one, leave everything as
// it was.
func TestZoomGivenUp(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{width: 900, height: 500})
	b.chart(d.URL(), `{src: "line"}`, "width:800px;height:400px")
	r := b.dataBox("el")
	x, y := r.at(0.4, 0.5)
	b.press(x, y, 0)
	b.dragTo(x+100, y, 0)
	b.until(`!el.shadowRoot.getElementById("band").hidden`)
	b.keys(0, "Escape")
	b.until(`el.shadowRoot.getElementById("band").hidden`)
	b.release(x+100, y, 0)
	b.press(x, y, 0)
	b.dragTo(x, y+20, 0)
	b.release(x, y+20, 0)
	// The browser's menu came between, and what lets the button go was its.
	b.do(fmt.Sprintf(`
		const frame = el.shadowRoot.getElementById("frame"), at = { pointerType: "mouse", pointerId: 1, bubbles: true, clientY: %[2]f };
		frame.dispatchEvent(new PointerEvent("pointerdown", { ...at, clientX: %[1]f, button: 0, buttons: 1 }));
		frame.dispatchEvent(new PointerEvent("pointermove", { ...at, clientX: %[1]f + 60, button: -1, buttons: 0 }));`, x, y))
	if !eval[bool](b, `return el.shadowRoot.getElementById("band").hidden`) {
		t.Error("a pointer without a button selects")
	}
	b.click(x, y, 1)
	b.do(`window.was = x(el)`)
	b.until(`x(el) !== was && !svg(el).closest(".stretched")`)
	if n := eval[int](b, `return asked().length`); n != 0 || eval[bool](b, `return shown(el, "live")`) {
		t.Errorf("%d ranges were asked for", n)
	}
	// It glides again.
	b.until(`svg(el).querySelector("[data-k=x]").getAnimations().some((a) => a.playState === "running")`)
}

// TestZoomWheel zooms about the pointer, and does not flood the server.
func TestZoomWheel(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{width: 900, height: 500})
	b.chart(d.URL(), `{src: "line"}`, "width:800px;height:400px")
	b.do(`document.body.style.height = "3000px"`)
	r := b.dataBox("el")
	x, y := r.at(0.25, 0.5)
	b.hover(x, y)

	// Without Ctrl and without the focus the wheel is the page's.
	b.wheel(x, y, 0, 60, 0)
	b.until(`scrollY > 0`)
	b.do(`scrollTo(0, 0)`)
	b.until(`scrollY === 0`)
	if n := eval[int](b, `return asked().length`); n != 0 {
		t.Fatalf("the page's wheel asked %d times", n)
	}

	// What is there when the first turn comes: a live picture moves until then.
	b.do(`addEventListener("wheel", () => { const s = seen(el); window.under = s.from + 0.25 * (s.to - s.from); }, { capture: true, once: true })`)
	for range 12 {
		b.wheel(x, y, 0, -40, ctrl)
	}
	b.until(`asked().length > 0 && await resting(el)`)
	s := b.seen()
	under := eval[float64](b, `return under`)
	if at := (under - s.From) / (s.To - s.From); math.Abs(at-0.25) > 0.03 {
		t.Errorf("what was under the pointer is at %v of the width; want 0.25", at)
	}
	if long := s.To - s.From; long > 12_000 || long < 3_000 {
		t.Errorf("it shows %v ms of 20,000", long)
	}
	b.landed(s)

	// By a hundred turns in a second it gets as near as may be.
	b.do(`window.began = performance.now()`)
	for range 60 {
		b.wheel(x, y, 0, -100, ctrl)
	}
	b.until(`el.view.to - el.view.from === 1000 && await resting(el)`)
	type rate struct {
		N  int
		Ms float64
	}
	q := eval[rate](b, `return { n: sent.filter((m) => m.at >= began && (m.t === "set" ? "from" in m.view : m.t === "callback" && m.arg?.view && "from" in m.arg.view)).length, ms: performance.now() - began }`)
	if most := int(q.Ms/200) + 4; q.N > most { // one may be left of before, and clocks are not exact
		t.Errorf("%d requests in %v ms; want 5 a second at most", q.N, q.Ms)
	}
	b.landed(b.seen())

	// The other axis pans, up to the present.
	was := b.seen()
	b.wheel(x, y, -300, 0, 0)
	b.until(fmt.Sprintf(`el.view.to < %f && await resting(el)`, was.To-100))
	if s := b.seen(); math.Abs(s.To-s.From-1000) > 1 {
		t.Errorf("panning changed the length to %v ms", s.To-s.From)
	}
	b.do(`window.now = Date.now()`)
	for range 60 {
		b.wheel(x, y, 10_000, 0, 0)
	}
	b.until(`el.view.to > now - 2000 && await resting(el)`)
	if ahead := eval[float64](b, `return el.view.to - Date.now()`); ahead > 100 {
		t.Errorf("it went %v ms beyond the present", ahead)
	}

	// With the focus the wheel is the chart's.
	b.keys(0, "Tab")
	b.until(`el.shadowRoot.activeElement?.id === "frame"`)
	b.wheel(x, y, 0, 300, 0)
	b.until(`el.view.to - el.view.from > 1500`)
	if eval[float64](b, `return scrollY`) != 0 {
		t.Error("the page scrolled, too")
	}
}

// TestPan drags with Shift: what is under the pointer stays under it, while
// exact pictures come in.
func TestPan(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{width: 900, height: 500})
	b.chart(d.URL(), `{src: "area"}`, "width:800px;height:400px")
	r := b.dataBox("el")
	x, y := r.at(0.2, 0.5)
	b.press(x, y, shift)
	b.dragTo(x+6, y, shift)
	b.until(`!!svg(el).closest(".stretched")`)
	grip := eval[float64](b, fmt.Sprintf(`const s = seen(el); return s.from + (%f + 6 - dataBox(el).x) / dataBox(el).width * (s.to - s.from)`, x))
	b.do(fmt.Sprintf(`window.grip = %f; window.moves = watchFrames(() => drawnAt(el, grip))`, grip))
	for i := 1; i <= 30; i++ {
		b.dragTo(x+6+float64(i)*10, y, shift)
		b.do(`await frame()`)
		if at := eval[float64](b, `return drawnAt(el, grip)`); math.Abs(at-(x+6+float64(i)*10)) > 2 {
			t.Fatalf("step %d: what was gripped is at %v; the pointer is at %v", i, at, x+6+float64(i)*10)
		}
	}
	b.release(x+306, y, shift)
	want := b.seen()
	b.landed(want)
	all := eval[[]float64](b, `return moves.stop()`)
	for i := 1; i < len(all); i++ {
		if all[i] < all[i-1]-2 {
			t.Errorf("it jumped back from %v to %v", all[i-1], all[i])
		}
	}
}

// TestPinch zooms with two fingers: what is under each stays there.
func TestPinch(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{width: 390, height: 844, mobile: true})
	if _, err := chromedp.Call(b.ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 5}); err != nil {
		t.Fatal(err)
	}
	b.chart(d.URL(), `{src: "line"}`, "width:390px;height:260px")
	r := b.dataBox("el")
	xa, y := r.at(0.4, 0.5)
	xb, _ := r.at(0.6, 0.5)
	b.touch(fingerDown, xa, y)
	b.until(`readout(el) !== null`)
	b.touch(fingerDown, xa, y, xb, y)
	b.until(`readout(el) === null && !!svg(el).closest(".stretched")`)
	s := b.seen()
	at := func(px float64) float64 { return s.From + (px-r.X)/r.Width*(s.To-s.From) }
	ta, tb := at(xa), at(xb)
	for i := 1; i <= 8; i++ {
		b.touch(fingerMove, xa-float64(i)*8, y, xb+float64(i)*8, y)
	}
	b.do(`await frame(); await frame()`)
	type pair struct{ A, B float64 }
	p := eval[pair](b, fmt.Sprintf(`return { a: drawnAt(el, %f), b: drawnAt(el, %f) }`, ta, tb))
	if math.Abs(p.A-(xa-64)) > 3 || math.Abs(p.B-(xb+64)) > 3 {
		t.Errorf("the times are at %v and %v; the fingers at %v and %v", p.A, p.B, xa-64, xb+64)
	}
	want := b.seen()
	b.touch(fingerUp)
	b.landed(want)
	b.picture("pinched")
}

// TestZoomKeys does everything with keys, then with the bar.
func TestZoomKeys(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{width: 900, height: 500})
	b.chart(d.URL(), `{src: "line", id: "first"}`, "width:800px;height:400px")
	awaitMetric(t, d.URL(), "chartd_views", 1)
	b.keys(0, "Tab", "+")
	b.until(`el.view.to - el.view.from === 10000 && await resting(el)`)
	first := b.seen()
	b.until(`/ to /.test(el.shadowRoot.getElementById("said").textContent)`)
	b.keys(0, "[")
	b.landed(span{first.From - 2500, first.To - 2500})
	b.keys(0, "PageUp")
	b.landed(span{first.From - 12_500, first.To - 12_500})
	b.keys(0, "]")
	b.landed(span{first.From - 10_000, first.To - 10_000})
	b.keys(0, "-")
	b.landed(span{first.From - 15_000, first.To - 5_000})
	b.keys(0, "Backspace")
	b.landed(span{first.From - 10_000, first.To - 10_000})
	b.keys(shift, "Backspace")
	b.landed(span{first.From - 15_000, first.To - 5_000})
	b.keys(0, "0")
	b.until(`!el.view.to && el.view.from === undefined && !svg(el).closest(".stretched") && el.shadowRoot.getElementById("word").textContent === "live"`)
	b.until(`!shown(el, "live") && shown(el, "back")`)
	b.do(`window.was = x(el)`)
	b.until(`x(el) !== was`)

	// The bar is one stop of Tab, and arrows move in it.
	b.keys(0, "Tab")
	b.until(`el.shadowRoot.activeElement?.part.contains("tool-back")`)
	b.keys(0, "ArrowRight", "ArrowRight")
	b.until(`el.shadowRoot.activeElement === tool(el, "zoom-in")`)
	if n := eval[int](b, `return el.shadowRoot.querySelectorAll("#tools [tabindex='0']").length`); n != 1 {
		t.Errorf("%d stops of Tab in the bar; want 1", n)
	}
	b.keys(0, "Enter")
	b.until(`el.view.to - el.view.from === 10000 && !svg(el).closest(".stretched")`)
	b.keys(0, "ArrowRight")
	b.until(`el.shadowRoot.activeElement === tool(el, "live")`)
	b.picture("toolbar-keys")
	b.keys(0, "Enter")
	b.until(`!el.view.to && !shown(el, "live")`)
	b.until(`el.shadowRoot.activeElement !== null || [document.activeElement.localName, ...[...el.shadowRoot.querySelectorAll("#tools button")].map((b) => b.getAttribute("part") + b.hidden + b.tabIndex)].join()`) // the button went, the focus did not
	b.keys(0, "Escape")
	b.until(`el.shadowRoot.activeElement?.id === "frame"`)
	b.keys(0, "+")
	b.until(`el.view.to > 0 && !svg(el).closest(".stretched")`)
	r := b.dataBox("el")
	x, y := r.at(0.5, 0.5)
	b.click(x, y, 2)
	b.until(`!el.view.to`)
	// Who is live again shares the common view: the others end.
	b.do(`add({ src: "line", size: el.view.size.join("x") })`)
	b.until(`all().every((e) => e.state === "live")`)
	awaitMetric(t, d.URL(), "chartd_subscriptions", 1)
	awaitMetric(t, d.URL(), "chartd_views", 1)
}

// TestToolbar looks at where it is, and when.
func TestToolbar(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	const overlaps = `
		const bar = part(el, "toolbar").getBoundingClientRect(), title = svg(el).querySelector("[data-k=h] text")?.getBoundingClientRect();
		return !!title && bar.left < title.right && bar.right > title.left && bar.top < title.bottom && bar.bottom > title.top;`
	for _, l := range []look{{width: 900, height: 500}, {width: 320, height: 500}, {width: 180, height: 300}} {
		b := open(t, l)
		b.chart(d.URL(), `{src: "scatter"}`, fmt.Sprintf("width:%dpx;height:240px", l.width))
		if eval[string](b, `return getComputedStyle(part(el, "toolbar")).opacity`) != "0" {
			t.Error("it is seen while nobody is there")
		}
		b.hover(float64(l.width)/2, 120)
		b.until(`getComputedStyle(part(el, "toolbar")).opacity === "1"`)
		if eval[bool](b, overlaps) {
			t.Errorf("%d px wide: the bar covers the title", l.width)
		}
		b.keys(0, "Tab", "+")
		b.until(`shown(el, "live")`)
		b.until(`el.shadowRoot.getElementById("word").textContent === "fixed range"`)
		b.do(`await frame(); await frame()`)
		if eval[bool](b, overlaps) {
			t.Errorf("%d px wide: the longer bar covers the title", l.width)
		}
		if eval[bool](b, `
			const bar = part(el, "toolbar").getBoundingClientRect(), badge = part(el, "badge").getBoundingClientRect();
			return bar.right > badge.left && bar.top < badge.bottom;`) {
			t.Errorf("%d px wide: the bar covers the badge", l.width)
		}
		if small := eval[[]string](b, `return [...el.shadowRoot.querySelectorAll("#tools button")].filter((b) => !b.hidden)
			.map((b) => [b.getAttribute("aria-label"), b.getBoundingClientRect()]).filter(([, r]) => r.width < 24 || r.height < 24).map(([n]) => n)`); len(small) > 0 {
			t.Errorf("smaller than 24 px: %v", small)
		}
		b.picture(fmt.Sprintf("toolbar-%d", l.width))
		b.do(`el.setAttribute("controls", "none")`)
		if eval[string](b, `return getComputedStyle(part(el, "toolbar")).display`) != "none" {
			t.Error(`controls="none" leaves it there`)
		}
	}
}

// TestZoomAlone: one viewer's zoom is nobody else's, and a second chart of the
// page stays live, although both were one subscription.
func TestZoomAlone(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{width: 900, height: 900})
	b.chart(d.URL(), `{src: "line", size: "800x400"}`, "width:800px;height:400px")
	b.do(`window.other = add({ src: "line", size: "800x400" }); other.style.cssText = "width:800px;height:400px"`)
	b.until(`other.state === "live"`)
	r := b.dataBox("el")
	x0, y0 := r.at(0.2, 0.3)
	x1, y1 := r.at(0.4, 0.6)
	b.drag(x0, y0, x1, y1, 0)
	b.until(`el.view.to > 0 && !svg(el).closest(".stretched")`)
	b.do(`window.was = x(other)`)
	b.until(`other.state === "live" && !other.view.to && x(other) !== was`)
	if eval[bool](b, `return shown(other, "live")`) {
		t.Error("the other chart says that it is not live")
	}
	// Back again, both are one.
	b.do(`tool(el, "live").click()`)
	b.until(`!el.view.to && el.state === "live" && x(el) === x(other)`)
	awaitMetric(t, d.URL(), "chartd_subscriptions", 1)
}
