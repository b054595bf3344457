package browser

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/session"
)

// TestCallback is the ancestor's own example: a script on the page calls
// Chart1.callback("MyCustomArgs"), a handler on the server finds the argument
// and changes the chart, and four events run around it.
func TestCallback(t *testing.T) {
	var mu sync.Mutex
	var args []string
	handler := func(_ context.Context, call *session.Call) error {
		if call.Cause() == session.CauseTick {
			return nil
		}
		arg := call.ArgString()
		mu.Lock()
		args = append(args, arg)
		mu.Unlock()
		switch arg {
		case "MyCustomArgs":
			title := "Changed by MyCustomArgs"
			return errors.Join(call.Set(plotting.Change{Title: &title}), call.Reply(map[string]int{"answer": 42}))
		case "fail":
			return errors.New("the disk is full")
		case "panic":
			panic("on purpose")
		case "nothing":
			return session.ErrNotHandled
		}
		return nil
	}
	d := start(t, allKinds, daemon.WithCallback("line", handler))
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + `
		add({ src: "line", id: "Chart1" });
		add({ src: "line", id: "Chart2" });
		window.log = [];
		window.title = (el) => svg(el)?.querySelector("title")?.textContent;
		for (const type of ["beforecallback", "aftercallback", "beforecallbackresponseprocess", "aftercallbackresponseprocess"]) {
			document.addEventListener(type, (e) => log.push([e.target.id, type, e.detail.cause, e.detail.arg ?? "", title(e.target), e.detail.error ?? "", typeof e.detail.ms]));
		}
		await customElements.whenDefined("chartd-chart");`)
	b.until(`Chart1.state === "live" && Chart2.state === "live"`)

	t.Run("without a listener there are no events", func(t *testing.T) {
		result := eval[map[string]any](b, `
			const result = await Chart1.callback("nothing");
			return { ...result, log: log.length };`)
		if result["handled"] != false || result["log"] != 0.0 {
			t.Errorf("got %v; want handled false, no events", result)
		}
	})

	t.Run("promise, events and frame in order", func(t *testing.T) {
		b.do(`
			Chart1.addEventListener("aftercallback", () => {});
			await Chart1.callback("again"); // the subscription with events is made before
			log.length = 0;
			window.result = await Chart1.callback("MyCustomArgs");
			window.then = title(Chart1);`)
		if reply := eval[float64](b, `return result.reply.answer`); reply != 42 {
			t.Errorf("the reply's answer is %v", reply)
		}
		if then := eval[string](b, `return then`); then != "Changed by MyCustomArgs" {
			t.Errorf("when the promise was resolved the title was %q", then)
		}
		b.until(`log.filter((l) => l[2] === "client").length >= 4`)
		got := eval[[]string](b, `return log.filter((l) => l[2] === "client").map((l) => l.slice(0, 5).join("|"))`)
		want := []string{
			"Chart1|beforecallback|client|MyCustomArgs|Line",
			"Chart1|aftercallback|client|MyCustomArgs|Line",
			"Chart1|beforecallbackresponseprocess|client|MyCustomArgs|Line",
			"Chart1|aftercallbackresponseprocess|client|MyCustomArgs|Changed by MyCustomArgs",
		}
		if !slices.Equal(got, want) {
			t.Errorf("events and titles:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if ms := eval[string](b, `return log.find((l) => l[1] === "aftercallback")[6]`); ms != "number" {
			t.Errorf("aftercallback's ms is a %s", ms)
		}
	})

	t.Run("the other chart of the page stays as it was", func(t *testing.T) {
		b.do(`window.was = write(svg(Chart2))`)
		b.until(`write(svg(Chart2)) !== was`)
		if title := eval[string](b, `return title(Chart2)`); title != "Line" {
			t.Errorf("its title is %q", title)
		}
		if state := eval[string](b, `return Chart2.state`); state != "live" {
			t.Errorf("it is %s", state)
		}
	})

	t.Run("ticks", func(t *testing.T) {
		b.do(`log.length = 0`)
		b.until(`log.filter((l) => l[0] === "Chart1" && l[2] === "tick").length >= 9`)
		got := eval[[]string](b, `
			const mine = log.filter((l) => l[0] === "Chart1" && l[2] === "tick").map((l) => l[1]);
			return mine.slice(mine.indexOf("beforecallback")).slice(0, 8)`)
		one := []string{"beforecallback", "aftercallback", "beforecallbackresponseprocess", "aftercallbackresponseprocess"}
		if !slices.Equal(got, slices.Concat(one, one)[:len(got)]) || len(got) < 6 {
			t.Errorf("events of ticks: %v", got)
		}
	})

	t.Run("a failing handler", func(t *testing.T) {
		for arg, want := range map[string]string{"fail": "the disk is full", "panic": ""} {
			got := eval[[]string](b, `
				log.length = 0;
				try { await Chart1.callback("`+arg+`"); return ["resolved"] }
				catch (err) { return [err.name, err.code, err.message, err instanceof Error ? "Error" : "?"] }`)
			if len(got) != 4 || got[0] != "CallbackError" || got[1] != "callback_failed" || !strings.Contains(got[2], want) || got[3] != "Error" {
				t.Errorf("%s: rejected with %q", arg, got)
			}
			b.until(`log.some((l) => l[1] === "aftercallback" && l[5] !== "")`)
		}
		b.do(`window.was = write(svg(Chart1))`)
		b.until(`write(svg(Chart1)) !== was && Chart1.state === "live"`)
	})

	t.Run("on-properties", func(t *testing.T) {
		b.do(`Chart2.onbeforecallback = (e) => { window.heard = e.detail.cause };`)
		b.until(`window.heard === "tick"`)
		if !eval[bool](b, `const f = Chart2.onbeforecallback; Chart2.onbeforecallback = null; return typeof f === "function" && Chart2.onbeforecallback === null`) {
			t.Error("the property does not hold its handler")
		}
	})

	t.Run("before it is connected", func(t *testing.T) {
		got := eval[map[string]any](b, `
			const el = document.createElement("chartd-chart");
			el.src = "line";
			document.body.append(el);
			const result = await el.callback("early");
			el.remove();
			try { await el.callback("late"); return { late: "resolved" } } catch (err) { return { ...result, late: err.code } }`)
		if got["handled"] != true || got["late"] != "disconnected" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("while another size takes its place", func(t *testing.T) {
		got := eval[map[string]any](b, `
			Chart1.size = [640, 320];
			const answer = Chart1.callback("resized");
			for (let i = 0; i < 5; i++) await null; // it waits for that size
			Chart1.size = [800, 400];
			try { return await answer } catch (err) { return { code: err.code } }`)
		if got["handled"] != true {
			t.Errorf("got %v", got)
		}
	})
	mu.Lock()
	defer mu.Unlock()
	if n := len(slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg != "resized" })); n != 1 {
		t.Errorf("the handler saw it %d times", n)
	}
	if !slices.Contains(args, "early") || slices.Contains(args, "late") {
		t.Errorf("the handler saw %v", args)
	}
}

// TestYAMLCallback changes a view with no Go at all.
func TestYAMLCallback(t *testing.T) {
	d := start(t, allKinds+`
  cpu:
    {title: CPU, series: *all, callbacks: [{on: MyCustomArgs, set: {window: 15m}}, {on: reset, set: {reset: true}}]}
`)
	feed(t, d)
	b := open(t, look{})
	b.goTo(d.URL() + "blank")
	b.do(helpers + `add({ src: "cpu", id: "Chart1" });`)
	b.until(`Chart1.state === "live"`)
	b.do(`await Chart1.callback("MyCustomArgs")`)
	b.until(`svg(Chart1).querySelector("desc").textContent.includes("The last 15m")`)
	if size := eval[int](b, `return Chart1.view.size[0]`); size != 1280 {
		t.Errorf("it is %d px wide now", size)
	}
	b.do(`await Chart1.callback("reset")`)
	b.until(`svg(Chart1).querySelector("desc").textContent.includes("The last 20s") && svg(Chart1).viewBox.baseVal.width === 12800`)
	awaitMetric(t, d.URL(), "chartd_subscriptions", 1)

	// Of a chart that leaves before its answer came nothing stays subscribed, and
	// one that showed the same view goes on with it.
	b.do(`window.twins = [0, 1].map(() => add({ src: "cpu", size: "400x200" }))`)
	b.until(`twins.every((el) => el.state === "live")`)
	b.do(`
		const answer = twins[0].callback("MyCustomArgs");
		await sleep(0); // it is sent
		twins[0].remove();
		await answer.catch(() => {});
		window.was = write(svg(twins[1]));`)
	b.until(`twins[1].state === "live" && write(svg(twins[1])) !== was`)
	b.do(`twins[1].callback("MyCustomArgs").catch(() => {}); await sleep(0); twins[1].remove();`)
	awaitMetric(t, d.URL(), "chartd_subscriptions", 1)
}
