package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestKeyboardAndReader: a chart is reached by keyboard, seen to be, and says
// what it shows now.
func TestKeyboardAndReader(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + `
		for (const src of ["line", "stack", "stat"]) add({ src, size: "640x320" });
		await customElements.whenDefined("chartd-chart");`)
	b.until(`all().every((el) => el.state === "live")`)

	// A badge or a clock that goes on with a replay would speak over everything else.
	if got := eval[string](b, `return [...all()[0].shadowRoot.querySelectorAll(":is([aria-live], [role=status], [role=alert], [role=log], [role=timer], output):not([aria-live=off])")].map((el) => el.id).join()`); got != "said" {
		t.Errorf("what speaks unasked in a chart is %q; want said alone", got)
	}

	for i, src := range []string{"line", "stack", "stat"} {
		// Between two figures are the first one's bar and legend, a stop each.
		for range 4 {
			if err := chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
				t.Fatal(err)
			}
			if eval[bool](b, `return document.activeElement?.shadowRoot?.activeElement?.id === "frame"`) {
				break
			}
		}
		if got := eval[string](b, `return document.activeElement?.src ?? "nothing"`); got != src {
			t.Fatalf("Tab %d reached %s; want %s", i+1, got, src)
		}
		if got := eval[string](b, `const s = getComputedStyle(document.activeElement.shadowRoot.activeElement); return s.outlineStyle + " " + s.outlineWidth`); got != "solid 2px" {
			t.Errorf("%s: focus is shown as %q", src, got)
		}
		now := eval[string](b, `return document.activeElement.shadowRoot.getElementById("now").textContent`)
		for _, mode := range []string{"user", "system", "iowait", "steal"} {
			if !strings.Contains(now, mode+" ") {
				t.Errorf("%s is described as %q; want a value of %s", src, now, mode)
			}
		}
		if err := chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
			t.Fatal(err)
		}
		b.until(`document.activeElement.shadowRoot.getElementById("said").textContent.includes("steal")`)
	}

	// What it says agrees with the data: each value is within what was drawn of
	// the last seconds, once a busy machine has come to draw them.
	b.do(`
		const { readings } = await import("/chartd/values.js");
		window.wrong = () => {
			const wrong = [];
			for (const el of all()) {
				const by = Object.fromEntries(readings(svg(el)).map((r) => [r.name, parseFloat(r.text)]));
				const now = Date.now();
				["user", "system", "iowait", "steal"].forEach((mode, k) => {
					let near = Infinity;
					for (let at = now - 3000; at <= now; at += 10) {
						const v = 20 + 4*k + 9*Math.sin(at/3000+k) + 4*Math.sin(at/417+2*k);
						near = Math.min(near, Math.abs(v - by[mode]));
					}
					if (!(near < 0.3)) wrong.push(el.src + ": " + mode + " is read as " + by[mode]);
				});
			}
			return wrong.join("; ");
		};`)
	b.until(`wrong() === "" || wrong()`)

	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		t.Fatal(err)
	}
	figures := map[string]bool{}
	for _, n := range tree.Nodes {
		if !n.Ignored && n.Role != nil && string(n.Role.Value) == `"figure"` && n.Description != nil && strings.Contains(string(n.Description.Value), "user") {
			figures[strings.Trim(string(n.Name.Value), `"`)] = true
		}
	}
	for _, name := range []string{"Line", "Stack", "Stat"} {
		if !figures[name] {
			t.Errorf("no figure called %s with a description; there are %v", name, figures)
		}
	}
}

// TestLooks opens the pages as different people see them, and keeps pictures
// for them to be looked at.
func TestLooks(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	for _, c := range []struct {
		name, path string
		look       look
		background string // of the page
	}{
		{"gallery-light", "", look{width: 1440, height: 1000}, "rgb(245, 246, 248)"},
		{"gallery-dark", "", look{width: 1440, height: 1000, dark: true}, "rgb(13, 17, 22)"},
		{"gallery-phone", "", look{width: 390, height: 844, mobile: true}, "rgb(245, 246, 248)"},
		{"gallery-phone-dark", "", look{width: 360, height: 740, mobile: true, dark: true}, "rgb(13, 17, 22)"},
		{"gallery-200-percent", "", look{width: 640, height: 450}, "rgb(245, 246, 248)"},
		{"gallery-contrast", "", look{width: 1440, height: 1000, media: map[string]string{"prefers-contrast": "more"}}, "rgb(245, 246, 248)"},
		{"chart-light", "c/stack", look{width: 1280, height: 720}, "rgb(255, 255, 255)"},
		{"chart-dark", "c/stack", look{width: 1280, height: 720, dark: true}, "rgb(20, 25, 32)"},
		{"chart-theme", "c/stack?theme=dark&window=1m&hidden=user", look{width: 1280, height: 720}, "rgb(20, 25, 32)"},
		{"chart-phone", "c/line", look{width: 390, height: 844, mobile: true}, "rgb(255, 255, 255)"},
		{"chart-small", "c/gauge", look{width: 240, height: 160}, "rgb(255, 255, 255)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, c.look)
			b.goTo(d.URL() + c.path)
			b.do(helpers)
			b.until(`all().length > 0 && all().every((el) => el.state === "live")`)
			b.do(`await frame(); await frame();`)
			got := eval[map[string]any](b, `
				const where = document.body.classList.contains("wall") ? document.body : document.documentElement;
				return {
					background: getComputedStyle(where).backgroundColor,
					over: document.documentElement.scrollWidth - innerWidth,
					outside: all().filter((el) => { const r = el.getBoundingClientRect(); return r.width < 100 || r.left < 0 || r.right > innerWidth + 1 }).length,
					small: [...document.querySelectorAll("header a, header label, .links a")].filter((el) => el.getBoundingClientRect().height < 24).length,
				}`)
			if got["background"] != c.background {
				t.Errorf("the background is %v; want %s", got["background"], c.background)
			}
			if got["over"].(float64) > 0 || got["outside"] != 0.0 {
				t.Errorf("the page is %v px too wide, %v charts are outside", got["over"], got["outside"])
			}
			if got["small"] != 0.0 {
				t.Errorf("%v things to click on are under 24 px high", got["small"])
			}
			b.picture(c.name)
		})
	}
}

// TestTheme: what is chosen is remembered, and charts follow.
func TestTheme(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{width: 1440, height: 1000})
	b.goTo(d.URL())
	b.do(helpers)
	b.until(`all().length === 8 && all().every((el) => el.state === "live")`)
	b.do(`document.querySelector("#theme input[value=dark]").click()`)
	const dark = `document.documentElement.dataset.theme === "dark" && all().length === 8 && all().every((el) => getComputedStyle(svg(el).querySelector(".ff")).fill === "rgb(232, 236, 242)")`
	b.until(dark)
	b.goTo(d.URL())
	b.do(helpers)
	b.until(dark)
	if !eval[bool](b, `return document.querySelector("#theme input[value=dark]").checked`) {
		t.Error("the switch does not show what is chosen")
	}
	// Where the system decides about all backgrounds, a line says which is chosen.
	forced := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, forced); err != nil {
		t.Fatal(err)
	}
	const lines = `return [...document.querySelectorAll("#theme label")].map((el) => getComputedStyle(el).outlineStyle).join()`
	if got := eval[string](b, lines); got != "none,none,solid" {
		t.Errorf("the lines around the themes are %s", got)
	}
	// Paper is white, and backgrounds are not printed: light letters would not be seen.
	forced.Media, forced.Features[0].Value = "print", "none"
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, forced); err != nil {
		t.Fatal(err)
	}
	b.until(`all().every((el) => getComputedStyle(svg(el).querySelector(".ff")).fill === "rgb(27, 36, 48)")`)
	if got := eval[string](b, `return getComputedStyle(document.querySelector("h1")).color`); got != "rgb(27, 36, 48)" {
		t.Errorf("the heading is printed in %s", got)
	}
}
