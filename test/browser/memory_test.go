package browser

import (
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// sizes are what a page holds.
type sizes struct{ Nodes, Listeners, Heap float64 }

// held returns what the page holds after a collection.
func (b *tab) held() sizes {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, performance.Enable, performance.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	for range 2 { // what one sets free, the other takes
		if _, err := chromedp.Call(b.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			b.t.Fatal(err)
		}
	}
	m, err := chromedp.Call(b.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		b.t.Fatal(err)
	}
	var s sizes
	for _, x := range m.Metrics {
		switch x.Name {
		case "Nodes":
			s.Nodes = x.Value
		case "JSEventListeners":
			s.Listeners = x.Value
		case "JSHeapUsedSize":
			s.Heap = x.Value
		}
	}
	return s
}

// TestUnmounted puts a chart into a page and takes it away two hundred times:
// mostly before it has a picture, now and then after all that a hand does. What
// the page then holds is what it held before; of the elements nothing is left
// but the last, which a framework may keep until its next update.
func TestUnmounted(t *testing.T) {
	d := frameworks(t)
	feed(t, d)
	for _, name := range []string{"plain", "react", "vue"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it mostly waits
			b := open(t, look{})
			b.expect("You are running a development build of Vue")
			b.expect("Download the React DevTools")
			b.goTo(d.URL() + "framework")
			b.do(helpers + byHand + takeHelpers + `await import("/chartd.js")`)
			if name == "plain" {
				b.do(`let el; page.set = ({ shown }) => { if (shown) el = add({ src: "line", window: "20s", pick: "" }, app); else { el.remove(); el = null; } };`)
			} else {
				b.do(`await import("/scripts/` + name + `.js"); page.start(); `)
				b.until(`page.ready && page.mounted === page.strict`)
				b.do(`page.events = { push: () => {} }; page.set({ shown: false })`)
			}
			b.do(`
				window.refs = [];
				const until = async (f) => { for (let i = 0; i < 2000 && !f(); i++) await sleep(10); if (!f()) throw new Error("never: " + f); };
				const used = async (el) => {
					await until(() => el.state === "live");
					const { x, y, width, height } = dataBox(el), frame = part(el, "frame");
					for (const share of [.3, .5]) frame.dispatchEvent(new PointerEvent("pointermove", { clientX: x + share * width, clientY: y + height / 2, pointerType: "mouse", bubbles: true, composed: true }));
					await frame_();
					frame.focus();
					frame.dispatchEvent(new KeyboardEvent("keydown", { key: "+", bubbles: true, composed: true }));
					await until(() => el.view.from > 0 && !svg(el).closest(".stretched"));
					tool(el, "take").click();
					item(el, "svg").click();
					await until(() => saved.length > 0);
					saved.length = 0;
					await el.callback("x");
				};
				const frame_ = window.frame;
				window.rounds = async (n) => {
					for (let i = 0; i < n; i++) {
						page.set({ shown: true });
						await until(() => all().length === 1);
						refs.push(new WeakRef(all()[0]));
						if (i % 20 === 0) await used(all()[0]);
						page.set({ shown: false });
						await until(() => all().length === 0);
					}
					document.activeElement?.blur?.();
					await frame_(); await frame_();
				};
				window.left = () => refs.filter((r) => r.deref()).length;
				await rounds(21);`)
			first := b.held()
			b.do(`await rounds(200)`)
			b.until(`(gc(), await sleep(50), left() <= 1) || refs.map((r, i) => (r.deref() ? i : "")).join(" ").trim()`)
			last := b.held()
			t.Logf("%+v became %+v; %d of %d elements are left", first, last, eval[int](b, `return left()`), eval[int](b, `return refs.length`))
			// One chart has some 250 nodes, 100 listeners and 30 KiB; the engine's own
			// code for what runs often comes to half a MiB.
			if last.Nodes > first.Nodes+300 || last.Listeners > first.Listeners+150 || last.Heap > first.Heap+1<<20 {
				t.Errorf("it grew from %+v to %+v", first, last)
			}
		})
	}
}
