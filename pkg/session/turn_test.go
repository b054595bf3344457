package session

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/wire"
)

// TestViewCallback: an argument that spells out a change of the view is a
// callback like any other, with or without a handler that knows of it.
func TestViewCallback(t *testing.T) {
	hour := []byte(`{"view":{"window":"1h"}}`)
	for _, c := range []struct {
		name    string
		handler RefreshCallback
		arg     []byte
		want    string
		moved   bool
	}{
		{name: "no handler", arg: hour, want: "ok:7", moved: true},
		{name: "a handler without use for it", handler: func(context.Context, *Call) error { return ErrNotHandled }, arg: hour, want: "ok:7", moved: true},
		{name: "a handler that takes everything", handler: func(context.Context, *Call) error { return nil }, arg: hour, want: "ok:7", moved: true},
		{name: "a handler that refuses", handler: func(context.Context, *Call) error { return errors.New("not today") }, arg: hour, want: "error:7:callback_failed"},
		{name: "a handler that panics", handler: func(context.Context, *Call) error { panic("no") }, arg: hour, want: "error:7:callback_failed"},
		{name: "no change of a view", arg: []byte(`{"view":{"window":true}}`), want: "error:7:bad_message"},
		{name: "no view of this chart", arg: []byte(`{"view":{"vars":{"x":"1"}}}`), want: "error:7:bad_view"},
		{name: "something else of that name", arg: []byte(`{"view":"1h"}`), want: "ok:7(unhandled)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				j := &journal{}
				w.with("cpu", func(ch *Chart) {
					ch.Callback, ch.Spec.Refresh = c.handler, 0
					ch.Hooks = []Hook{j.hook(func() error { return nil })}
				})
				p, other := w.open(), w.open()
				v := p.sub(wire.Sub{Events: true})
				other.sub(wire.Sub{Events: true})
				p.say(wire.Callback{ID: "7", V: v, Arg: c.arg})
				synctest.Wait()
				got := strings.Fields(p.took())
				want := []string{"BeforeCallback@7", "AfterCallback@7", c.want, "BeforeCallbackResponseProcess@7"}
				if strings.HasPrefix(c.want, "error") {
					want[1] += "!"
				}
				if len(got) < 5 || strings.Join(got[:4], " ") != strings.Join(want, " ") || got[len(got)-1] != "AfterCallbackResponseProcess@7" {
					t.Errorf("got %s", got)
				}
				if moved := p.v() != v; moved != c.moved {
					t.Errorf("moved %v, want %v", moved, c.moved)
				}
				equal(t, other.took(), "")
				if strings.Contains(c.want, "bad_") {
					if n := w.logs.Len(); n != 0 {
						t.Errorf("%d lines in the log about a client's mistake", n)
					}
					if n := w.metric("chartd_callbacks_total", "result", "refused"); n != 1 {
						t.Errorf("%v callbacks counted as refused", n)
					}
				}
				after(time.Second)
			})
		})
	}
}

// TestViewCallbackShared: with a shared scope, one viewer's zoom is everybody's.
func TestViewCallbackShared(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", func(c *Chart) { c.Config.Scope, c.Spec.Refresh = ScopeShared, 0 })
		p, other := w.open(), w.open()
		v := p.sub(wire.Sub{})
		other.sub(wire.Sub{})
		p.say(wire.Callback{ID: "7", V: v, Arg: []byte(`{"view":{"title":"all of us"}}`)})
		synctest.Wait()
		if !strings.Contains(p.svg(v), "all of us") || !strings.Contains(other.svg(v), "all of us") {
			t.Error("a shared change is not seen by all")
		}
	})
}
