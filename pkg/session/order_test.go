package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

// journal is a Hook that notes its calls.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) took() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := strings.Join(j.lines, " ")
	j.lines = nil
	return out
}

func (j *journal) hook(before func() error) Hook {
	return Hook{
		Before: func(_ context.Context, call *Call) error {
			j.note("before(%s)", call.Cause())
			return before()
		},
		After: func(_ context.Context, _ *Call, err error, elapsed time.Duration) {
			j.note("after(%v,%v)", err != nil, elapsed)
		},
		BeforeResponse: func(context.Context, *Call) { j.note("beforeResponse") },
		AfterResponse:  func(context.Context, *Call) { j.note("afterResponse") },
	}
}

// TestOrder holds the promise of DESIGN §6 for every way in which a callback
// can go, for both causes, for events and hooks alike.
func TestOrder(t *testing.T) {
	fine := func() error { return nil }
	hang := make(chan struct{})
	cases := []struct {
		name    string
		handler RefreshCallback
		before  func() error
		took    time.Duration // until the answer
		fails   bool
		reply   string // in place of ok
		hooks   string // between Before and BeforeResponse
		after   string // the last hooks
	}{
		{name: "no handler", handler: nil, reply: "ok:7(unhandled)"},
		{name: "handled", handler: func(context.Context, *Call) error { return nil }, reply: "ok:7"},
		{name: "slow", handler: func(context.Context, *Call) error { time.Sleep(300 * time.Millisecond); return nil }, took: 300 * time.Millisecond, reply: "ok:7"},
		{name: "not handled", handler: func(context.Context, *Call) error { return ErrNotHandled }, reply: "ok:7(unhandled)"},
		{name: "error", handler: func(context.Context, *Call) error { return errors.New("no") }, fails: true, reply: "error:7:callback_failed"},
		{name: "panic", handler: func(context.Context, *Call) error { panic("no") }, fails: true, reply: "error:7:callback_failed"},
		{name: "overrun, ends with ctx", handler: func(ctx context.Context, _ *Call) error { <-ctx.Done(); return ctx.Err() }, took: time.Second, fails: true, reply: "error:7:callback_timeout"},
		{name: "hang", handler: func(context.Context, *Call) error { <-hang; return nil }, took: time.Second, fails: true, reply: "error:7:callback_timeout"},
		{name: "cancelled", handler: func(context.Context, *Call) error { panic("called") }, before: func() error { return errors.New("no") }, fails: true, reply: "error:7:callback_canceled"},
		{name: "hook panics", handler: func(context.Context, *Call) error { panic("called") }, before: func() error { panic("no") }, fails: true, reply: "error:7:callback_failed"},
		{name: "hook hangs", handler: func(context.Context, *Call) error { panic("called") }, before: func() error { <-hang; return errors.New("late") }, took: time.Second, fails: true, reply: "error:7:callback_timeout"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := c.before
			if before == nil {
				before = fine
			}
			hang = make(chan struct{})
			inBubble(t, func(w *world) {
				hang = make(chan struct{})
				j := &journal{}
				w.with("cpu", func(ch *Chart) {
					ch.Callback = c.handler
					ch.Hooks = []Hook{j.hook(before)}
					ch.Spec.Refresh = 0
				})
				p, other := w.open(), w.open()
				v := p.sub(wire.Sub{Events: true})
				other.sub(wire.Sub{Events: true})

				time.Sleep(100 * time.Millisecond) // so that there is something new
				p.say(wire.Callback{ID: "7", V: v, Arg: []byte(`"MyCustomArgs"`)})
				after(0)
				bang := ""
				if c.fails {
					bang = "!"
				}
				if c.took > 0 {
					equal(t, p.took(), "BeforeCallback@7") // at once, so that a page can show that it is busy
					after(c.took - 100*time.Millisecond)
					equal(t, p.took(), "")
					after(100 * time.Millisecond)
					equal(t, p.took(), "AfterCallback@7"+bang+" "+c.reply+" BeforeCallbackResponseProcess@7 patch AfterCallbackResponseProcess@7")
				} else {
					equal(t, p.took(), "BeforeCallback@7 AfterCallback@7"+bang+" "+c.reply+" BeforeCallbackResponseProcess@7 patch AfterCallbackResponseProcess@7")
				}
				equal(t, other.took(), "patch") // a client's events are its own
				equal(t, j.took(), fmt.Sprintf("before(client) after(%v,%v) beforeResponse afterResponse", c.fails, c.took))

				// The same with a tick, for all who watch.
				close(hang)
				after(0)
				hang = make(chan struct{})
				w.with("cpu", func(ch *Chart) {
					ch.Callback = c.handler
					ch.Hooks = []Hook{j.hook(before)}
					ch.Spec.Refresh = quantity.Duration(time.Hour)
				})
				after(0)
				equal(t, p.took(), "full")
				equal(t, other.took(), "full")
				after(time.Second + c.took) // the first tick comes within a second
				for _, p := range []*page{p, other} {
					equal(t, p.took(), "BeforeCallback AfterCallback"+bang+" BeforeCallbackResponseProcess patch AfterCallbackResponseProcess")
				}
				equal(t, j.took(), fmt.Sprintf("before(tick) after(%v,%v) beforeResponse afterResponse", c.fails, c.took))
				close(hang)
				after(0)
				if n := w.metric("chartd_callbacks_overrunning"); n != 0 {
					t.Errorf("%v handlers are counted as overrunning", n)
				}
			}, func(cfg *Config) { cfg.CallbackTimeout = quantity.Duration(time.Second) })
		})
	}
}

// Without events there is only the answer and the frame.
func TestOrderWithoutEvents(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", func(c *Chart) { c.Spec.Refresh = 0 })
		p := w.open()
		v := p.sub(wire.Sub{})
		time.Sleep(100 * time.Millisecond)
		p.say(wire.Callback{ID: "2", V: v})
		after(0)
		equal(t, p.took(), "ok:2(unhandled) patch")
	})
}

// A callback without an id has no ok, but its errors and events.
func TestCallbackWithoutID(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", func(c *Chart) {
			c.Spec.Refresh = 0
			c.Callback = func(_ context.Context, call *Call) error {
				if call.ArgString() == "bad" {
					return errors.New("no")
				}
				return nil
			}
		})
		p := w.open()
		v := p.sub(wire.Sub{})
		time.Sleep(100 * time.Millisecond)
		p.say(wire.Callback{V: v})
		after(100 * time.Millisecond)
		equal(t, p.took(), "patch")
		p.say(wire.Callback{V: v, Arg: []byte(`"bad"`)})
		after(100 * time.Millisecond)
		equal(t, p.took(), "error::callback_failed patch")
	})
}

// A fork: the answer tells the new view, before the frame of the new view; the
// old one is still watched by others.
func TestOrderOfAFork(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", func(c *Chart) {
			c.Spec.Refresh = 0
			c.Callback = func(_ context.Context, call *Call) error {
				if err := call.Reply(map[string]string{"got": call.ArgString()}); err != nil {
					return err
				}
				return call.SetWindow(15 * time.Minute)
			}
		})
		p, other := w.open(), w.open()
		v := p.sub(wire.Sub{Events: true})
		other.sub(wire.Sub{})
		p.say(wire.Callback{ID: "2", V: v, Arg: []byte(`"MyCustomArgs"`)})
		after(0)
		equal(t, p.took(), `BeforeCallback@2 AfterCallback@2 ok:2={"got":"MyCustomArgs"} BeforeCallbackResponseProcess@2 full AfterCallbackResponseProcess@2`)
		if p.v() == v || p.last.View.Window == nil || *p.last.View.Window != quantity.Duration(15*time.Minute) {
			t.Errorf("after the fork the view is %q, %+v", p.v(), p.last.View)
		}
		equal(t, other.took(), "")
		if w.Stats().Views != 2 {
			t.Errorf("%d views", w.Stats().Views)
		}
		// The old id is unknown now.
		p.say(wire.Callback{ID: "3", V: v})
		after(0)
		equal(t, p.took(), "error:3:unknown_view")
		// Back at the common view, it is shared again.
		p.say(wire.Set{ID: "4", V: p.v(), View: plotting.Change{Reset: true}})
		after(0)
		if got := p.took(); !slices.Contains([]string{"ok:4 full", "ok:4 full patch"}, got) || p.v() != v {
			t.Errorf("after a reset: %s, view %q", got, p.v())
		}
		after(11 * time.Second)
		if w.Stats().Views != 1 {
			t.Errorf("%d views after all came back", w.Stats().Views)
		}
	})
}
