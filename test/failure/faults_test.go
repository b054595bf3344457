package failure

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/wire"
)

// Handlers, hooks and sources that panic are counted and logged, and cost what
// they were asked for, nothing else. (Renderers are chartd's own; packages ticker
// and server make one panic in their tests.)
func TestPanics(t *testing.T) {
	t.Parallel()
	h := settle(t, "sources: {bad: {type: faulty, how: panic}}\n")
	c := h.client()
	bad := c.Sub(wire.Sub{Chart: "bad"})
	c.Full(bad.V)
	worse := c.Sub(wire.Sub{Chart: "worse", Events: true})
	h.during(func() {
		for range 10 {
			id := c.ID()
			c.Send(wire.Callback{ID: id, V: bad.V, Arg: json.RawMessage(`"panic"`)})
			f := livetest.Until(c, func(f wire.Failure) bool { return f.ID == id })
			if f.Err.Code != wire.CodeCallbackFailed || strings.Contains(f.Err.Message, "a handler's") {
				t.Errorf("answered with %v", f.Err)
			}
		}
		for range 8 { // of either cause, in all four places
			c.Send(wire.Callback{ID: c.ID(), V: worse.V, Arg: json.RawMessage(`"x"`)})
		}
		for place := range 4 {
			if said := h.line("panicked "); said != fmt.Sprint(place) {
				t.Errorf("a hook panics in place %s, not %d", said, place)
			}
		}
		livetest.Eventually(t, "the source panics and is told of", func() bool {
			_, body := h.do("GET", "/api/v1/sources", "")
			return strings.Contains(body, "panic: a source")
		})
	})
	// Both charts are still there, with handler and hooks.
	id := c.ID()
	c.Send(wire.Callback{ID: id, V: bad.V, Arg: json.RawMessage(`"ok"`)})
	c.OK(id)
	m := wire.NewMirror(worse.V)
	c.Send(wire.Resync{V: worse.V})
	c.Frames(m, 5)
	for _, what := range []string{"a handler's", "a hook's", "a source's"} {
		if !strings.Contains(h.logs.String(), what) {
			t.Errorf("%s panic is not logged", what)
		}
	}
}

// Sources and a handler that hang, whatever their context says, hold nobody up,
// nor the end, which names them.
func TestHanging(t *testing.T) {
	t.Parallel()
	h := settle(t, "session: {callback_timeout: 200ms}\n"+
		"sources: {one: {type: faulty, how: start}, two: {type: faulty, how: middle}, three: {type: faulty, how: stop}}\n")
	h.during(func() {
		c := h.client()
		stuck := c.Sub(wire.Sub{Chart: "stuck"})
		c.Frames(wire.NewMirror(stuck.V), 10) // its handler hangs; its frames come
		if n := h.metric("chartd_callbacks_overrunning"); n < 1 || n > 2 {
			t.Errorf("%v handlers overrun; one a view may, and no tick starts another", n)
		}
	})
	if n := h.metric("chartd_store_series", ""); n < 61+2 {
		t.Errorf("%v series: what the sources gave before is not there", n)
	}
	h.fails = true
	c := h.client()
	c.Sub(wire.Sub{Chart: "pulse"})
	h.signal(syscall.SIGTERM)
	if e := c.Closed(); e.Code != int(wire.CloseShutdown) {
		t.Errorf("closed with %v", e)
	}
	h.stop() // within ten seconds
	if h.err == nil || !strings.Contains(h.logs.String(), "one, three, two") {
		t.Errorf("it ended with %v and did not name the sources", h.err)
	}
}
