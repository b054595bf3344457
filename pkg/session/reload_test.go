package session

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

// A reload touches only the charts that changed, and the clients need not know:
// ids stay, and so does what a client asked for.
func TestReload(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("mem", func(c *Chart) { c.Spec.Title = "Memory" })
		p := w.open()
		cpu := p.sub(wire.Sub{})
		hour := p.sub(wire.Sub{View: plotting.Change{Window: window(time.Hour)}})
		mem := p.sub(wire.Sub{Chart: "mem"})
		after(1500 * time.Millisecond)
		p.took()
		memPos, hourPos := p.pos(mem), p.pos(hour)

		// Another title and another default window. The view that said nothing
		// about its window gets the new one; the other keeps its own.
		w.with("cpu", func(c *Chart) {
			c.Spec.Title = "Processor"
			c.Spec.Window = quantity.Duration(10 * time.Minute)
		})
		synctest.Wait()
		if p.pos(mem) != memPos {
			t.Error("a chart that did not change got a frame")
		}
		if p.pos(hour).E == hourPos.E {
			t.Error("a changed chart did not begin a new epoch")
		}
		for _, v := range []string{cpu, hour} {
			if !strings.Contains(p.svg(v), "Processor") {
				t.Errorf("%s does not show the new title", v)
			}
		}
		p.took()
		after(3 * time.Second)
		if n := len(strings.Fields(p.took())); n < 6 || n > 9 {
			t.Errorf("%d frames in 3 s for three views", n) // an hour's window changes not every second
		}
		var got plotting.View
		p.client.ops.wait(func() { got = p.client.subs[cpu].view })
		if got.Window != quantity.Duration(10*time.Minute) {
			t.Errorf("the common view has a window of %v", got.Window)
		}
		// The old default is a view like any other now, beside the one that
		// still has its id.
		p.say(wire.Sub{ID: "2", Chart: "cpu", View: plotting.Change{Window: window(time.Minute)}})
		synctest.Wait()
		if p.v() == cpu || !strings.HasPrefix(p.v(), cpu) {
			t.Errorf("the id of the old default is %q beside %q", p.v(), cpu)
		}
		q := w.open()
		q.sub(wire.Sub{View: plotting.Change{Window: window(time.Minute)}})
		if q.v() != cpu {
			t.Errorf("another session gets %q for it, want %q", q.v(), cpu)
		}

		w.with("cpu", nil)
		synctest.Wait()
		if got := p.took(); strings.Count(got, "error::unknown_chart") != 3 {
			t.Errorf("after the chart was removed: %s", got)
		}
		if f := p.failure(); f.V == "" || f.Err.Message != "the chart is not configured any more" {
			t.Errorf("%+v", f)
		}
		p.say(wire.Unsub{ID: "3", V: cpu})
		after(time.Second)
		if got := p.took(); !strings.Contains(got, "error:3:unknown_view") || !strings.Contains(got, "patch") {
			t.Errorf("got %s", got)
		}
		w.with("cpu", func(*Chart) {})
		p.sub(wire.Sub{})
	})
}

// What makes a view differ may be no more; then it is the default.
func TestReloadTakesAVarAway(t *testing.T) {
	inBubble(t, func(w *world) {
		p, paused := w.open(), w.open()
		v := p.sub(wire.Sub{View: plotting.Change{Vars: map[string]string{"host": "b"}}})
		paused.say(wire.Sub{ID: "1", Chart: "cpu", View: plotting.Change{Vars: map[string]string{"host": "b"}, Paused: new(true)}})
		w.with("cpu", func(c *Chart) { c.Spec.Vars = nil; c.Spec.Title = "no host" })
		synctest.Wait()
		if !strings.Contains(p.svg(v), "no host") {
			t.Error("the view is not drawn by the new spec")
		}
		if n := w.logs.Len(); n > 0 {
			t.Errorf("logged: %v", w.logs.All())
		}
		paused.say(wire.Set{ID: "2", V: v, View: plotting.Change{Paused: new(false)}})
		synctest.Wait()
		equal(t, paused.took(), "ok:1 ok:2 full")
		if paused.last.View.Vars != nil {
			t.Errorf("view %+v", paused.last.View)
		}
	})
}

// New callbacks take over without a new frame.
func TestReloadOfCallbacksAlone(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		v := p.sub(wire.Sub{})
		pos := p.pos(v)
		w.with("cpu", func(c *Chart) {
			c.Callback = func(_ context.Context, call *Call) error { return call.SetTitle("new") }
		})
		synctest.Wait()
		if p.pos(v) != pos {
			t.Error("a frame came although nothing changed that is drawn")
		}
		p.say(wire.Callback{ID: "2", V: v, Arg: []byte(`"x"`)})
		synctest.Wait()
		equal(t, p.took(), "ok:2 full")
	})
}
