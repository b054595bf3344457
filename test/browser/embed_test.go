package browser

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/chartd/chartd/pkg/daemon"
)

// TestReflection sets each property and reads the attribute, sets the
// attribute and reads what it does, and takes it away again.
func TestReflection(t *testing.T) {
	d := start(t, allKinds)
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + `
		window.el = document.createElement("chartd-chart");
		el.src = "line"; // an own property, until the element is defined
		document.body.append(el);
		await customElements.whenDefined("chartd-chart");`)
	b.until(`el.getAttribute("src") === "line" && !Object.hasOwn(el, "src") && el.state === "live"`)
	for _, c := range []struct {
		name, set, attribute string
		does                 string // is true then
	}{
		{"src", `"area"`, "area", `svg(el)?.querySelector("title")?.textContent === "Area"`},
		{"window", `10000`, "10000", `el.view.window === 10000`},
		{"window", `"1m"`, "1m", `el.view.window !== undefined && el.view.window !== 10000`},
		{"from", `new Date(1700000000000)`, "1700000000000", `el.view.from === 1700000000000`},
		{"to", `1700000060000`, "1700000060000", `el.view.to === 1700000060000`},
		{"refresh", `500`, "500", `el.view.refresh === 500`},
		{"hide", `["user", "a, b"]`, `["user","a, b"]`, `el.view.hidden.join("|") === "user|a, b"`},
		{"vars", `{n: 1}`, `{"n":1}`, `el.view.vars?.n === "1" || el.shadowRoot.getElementById("notice").textContent !== ""`},
		{"heading", `"Of mine & yours"`, "Of mine & yours", `svg(el)?.querySelector("title")?.textContent === "Of mine & yours"`},
		{"marks", `[{ t: Date.UTC(2026, 0), text: "a" }]`, `[{"t":1767225600000,"text":"a"}]`, `el.view.marks?.[0].t === 1767225600000 && el.state === "live"`},
		{"thresholds", `[{ at: 20, text: "warm" }]`, `[{"at":20,"text":"warm"}]`, `el.view.thresholds?.[0].at === 20 && svg(el).textContent.includes("warm")`},
		{"size", `[400, 200]`, "400x200", `String(el.view.size) === "400,200"`},
		{"theme", `"dark"`, "dark", `getComputedStyle(el).colorScheme === "dark"`},
		{"label", `"A name"`, "A name", `el.shadowRoot.getElementById("name").textContent.startsWith("A name")`},
		{"controls", `"none"`, "none", `getComputedStyle(el.shadowRoot.getElementById("tools")).display === "none"`},
		{"pick", `true`, "", `el.pick === true`},
		{"events", `true`, "", `el.events === true`},
		{"link", `"a-link"`, "a-link", `el.token === "a-link"`},
		{"server", `new URL("/", location.href)`, d.URL(), `el.server === location.origin + "/"`},
	} {
		b.do(`el[` + "`" + c.name + "`" + `] = ` + c.set)
		if got := eval[string](b, `return el.getAttribute("`+c.name+`") ?? "nothing"`); got != c.attribute {
			t.Errorf("%s = %s: the attribute is %q; want %q", c.name, c.set, got, c.attribute)
		}
		b.until("(" + c.does + ") || [el.outerHTML, JSON.stringify(el.view)].join()")
		if c.name != "src" {
			b.do(`el.` + c.name + ` = null`)
			if eval[bool](b, `return el.hasAttribute("`+c.name+`")`) {
				t.Errorf("%s = null leaves the attribute", c.name)
			}
		}
		b.do(`el.setAttribute("` + c.name + `", ` + "`" + c.attribute + "`" + `)`)
		b.until("(" + c.does + ") || [el.outerHTML, JSON.stringify(el.view)].join()")
		if c.name != "src" {
			b.do(`el.removeAttribute("` + c.name + `")`)
		}
	}
	b.do(`el.token = "secret"`) // is never seen in the markup
	if html := eval[string](b, `return el.outerHTML`); strings.Contains(html, "secret") {
		t.Errorf("the token is in the page: %s", html)
	}
}

// TestFallback shows the picture in the tag where there is no script, and
// until there is a chart.
func TestFallback(t *testing.T) {
	page := func(script string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `<!doctype html><title>fallback</title><link rel="icon" href="data:,">`+script+
				`<chartd-chart src="line"><img src="/charts/line.svg" alt="Line" width="640" height="320"></chartd-chart>`)
		}
	}
	d := start(t, allKinds, daemon.WithPage("GET /with", page(`<script type="module" src="/chartd.js"></script>`)), daemon.WithPage("GET /without", page("")))
	feed(t, d)
	const seen = `document.images[0].complete && document.images[0].naturalWidth > 0 && document.images[0].checkVisibility() && document.images[0].clientWidth > 300`
	t.Run("scripting off", func(t *testing.T) {
		b := open(t, look{})
		if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
			t.Fatal(err)
		}
		b.goTo(d.URL() + "with")
		if !eval[bool](b, `return `+seen+` && !customElements.get("chartd-chart")`) {
			t.Error("the picture is not seen")
		}
		b.picture("fallback")
	})
	t.Run("not defined yet", func(t *testing.T) {
		b := open(t, look{})
		b.goTo(d.URL() + "without")
		b.until(seen)
		b.do(helpers + `await import("/chartd.js")`)
		b.until(`all()[0].state === "live" && !document.images[0].checkVisibility()`)
	})
}

// TestStyleIsDocumented: what README says can be styled is there, and all that
// is there is said.
func TestStyleIsDocumented(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(readme), "<!-- style -->")
	table, _, ended := strings.Cut(table, "<!-- /style -->")
	if !found || !ended {
		t.Fatal("README has no table between <!-- style --> and <!-- /style -->")
	}
	said := map[string]bool{}
	for _, m := range regexp.MustCompile("`(--chartd-[a-z0-9-]+|::part\\([a-z-]+)").FindAllStringSubmatch(table, -1) {
		said[m[1]] = true
	}
	there := map[string]bool{}
	part := regexp.MustCompile(`(?:part="|"part", [` + "`" + `"])([a-z -]+)(?:[` + "`" + `"]|\$)`)
	variable := regexp.MustCompile(`var\((--chartd-[a-z0-9-]+)`)
	err = filepath.WalkDir("../../web/static/chartd", func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range part.FindAllStringSubmatch(string(text), -1) {
			for name := range strings.FieldsSeq(m[1]) {
				there["::part("+strings.TrimSuffix(name, "-")] = true
			}
		}
		for _, m := range regexp.MustCompile(`piece\("\w+", "([a-z-]+)"`).FindAllStringSubmatch(string(text), -1) {
			there["::part("+m[1]] = true
		}
		for _, m := range variable.FindAllStringSubmatch(string(text), -1) {
			there[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	d := start(t, allKinds)
	b := open(t, look{})
	b.goTo(d.URL() + "charts/line.svg")
	for _, m := range variable.FindAllStringSubmatch(eval[string](b, `return document.documentElement.outerHTML`), -1) {
		there[m[1]] = true
	}
	for name := range there {
		if !said[name] {
			t.Errorf("README's table lacks %s", name)
		}
	}
	for name := range said {
		if !there[name] {
			t.Errorf("README's table has %s, which is nowhere", name)
		}
	}
}
