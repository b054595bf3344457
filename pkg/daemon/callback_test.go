package daemon_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

// one is a chart that is drawn only when a callback asks.
const one = `
charts:
  one: {title: One, refresh: 0, window: 10s, series: [{metric: m}]}
  other: {title: Other, refresh: 100ms, window: 10s, series: [{metric: m}]}
session: {callback_timeout: 200ms}
`

// The order that DESIGN promises: BeforeCallback, handler, AfterCallback,
// BeforeCallbackResponseProcess, frame, AfterCallbackResponseProcess; on the
// wire and for Go hooks alike.
func TestCallbackOrder(t *testing.T) {
	var mu sync.Mutex
	var heard []string
	hear := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, fmt.Sprintf(format, args...))
	}
	after := make(chan struct{})
	r := start(t, one,
		daemon.WithCallback("one", func(_ context.Context, call *session.Call) error {
			if call.Cause() == session.CauseTick {
				return nil
			}
			hear("handler %s %s", call.Cause(), call.ArgString())
			return errors.Join(call.SetTitle("Changed"), call.AppendNow("m", nil, 1), call.Reply("done"))
		}),
		daemon.WithHook("*", session.Hook{
			Before: func(_ context.Context, call *session.Call) error {
				if call.Chart() == "one" {
					hear("before %s", call.ArgString())
				}
				return nil
			},
			After: func(_ context.Context, call *session.Call, err error, took time.Duration) {
				if call.Chart() == "one" {
					hear("after %v %v", err, took >= 0)
				}
			},
			BeforeResponse: func(_ context.Context, call *session.Call) {
				if call.Chart() == "one" {
					hear("before response")
				}
			},
			AfterResponse: func(_ context.Context, call *session.Call) {
				if call.Chart() == "one" {
					hear("after response")
					close(after)
				}
			},
		}),
	)
	c := livetest.Dial(t, r.base)
	c.Hello("")
	ok := c.Sub(wire.Sub{Chart: "one", Events: true})
	c.Full(ok.V)
	c.Send(wire.Callback{ID: "7", V: ok.V, Arg: json.RawMessage(`"MyCustomArgs"`)})
	var got []string
	var fork string
	for len(got) < 5 {
		switch m := c.Next().(type) {
		case wire.Event:
			if m.ID != "7" || m.Cause != wire.CauseClient || string(m.Arg) != `"MyCustomArgs"` {
				t.Errorf("event %+v", m)
			}
			got = append(got, string(m.Name))
		case wire.OK:
			if m.ID != "7" || m.Handled == nil || !*m.Handled || string(m.Reply) != `"done"` {
				t.Errorf("ok %+v", m)
			}
			fork = m.V
		case wire.Full:
			if m.V != fork || fork == ok.V || !strings.Contains(m.SVG, "Changed") {
				t.Errorf("the frame is of view %q, the ok said %q", m.V, fork)
			}
			got = append(got, "frame")
		case wire.Failure:
			t.Fatal(m.Err)
		}
	}
	want := []string{"BeforeCallback", "AfterCallback", "BeforeCallbackResponseProcess", "frame", "AfterCallbackResponseProcess"}
	if !slices.Equal(got, want) {
		t.Errorf("on the wire: %q, want %q", got, want)
	}
	<-after
	mu.Lock()
	defer mu.Unlock()
	wantGo := []string{"before MyCustomArgs", "handler client MyCustomArgs", "after <nil> true", "before response", "after response"}
	if !slices.Equal(heard, wantGo) {
		t.Errorf("in Go: %q, want %q", heard, wantGo)
	}
}

// A handler that errs, panics or hangs is told to its caller, and every chart
// goes on.
func TestBadHandlers(t *testing.T) {
	hung := make(chan struct{})
	r := start(t, one, daemon.WithCallback("one", func(ctx context.Context, call *session.Call) error {
		switch call.ArgString() {
		case "err":
			return errors.New("the valve is shut")
		case "panic":
			panic("the secret of the panic")
		case "hang":
			<-ctx.Done()
			close(hung)
			return ctx.Err()
		}
		return session.ErrNotHandled
	}))
	c := livetest.Dial(t, r.base)
	c.Hello("")
	ok := c.Sub(wire.Sub{Chart: "one", Events: true})
	c.Full(ok.V)
	ask := func(arg string) (reply wire.ServerMessage, after wire.Event) {
		t.Helper()
		id := c.ID()
		c.Send(wire.Callback{ID: id, V: ok.V, Arg: json.RawMessage(fmt.Sprintf("%q", arg))})
		for reply == nil || after.Name == "" {
			switch m := c.Next().(type) {
			case wire.Event:
				if m.Name == wire.AfterCallback && m.ID == id {
					after = m
				}
			case wire.OK:
				if m.ID == id {
					reply = m
				}
			case wire.Failure:
				if m.ID == id {
					reply = m
				}
			}
		}
		return reply, after
	}
	for _, tc := range []struct {
		arg  string
		code wire.ErrorCode
		text string
	}{
		{"err", wire.CodeCallbackFailed, "the valve is shut"},
		{"panic", wire.CodeCallbackFailed, ""},
		{"hang", wire.CodeCallbackTimeout, ""},
	} {
		reply, after := ask(tc.arg)
		f, failed := reply.(wire.Failure)
		if !failed || f.Err.Code != tc.code || !strings.Contains(f.Err.Message, tc.text) {
			t.Errorf("%s: reply %+v", tc.arg, reply)
		}
		if after.Error == "" || !strings.Contains(after.Error, tc.text) || strings.Contains(after.Error+fmt.Sprint(reply), "secret") {
			t.Errorf("%s: AfterCallback %+v, reply %+v", tc.arg, after, reply)
		}
	}
	<-hung
	reply, after := ask("nobody wants this")
	if m, isOK := reply.(wire.OK); !isOK || m.Handled == nil || *m.Handled || after.Error != "" {
		t.Errorf("unhandled: reply %+v, AfterCallback %+v", reply, after)
	}
	for _, result := range []string{"failed", "panicked", "timeout", "unhandled"} {
		if n := r.metric("chartd_callbacks_total", `cause="client"`, `result="`+result+`"`); n != 1 {
			t.Errorf("%v counted as %s", n, result)
		}
	}
	// The chart is not the worse for it, and neither is its neighbour.
	other := c.Sub(wire.Sub{Chart: "other"})
	c.Full(other.V)
	c.Send(wire.Resync{V: ok.V})
	c.Full(ok.V)
}

// One viewer's callback leaves the other's view alone.
func TestCallbackForksItsCallersView(t *testing.T) {
	r := start(t, one+"  # no more\n", daemon.WithCallback("", func(_ context.Context, call *session.Call) error {
		if call.Cause() == session.CauseClient {
			return call.SetTitle("Mine " + call.ArgString())
		}
		return nil
	}))
	a, b := livetest.Dial(t, r.base), livetest.Dial(t, r.base)
	a.Hello("")
	b.Hello("")
	va, vb := a.Sub(wire.Sub{Chart: "one"}).V, b.Sub(wire.Sub{Chart: "one"}).V
	if va != vb {
		t.Fatalf("equal views have the ids %q and %q", va, vb)
	}
	a.Full(va)
	b.Full(vb)
	id := a.ID()
	a.Send(wire.Callback{ID: id, V: va, Arg: json.RawMessage(`"x"`)})
	fork := a.OK(id)
	if fork.V == va || !strings.Contains(a.Full(fork.V).SVG, "Mine x") {
		t.Fatalf("no fork: %+v", fork)
	}
	b.Send(wire.Resync{V: vb})
	if full := b.Full(vb); strings.Contains(full.SVG, "Mine") {
		t.Error("the other's view has changed")
	}
}

// With scope shared, a callback changes what everybody sees, pictures included.
func TestSharedScope(t *testing.T) {
	r := start(t, `
charts:
  wall:
    {title: Wall, refresh: 0, window: 10s, scope: shared, series: [{metric: m}], callbacks: [{on: "night*", set: {title: Night shift}}]}
`)
	a, b := livetest.Dial(t, r.base), livetest.Dial(t, r.base)
	a.Hello("")
	b.Hello("")
	va, vb := a.Sub(wire.Sub{Chart: "wall"}).V, b.Sub(wire.Sub{Chart: "wall"}).V
	a.Full(va)
	b.Full(vb)
	if _, svg := r.get("/charts/wall.svg"); !strings.Contains(svg, "Wall") {
		t.Error("the picture lacks its title")
	}
	id := a.ID()
	a.Send(wire.Callback{ID: id, V: va, Arg: json.RawMessage(`"night shift"`)})
	if ok := a.OK(id); ok.V != "" && ok.V != va {
		t.Errorf("the view forked: %+v", ok)
	}
	for c, v := range map[*livetest.Client]string{a: va, b: vb} {
		if full := c.Full(v); !strings.Contains(full.SVG, "Night shift") {
			t.Error("a viewer sees the old title")
		}
	}
	if _, svg := r.get("/charts/wall.svg"); !strings.Contains(svg, "Night shift") {
		t.Error("the picture has the old title")
	}
}
