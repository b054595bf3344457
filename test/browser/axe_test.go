package browser

import (
	"os"
	"strings"
	"testing"
)

// axe says what is wrong with the page for those who do not see or use it as
// most do: the rules of WCAG 2.2, levels A and AA.
func (b *tab) axe(t *testing.T, where string) {
	t.Helper()
	b.axeIn(t, where, "document")
}

// axeIn looks at a part of the page.
func (b *tab) axeIn(t *testing.T, where, part string) {
	t.Helper()
	// What fades in or out is judged when it has.
	b.until(`[document, ...all().map((el) => el.shadowRoot)].every((r) => r.getAnimations().every((a) => !(a instanceof CSSTransition)))`)
	for _, v := range eval[[]string](b, `
		const { violations } = await axe.run(`+part+`, { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] } });
		return violations.map((v) => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 3).map((n) => "  " + n.target.join(" ") + ": " + n.html.slice(0, 160) + "\n  " + n.failureSummary).join("\n"));`) {
		t.Errorf("%s: %s", where, v)
	}
	// Nothing is cut off at the side.
	if over := eval[float64](b, `const e = document.documentElement; return e.scrollWidth - e.clientWidth`); over > 0 {
		t.Errorf("%s: the page is %v px wider than its window", where, over)
	}
	small := eval[[]string](b, `
		const roots = [document, ...[...document.querySelectorAll("chartd-chart")].map((el) => el.shadowRoot)];
		return roots.flatMap((r) => [...r.querySelectorAll("button, select, input:not([type=radio]), header label, .links a, nav a")])
			.filter((el) => el.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
			.filter((el) => { const r = el.getBoundingClientRect(); return r.width > 1 && (r.width < 23.9 || r.height < 23.9) })
			.map((el) => { const r = el.getBoundingClientRect(); return el.outerHTML.slice(0, 120) + " " + r.width + "x" + r.height });`)
	if len(small) > 0 {
		t.Errorf("%s: under 24 px:\n%s", where, strings.Join(small, "\n"))
	}
}

// TestAxe looks at the pages, light and dark, wide, on a narrow phone and at
// 200 %, at a menu that is open, and at charts that are read, zoomed and paused.
func TestAxe(t *testing.T) {
	need(t, "axe-core")
	script, err := os.ReadFile(modules + "/axe-core/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	d := start(t, allKinds)
	feed(t, d)
	for _, c := range []struct {
		name string
		look look
	}{
		{"light", look{width: 1280, height: 900}},
		{"dark", look{width: 1280, height: 900, dark: true}},
		{"320 px", look{width: 320, height: 640, mobile: true}},
		{"200 percent", look{width: 640, height: 450}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, c.look)
			for _, page := range []string{"", "c/line", "c/gauge", "wall"} {
				b.goTo(d.URL() + page)
				b.do(helpers + byHand)
				b.until(`all().length > 0 && all().every((el) => el.state === "live")`)
				b.do(string(script))
				b.axe(t, "/"+page)
				b.do(`window.el = all()[0]; el.focus()`)
				if page == "c/gauge" {
					continue
				}
				if page != "wall" { // where there is no bar
					b.do(takeHelpers + `tool(el, "take").click()`)
					b.until(`open_(el, "take")`)
					b.axeIn(t, "/"+page+", with its menu open", "el")
					b.picture("axe-menu-" + strings.ReplaceAll(c.name+"-"+page, "/", "-"))
					b.keys(0, "Escape")
					b.until(`!open_(el, "take")`)
				}
				if page != "c/line" {
					b.do(`part(el, "frame").focus()`)
					b.keys(0, "k")
					b.until(`el.getAttribute("clock") === "paused" && part(el, "replay").checkVisibility() === (location.pathname !== "/wall")`)
					b.axeIn(t, "/"+page+", paused", "el")
					b.picture("axe-paused-" + strings.ReplaceAll(c.name+"-"+page, "/", "-"))
					continue
				}
				b.do(`part(el, "frame").focus()`)
				b.keys(0, "ArrowLeft")
				b.until(`readout(el) !== null`)
				b.axe(t, "a chart that is read")
				b.keys(0, "Escape", "+")
				b.until(`el.view.from > 0`)
				b.axe(t, "a chart that is zoomed")
				b.keys(0, "0")
				b.until(`!(el.view.from > 0)`)
				b.keys(0, "k")
				b.until(`el.getAttribute("clock") === "paused" && part(el, "replay").checkVisibility()`)
				b.axe(t, "a chart that is paused")
				b.picture("axe-paused-" + strings.ReplaceAll(c.name, " ", "-"))
			}
		})
	}
}
