package session

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

func sharedScope(c *Chart) {
	c.Config.Scope = ScopeShared
	c.Spec.Refresh = 0
	c.Callback = func(_ context.Context, call *Call) error {
		if call.ArgString() == "reset" {
			return call.Set(plotting.Change{Reset: true})
		}
		return call.SetTitle(call.ArgString())
	}
}

func TestSharedScope(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", sharedScope)
		p, same, other := w.open(), w.open(), w.open()
		v := p.sub(wire.Sub{Events: true})
		same.sub(wire.Sub{Events: true})
		hour := other.sub(wire.Sub{View: plotting.Change{Window: window(time.Hour)}})
		p.say(wire.Callback{ID: "2", V: v, Arg: []byte(`"all of us"`)})
		synctest.Wait()
		got := p.took()
		if !strings.HasPrefix(got, "BeforeCallback@2 AfterCallback@2 ok:2 BeforeCallbackResponseProcess@2 ") || !strings.HasSuffix(got, " AfterCallbackResponseProcess@2") || len(strings.Fields(got)) != 6 {
			t.Errorf("got %s", got)
		}
		if p.v() != v {
			t.Error("a shared change moved its caller")
		}
		for _, q := range []*page{same, other} {
			if got := q.took(); got != "full" && got != "patch" {
				t.Errorf("got %s", got)
			}
		}
		for i, svg := range []string{p.svg(v), same.svg(v), other.svg(hour)} {
			if !strings.Contains(svg, "all of us") {
				t.Errorf("viewer %d does not see the title", i)
			}
		}
		late := w.open()
		late.sub(wire.Sub{})
		if !strings.Contains(late.svg(v), "all of us") {
			t.Error("a newcomer does not see the title")
		}
		other.say(wire.Callback{ID: "3", V: hour, Arg: []byte(`"reset"`)})
		synctest.Wait()
		for i, svg := range []string{p.svg(v), other.svg(hour)} {
			if strings.Contains(svg, "all of us") || !strings.Contains(svg, "CPU of a") {
				t.Errorf("viewer %d still sees the title after a reset", i)
			}
		}
		// A caller who is gone or paused still changes it for the others.
		other.say(wire.Set{ID: "4", V: hour, View: plotting.Change{Paused: new(true)}}, wire.Callback{ID: "5", V: hour, Arg: []byte(`"again"`)})
		synctest.Wait()
		equal(t, other.took(), "ok:3 full ok:4 ok:5")
		if !strings.Contains(p.svg(v), "again") {
			t.Error("a paused caller changes nothing")
		}
	})
}

func TestViewScope(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", func(c *Chart) { sharedScope(c); c.Config.Scope = ScopeView })
		p, same := w.open(), w.open()
		v := p.sub(wire.Sub{})
		same.sub(wire.Sub{})
		p.say(wire.Callback{ID: "2", V: v, Arg: []byte(`"mine"`)})
		synctest.Wait()
		if !strings.Contains(p.svg(p.v()), "mine") || strings.Contains(same.svg(v), "mine") {
			t.Error("a fork is not its caller's alone")
		}
		mine := p.v()
		p.say(wire.Callback{ID: "3", V: mine, Arg: []byte(`"reset"`)})
		synctest.Wait()
		if p.v() != v {
			t.Errorf("after a reset the view is %q, not the common %q", p.v(), v)
		}
	})
}

// A tick's change holds for all who watch the view, and for nobody else.
func TestTickChangesItsView(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", callback(func(_ context.Context, call *Call) error {
			if call.View().Title == "" && call.View().Window == *window(time.Minute) {
				if call.Set(plotting.Change{Paused: new(true)}) == nil {
					t.Error("a tick can pause")
				}
				return call.SetTitle("ticked")
			}
			return nil
		}))
		p, q, other := w.open(), w.open(), w.open()
		v := p.sub(wire.Sub{})
		q.sub(wire.Sub{})
		hour := other.sub(wire.Sub{View: plotting.Change{Window: window(time.Hour)}})
		after(2 * time.Second)
		if !strings.Contains(p.svg(v), "ticked") || !strings.Contains(q.svg(v), "ticked") {
			t.Error("the tick's title is not seen")
		}
		if strings.Contains(other.svg(hour), "ticked") {
			t.Error("the tick's title is seen in another view")
		}
		if p.client.subs[v] == nil {
			t.Error("a tick moved a subscription")
		}
	})
}
