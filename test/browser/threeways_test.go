package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/chartd/chartd/examples/threeways/ways"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/store"
)

// TestThreeWays is the ancestor's own example in the three ways there are to
// answer it, as the example's page has it: a button calls
// Chart1.callback("MyCustomArgs"), a handler (Go, a webhook, a script) compares
// the argument and changes the chart, four hooks run before and after; and a
// refresh of 2000 ms raises the same handler by itself.
func TestThreeWays(t *testing.T) {
	t.Parallel() // it mostly waits
	hook, err := ways.ListenHook(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hook.Close)
	d, err := ways.New(hook, daemon.WithListen("127.0.0.1:0"), daemon.WithLogger(zap.NewNop()))
	if err != nil {
		t.Fatal(err)
	}
	serve(t, d)
	b := open(t, look{width: 1400})
	b.goTo(d.URL())
	b.do(helpers + byHand + `
		window.log = [];
		window.title = (el) => svg(el)?.querySelector("title")?.textContent;
		window.heard = (id, cause) => log.filter((l) => l.id === id && l.cause === cause);
		for (const type of ["beforecallback", "aftercallback", "beforecallbackresponseprocess", "aftercallbackresponseprocess"]) {
			document.addEventListener(type, ({ target, detail }) => log.push({
				id: target.id, type, cause: detail.cause, arg: detail.arg ?? "", error: detail.error ?? "", title: title(target), at: performance.now(),
			}));
		}
		await customElements.whenDefined("chartd-chart");`)
	b.until(`all().length === 3 && all().every((el) => el.state === "live") && (await Promise.all(all().map(settled))).every(Boolean)`)

	four := []string{"beforecallback", "aftercallback", "beforecallbackresponseprocess", "aftercallbackresponseprocess"}
	for i, way := range []struct{ name, before, after string }{
		{"go", "The second hand, by Go", "Changed by Go"},
		{"webhook", "The second hand, by a webhook", "Changed by a webhook"},
		{"script", "The second hand, by a script", "Changed by a script"},
	} {
		id := fmt.Sprintf("Chart%d", i+1)
		t.Run(way.name, func(t *testing.T) {
			b := &tab{t: t, ctx: b.ctx}
			if ms := eval[float64](b, `return (await (await fetch("/api/v1/charts/`+way.name+`")).json()).refresh`); ms != 2000 {
				t.Errorf("it refreshes every %v ms", ms)
			}
			button := eval[box](b, `return document.querySelector("button[data-chart=`+id+`]").getBoundingClientRect().toJSON()`)
			x, y := button.at(0.5, 0.5)
			b.click(x, y, 1)
			b.until(`heard("` + id + `", "client").length >= 4`)
			got := eval[[]string](b, `return heard("`+id+`", "client").map((l) => [l.type, l.arg, l.error, l.title].join("|"))`)
			want := []string{
				four[0] + "|MyCustomArgs||" + way.before,
				four[1] + "|MyCustomArgs||" + way.before,
				four[2] + "|MyCustomArgs||" + way.before,
				four[3] + "|MyCustomArgs||" + way.after,
			}
			if !slices.Equal(got, want) {
				t.Errorf("events and titles:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if window := eval[string](b, `return `+id+`.view.window`); window != "2m" {
				t.Errorf("its window is %s", window)
			}
			b.until(`document.querySelector("button[data-chart=` + id + `] + output").textContent.includes('"by":"` + way.name + `"')`)
		})
	}

	// Samples come from the handlers alone: nobody else appends to the store.
	for i, name := range []string{"go", "webhook", "script"} {
		id := fmt.Sprintf("Chart%d", i+1)
		t.Run(name+" ticks", func(t *testing.T) {
			b := &tab{t: t, ctx: b.ctx}
			b.until(`heard("` + id + `", "tick").filter((l) => l.type === "aftercallbackresponseprocess").length >= 2`)
			got := eval[[]string](b, `
				const ticks = heard("`+id+`", "tick");
				return ticks.slice(ticks.findIndex((l) => l.type === "beforecallback")).slice(0, 4).map((l) => l.type + l.arg + l.error)`)
			if !slices.Equal(got, four) {
				t.Errorf("events of a tick: %v", got)
			}
			b.until(`svg(` + id + `).querySelector("[data-name='` + name + `']") !== null`)
			of, err := store.ParseMatcher("way", name)
			if err != nil {
				t.Fatal(err)
			}
			if found := d.Store().Select("second", []store.Matcher{of}); len(found) != 1 || found[0].Len() < 2 {
				t.Errorf("two ticks have left %v", found)
			}
		})
	}
	b.picture("threeways")
}
