package browser

import "testing"

// TestPageOfAnotherHand: a page that writes from right to left, keeps white
// space, spaces its letters and has a root of 62.5 % has the same chart in it as
// any other, with the same words in the same places.
func TestPageOfAnotherHand(t *testing.T) {
	t.Parallel() // it mostly waits
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + `
		const el = add({ src: "line", size: "640x320" });
		await customElements.whenDefined("chartd-chart");
		el.style.cssText = "display: block; width: 640px; height: 320px";
		window.lie = () => {
			const { left, top } = el.getBoundingClientRect();
			const shadow = el.shadowRoot;
			shadow.getElementById("frame").focus();
			const parts = ["#frame", "#badge", "#tools", "#legend button:first-child", "#legend button:last-child", "[data-k=h]", "[data-entry]"];
			return parts.map((part) => {
				const box = shadow.querySelector(part).getBoundingClientRect();
				return part + " " + [box.left - left, box.top - top, box.width, box.height].map(Math.round);
			}).join("\n");
		};`)
	b.until(`all()[0].state === "live" && svg(all()[0]).querySelectorAll("[data-entry]").length === 4 && lie().includes("tools")`)
	b.do(`window.before = lie();
		document.documentElement.style.cssText = "font-size: 62.5%";
		document.body.style.cssText = "direction: rtl; white-space: pre; text-align: right; text-indent: 2em; text-transform: uppercase; " +
			"letter-spacing: .3em; word-spacing: 1em; line-height: 3; font-style: italic; font-weight: 900; text-anchor: end; dominant-baseline: hanging";`)
	if before, now := eval[string](b, `return before`), eval[string](b, `return lie()`); before != now {
		t.Errorf("where things are changed from\n%s\nto\n%s", before, now)
	}
	if got := eval[string](b, `return getComputedStyle(all()[0].shadowRoot.getElementById("badge")).fontSize`); got != "11px" {
		t.Errorf("the badge is written in %s; want 11px", got)
	}
}
