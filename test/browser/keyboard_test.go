package browser

import "testing"

// at says what has the focus, down to what is inside a chart, and how it is
// shown: a stop that nobody sees is "nothing".
const at = `
	window.stop = () => {
		let e = document.activeElement;
		while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
		return e;
	};
	window.ring = () => { const s = getComputedStyle(stop()); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2; };
	window.named = () => { const e = stop(); return e.getAttribute("aria-label") ?? (e.id || e.textContent.trim() || e.className || e.tagName); };
`

// tabTo presses Tab until a stop is reached, and fails where the focus is not
// seen on the way, or where it never gets there.
func (b *tab) tabTo(condition string) {
	b.t.Helper()
	for range 40 {
		b.keys(0, "Tab")
		if !eval[bool](b, `return stop() === document.body || ring() || stop().matches("input[type=radio], section")`) {
			b.t.Errorf("nobody sees the focus on %s", eval[string](b, "return named()"))
		}
		if eval[bool](b, "return Boolean("+condition+")") {
			return
		}
	}
	b.t.Fatalf("40 times Tab did not lead to %s; it is on %s", condition, eval[string](b, "return named()"))
}

// TestKeysAlone goes from the gallery through all of a chart and back, without
// a pointer.
func TestKeysAlone(t *testing.T) {
	d := start(t, withVars)
	feedHosts(t, d, "load", "web1", "web2")
	for _, features := range []map[string]string{nil, {"forced-colors": "active", "prefers-contrast": "more", "prefers-reduced-motion": "reduce"}} {
		name := "usual"
		if features != nil {
			name = "forced colors"
		}
		t.Run(name, func(t *testing.T) {
			b := open(t, look{media: features})
			b.goTo(d.URL())
			b.do(helpers + byHand + at)
			b.until(`all().length > 0 && all()[0].state === "live"`)
			b.tabTo(`named() === "Open " + all()[0].closest("article").getAttribute("aria-label")`)
			b.keys(0, "Enter")
			b.until(`location.pathname === "/c/load" && document.readyState === "complete" && document.querySelector("chartd-chart")?.state === "live"`)
			b.do(helpers + byHand + at + `window.el = all()[0]`)
			b.until(`el.hasAttribute("picking") && await settled(el)`) // the pickers make the picture smaller

			b.tabTo(`stop().id === "frame"`)
			b.keys(0, "ArrowLeft")
			b.until(`readout(el) !== null`)
			b.picture("keys-read-" + name)
			b.keys(0, "Escape", "+")
			b.until(`el.view.from > 0`)
			b.keys(0, "Backspace")
			b.until(`!(el.view.from > 0)`)

			b.tabTo(`stop().closest("#legend")`)
			b.keys(0, " ")
			b.until(`el.view.hidden?.length === 1`)
			b.keys(0, " ")
			b.until(`!el.view.hidden?.length`)

			for range 5 { // and back
				if eval[bool](b, `return stop().id === "frame"`) {
					break
				}
				b.keys(shift, "Tab")
			}
			b.keys(0, "k")
			b.until(`el.getAttribute("clock") === "paused" && el.view.replay?.at > 0`)
			b.do(`window.was = el.view.replay.at`)
			b.keys(0, ",")
			b.until(`el.view.replay?.at < was`)
			b.picture("keys-paused-" + name)
			b.keys(0, "l")
			b.until(`!el.hasAttribute("clock")`)

			b.tabTo(`stop().closest("[part~=toolbar]")`)
			b.keys(0, "ArrowRight", "End")
			b.until(`ring()`)
			b.picture("keys-toolbar-" + name)
			b.menuByKeys(t, "keys-menu-"+name)

			b.tabTo(`stop().matches("select") && stop().closest("#vars")`)
			b.keys(0, "w")
			b.until(`el.view.vars?.host === "web2" && stop().value === "web2" && svg(el).querySelector("title").textContent === "Load of web2"`)
			b.picture("keys-var-" + name)
			b.tabTo(`stop().matches("a.back")`)
			b.keys(0, "Enter")
			b.until(`location.pathname === "/"`)
		})
	}
}

// menuByKeys opens the menu by which a chart is taken away, goes through it,
// takes a picture, a link and the code, and gives it up, all from the bar, which
// has the focus.
func (b *tab) menuByKeys(t *testing.T, name string) {
	t.Helper()
	b.do(takeHelpers + `
		window.on = (id) => stop() === item(el, id) && ring();
		window.back = () => !open_(el, "take") && stop() === tool(el, "take") && tool(el, "take").getAttribute("aria-expanded") === "false";`)
	b.keys(0, "Home")
	for range 20 {
		if eval[bool](b, `return stop() === tool(el, "take")`) {
			break
		}
		b.keys(0, "ArrowRight")
	}
	b.keys(0, "Enter")
	b.until(`open_(el, "take") && on("svg")`)
	b.until(`getComputedStyle(part(el, "toolbar")).opacity === "1"`) // where it opened from is seen, still
	b.picture(name)
	for _, id := range []string{"png", "csv", "link", "embed", "svg"} {
		b.keys(0, "ArrowDown")
		b.until(`on("` + id + `")`)
	}
	b.keys(0, "Escape")
	b.until(`back() && ring()`)
	if b.keys(0, "ArrowUp"); !eval[bool](b, `return on("embed")`) {
		t.Error("arrow up on the button does not open the menu at its end")
	}
	b.keys(0, "Tab") // closes it, and goes on from the button
	b.until(`!open_(el, "take") && !stop().closest("[part~=toolbar], [part~=menu]")`)
	b.keys(shift, "Tab")
	b.until(`back()`)
	for _, c := range []struct{ key, does string }{
		{"s", `saved.at(-1)?.as === "load.svg"`},
		{"c", `saved.at(-1)?.as === "load.csv"`},
		{"l", `copied.startsWith(location.origin + "/c/load")`},
	} {
		b.keys(0, "Enter", "End", c.key, "Enter")
		b.until(`back() && (` + c.does + `)`)
	}
}
