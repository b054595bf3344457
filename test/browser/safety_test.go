package browser

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/store"
)

// attacks are texts that would run if they ever became markup.
var attacks = []string{
	`<img src=x onerror="window.pwned=1">`,
	`</text><script>window.pwned=1</script><text>`,
	`"' onload='window.pwned=1' x='`,
	`<svg/onload=window.pwned=1>`,
	`&lt;script&gt;window.pwned=1&lt;/script&gt;`,
	`]]><foreignObject><body onload="window.pwned=1"/></foreignObject>`,
	`</style><script>window.pwned=1</script>`,
}

// TestTextStaysText attacks with titles and labels; every text is there to be
// read, and nothing runs.
func TestTextStaysText(t *testing.T) {
	var yaml strings.Builder
	yaml.WriteString("listen: \"127.0.0.1:0\"\ndefaults: {refresh: 250ms, window: 1m}\ncharts:\n")
	kinds := []string{"line", "area", "step", "scatter", "bar", "gauge", "stat"}
	for i, kind := range kinds {
		title, err := json.Marshal(attacks[i])
		if err != nil {
			t.Fatal(err)
		}
		yaml.WriteString("  " + kind + ": {title: " + string(title) + ", description: " + string(title) + ", kind: " + kind +
			", y: {label: " + string(title) + ", unit: " + string(title) + "}, series: [{metric: m, name: \"{who}\"}]}\n")
	}
	d := start(t, yaml.String())
	put := func(v float64) {
		for i, who := range attacks {
			if err := d.Store().Append("m", store.LabelsOf(map[string]string{"who": who}), nowMillis(), v+float64(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(20)
	b := open(t, look{width: 1600, height: 1200})
	b.goTo(d.URL())
	b.do(helpers)
	b.until(`all().length === 7 && all().every((el) => el.state === "live")`)
	b.do(`window.was = all().map((el) => write(svg(el)))`)
	put(21) // patches bring texts, too
	b.until(`all().every((el, i) => write(svg(el)) !== was[i])`)
	for i, kind := range kinds {
		want, err := json.Marshal(attacks[i])
		if err != nil {
			t.Fatal(err)
		}
		if !eval[bool](b, `
			const el = all()[`+string(rune('0'+i))+`];
			el.focus();
			return svg(el).querySelector("title").textContent === `+string(want)+`
				&& el.shadowRoot.getElementById("name").textContent === `+string(want)) {
			t.Errorf("%s: the title is not what was configured", kind)
		}
	}
	got := eval[[]string](b, `
		const bad = [];
		const look = (root, where) => {
			for (const el of root.querySelectorAll("*")) {
				if (["script", "foreignObject", "img", "iframe"].includes(el.localName)) bad.push(where + ": <" + el.localName + ">");
				for (const a of el.attributes) if (a.name.startsWith("on") && el.localName !== "chartd-chart") bad.push(where + ": " + a.name);
			}
		};
		for (const el of all()) look(el.shadowRoot, el.src);
		look(document.querySelector("main"), "page");
		if ("pwned" in window) bad.push("it ran");
		return bad;`)
	for _, bad := range got {
		t.Error(bad)
	}
	b.picture("text-stays-text")
}

// TestCleaning: even a server that does not escape gets no script into a page.
func TestCleaning(t *testing.T) {
	b := open(t, look{})
	b.goTo(scripts(t) + "/blank")
	type result struct{ Name, Left string }
	got := eval[[]result](b, `
		const { Picture, Patch } = await import("/chartd/patch.js");
		const svg = (inner) => "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' viewBox='0 0 10 10'>" + inner + "</svg>";
		const bad = {
			script: "<script>window.pwned=1</script>",
			"script in a namespace of its own": "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>window.pwned=1</h:script>",
			foreignObject: "<foreignObject><img xmlns='http://www.w3.org/1999/xhtml' src='x' onerror='window.pwned=1'/></foreignObject>",
			"event attribute": "<g onclick='window.pwned=1' ONLOAD='window.pwned=1'/>",
			"event attribute in a namespace": "<g xlink:onload='window.pwned=1'/>",
			link: "<a href='javascript:window.pwned=1'><text>x</text></a>",
			"use from elsewhere": "<use href='https://example.com/x.svg#a'/>",
			"xlink": "<linearGradient xlink:href='javascript:window.pwned=1'/>",
			image: "<image href='https://example.com/x.png'/>",
			animate: "<g><animate attributeName='href' values='javascript:window.pwned=1'/><set attributeName='onload' to='window.pwned=1'/></g>",
			"inline style": "<g style='background:url(https://example.com/)'/>",
			iframe: "<iframe xmlns='http://www.w3.org/1999/xhtml' srcdoc='x'/>",
		};
		const left = (root) => new XMLSerializer().serializeToString(root);
		const wrong = (text) => /script|pwned|onload|onclick|example\.com|foreign|image|animate|iframe|style=/i.test(text);
		const out = [];
		for (const [name, inner] of Object.entries(bad)) {
			const picture = Picture.parse(svg(inner + "<g data-k='g'/>"));
			document.body.replaceChildren(picture.root);
			if (wrong(left(picture.root))) out.push({ Name: name, Left: left(picture.root) });
			// The same in a patch.
			for (const op of [["i", "", "", "<g data-k='n'>" + inner + "</g>"], ["s", "g", "<g data-k='g'>" + inner + "</g>"]]) {
				try {
					picture.apply(new Patch([op]));
				} catch (err) {
					if (err.name !== "PatchError") throw err;
				}
				if (wrong(left(picture.root))) out.push({ Name: name + " by " + op[0], Left: left(picture.root) });
			}
		}
		await new Promise((r) => setTimeout(r, 100));
		if ("pwned" in window) out.push({ Name: "it ran", Left: "" });
		return out;`)
	for _, g := range got {
		t.Errorf("%s: %s", g.Name, g.Left)
	}
}
