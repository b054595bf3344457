package browser

import (
	"fmt"
	"testing"
)

// overlaps says which of two boxes lie over each other.
const overlaps = `
	window.over = (a, b) => {
		[a, b] = [a, b].map((el) => el.getBoundingClientRect());
		return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
	};`

// TestWayBack: on the page of a chart the way back lies neither over the buttons,
// of which a zoom makes more, nor over a long title.
func TestWayBack(t *testing.T) {
	t.Parallel() // it mostly waits
	d := start(t, allKinds)
	feed(t, d)
	for _, c := range []struct {
		title  string
		widths []int64
	}{
		{"Short", []int64{345, 641, 760, 890, 1000}},
		{"What+the+third+boiler+of+the+northern+hall+had+to+bear+in+the+last+hour+of+the+night+shift", []int64{1000}},
	} {
		b := open(t, look{width: 1000, height: 500})
		b.goTo(d.URL() + "c/line#title=" + c.title)
		b.do(helpers + overlaps + `
			window.one = all()[0];
			window.tool = (id) => one.shadowRoot.querySelector("[part~=tool-" + id + "]");
			window.drawn = () => one.state === "live" && one.view.size[0] === Math.round(innerWidth / 80) * 80 &&
				!tool("live").hidden && Number(svg(one).getAttribute("width")) === one.view.size[0];`)
		b.until(`one.state === "live" && !tool("zoom-in").hidden`)
		b.do(`one.shadowRoot.getElementById("frame").focus(); tool("zoom-in").click()`)
		b.until(`one.view.to > 0 && !tool("back").hidden && one.shadowRoot.getElementById("word").textContent === "fixed range"`)
		for _, width := range c.widths {
			b.resize(look{width: width, height: 500})
			b.until("drawn()")
			got := eval[string](b, `
				const back = document.getElementById("chrome"), wrong = [];
				if (over(back, one.shadowRoot.getElementById("tools"))) wrong.push("the buttons");
				if (over(back, svg(one).querySelector("[data-k=h]"))) wrong.push("the title");
				if (document.scrollingElement.scrollHeight > innerHeight) wrong.push("the end of the page");
				return wrong.join();`)
			if got != "" {
				t.Errorf("%s, %d px: the way back lies over %s", c.title, width, got)
			}
		}
	}
}

// TestPhoneGuarded: where the gallery is narrowest, and has a button to sign in
// and the form, nothing of it is cut.
func TestPhoneGuarded(t *testing.T) {
	t.Parallel() // it mostly waits
	d := start(t, allKinds+"\nauth: {anonymous: {read: [line]}, tokens: [{name: all, token: a-token-of-some-length, read: ['*']}]}\n")
	for _, width := range []int64{320, 360} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			b := open(t, look{width: width, height: 700, mobile: true})
			b.expect("the server responded with a status of 403") // Chromium reports it
			b.goTo(d.URL())
			b.until(`document.getElementById("who").checkVisibility() && document.getElementById("link-text").textContent === "Live"`)
			b.do(`document.getElementById("who").click()`)
			b.until(`document.getElementById("sign-in").checkVisibility()`)
			got := eval[string](b, `
				const cut = [...document.querySelectorAll("header *, #sign-in, #sign-in *")].filter((el) => el.checkVisibility() && !el.closest(".spoken") && !(el instanceof HTMLInputElement && el.type === "radio"));
				return cut.filter((el) => {
					const box = el.getBoundingClientRect(), around = el.parentElement.getBoundingClientRect();
					return box.right > innerWidth || box.left < 0 || box.right > around.right + 1;
				}).map((el) => el.outerHTML.slice(0, 60)).join("\n");`)
			if got != "" {
				t.Errorf("cut off:\n%s", got)
			}
		})
	}
}
