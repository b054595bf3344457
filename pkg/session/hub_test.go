package session

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// 200 sessions on one view are one render a tick.
func TestOneRenderPerTick(t *testing.T) {
	inBubble(t, func(w *world) {
		var pages []*page
		for range 200 {
			p := w.open()
			p.sub(wire.Sub{})
			pages = append(pages, p)
		}
		renders, ticks, patches := w.metric("chartd_renders_total"), w.metric("chartd_ticks_total"), w.metric("chartd_frame_bytes", "type", "patch")
		after(10 * time.Second)
		if n := w.metric("chartd_renders_total") - renders; n != 10 {
			t.Errorf("%v renders in 10 s", n)
		}
		if n := w.metric("chartd_ticks_total") - ticks; n != 10 {
			t.Errorf("%v ticks in 10 s", n)
		}
		if n := w.metric("chartd_frame_bytes", "type", "patch") - patches; n != 10 {
			t.Errorf("%v patches were encoded in 10 s", n)
		}
		if n := w.metric("chartd_frames_sent_total", "type", "patch"); n != 2000 {
			t.Errorf("%v patches were sent", n)
		}
		tr := w.truth(ticker.KeyOf(pages[0].view()))
		after(time.Second)
		for i, p := range pages {
			if p.svg(p.v()) != tr.svg() {
				t.Errorf("client %d shows something else", i)
			}
			equal(t, p.took(), strings.TrimSpace(strings.Repeat("patch ", 11)))
		}
		tr.lease.Release(true)
	})
}

// A handler's samples are in the frame that follows it.
func TestHandlerAppends(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", callback(func(_ context.Context, call *Call) error {
			if call.Cause() == CauseTick && call.Session() != nil {
				t.Error("a tick has a session")
			}
			return call.AppendNow("m", store.LabelsOf(map[string]string{"by": string(call.Cause())}), 42)
		}))
		p := w.open()
		v := p.sub(wire.Sub{})
		if strings.Contains(p.svg(v), "data-name") {
			t.Fatal("there is a series already")
		}
		after(3 * time.Second)
		if svg := p.svg(v); !strings.Contains(svg, "data-name") || strings.Contains(svg, "client") {
			t.Error("the tick's series is not drawn")
		}
		p.say(wire.Callback{ID: "2", V: v})
		after(time.Second)
		if svg := p.svg(v); !strings.Contains(svg, "client") {
			t.Error("the callback's series is not drawn")
		}
	})
}

// A panic in handling a client ends that client alone.
func TestFaultInHandling(t *testing.T) {
	inBubble(t, func(w *world) {
		p, q := w.open(), w.open()
		q.sub(wire.Sub{})
		p.client.ops.do(func() { panic("a bug") })
		synctest.Wait()
		if how := p.closing(); how == nil || how.Code != wire.CloseInternal {
			t.Errorf("closed with %v", how)
		}
		after(time.Second)
		equal(t, q.took(), "patch")
		if w.logs.FilterMessage("handling a client panicked").Len() != 1 {
			t.Error("not logged")
		}
	})
}

// Panics are logged with their stack, and what clients are told is not it.
func TestPanicIsLogged(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", callback(func(context.Context, *Call) error { panic("secret") }))
		p := w.open()
		v := p.sub(wire.Sub{})
		p.say(wire.Callback{ID: "2", V: v})
		synctest.Wait()
		if f := p.failure(); strings.Contains(f.Err.Message, "secret") {
			t.Errorf("the client is told %q", f.Err.Message)
		}
		entries := w.logs.FilterMessage("a callback panicked").All()
		if len(entries) == 0 || !strings.Contains(entries[0].ContextMap()["stack"].(string), "TestPanicIsLogged") {
			t.Errorf("logged %v", entries)
		}
	})
}

// What fails at every tick fills no log.
func TestFailuresAreMuffled(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", callback(func(_ context.Context, call *Call) error { return errors.New("no") }))
		p := w.open()
		p.sub(wire.Sub{})
		after(59 * time.Second)
		if n := w.logs.Len(); n != 1 {
			t.Errorf("%d log lines in a minute", n)
		}
		after(10 * time.Second)
		entries := w.logs.All()
		unlogged := int64(0) // the sum may come before or behind the line of the same moment
		for _, e := range entries {
			n, _ := e.ContextMap()["unlogged"].(int64)
			unlogged += n
		}
		if len(entries) != 3 || unlogged < 55 {
			t.Errorf("logged %v", entries)
		}
		if n := w.metric("chartd_callbacks_total", "result", "failed"); n < 68 {
			t.Errorf("%v failures counted", n)
		}
	})
}

// A handler whose view nobody watches any more is told to stop, and that is no
// failure.
func TestHandlerOfAnAbandonedView(t *testing.T) {
	inBubble(t, func(w *world) {
		stopped := make(chan error, 1)
		w.with("cpu", callback(func(ctx context.Context, _ *Call) error {
			<-ctx.Done()
			stopped <- ctx.Err()
			return ctx.Err()
		}))
		p := w.open()
		v := p.sub(wire.Sub{})
		after(time.Second)
		p.say(wire.Set{ID: "2", V: v, View: plotting.Change{Refresh: window(0)}})
		synctest.Wait()
		if err := <-stopped; !errors.Is(err, context.Canceled) {
			t.Errorf("stopped by %v", err)
		}
		if n := w.metric("chartd_callbacks_total", "result", "stopped"); n != 1 || w.logs.Len() > 0 {
			t.Errorf("%v counted, logged %v", n, w.logs.All())
		}
	})
}
