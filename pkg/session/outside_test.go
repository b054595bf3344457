package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

// raise raises a callback without a connection.
func (w *world) raise(ctx context.Context, arg string, view plotting.Change) (Raised, *wire.Error) {
	r := Raise{Chart: "cpu", View: view, Grant: w.everybody, Peer: Peer{Address: "192.0.2.1"}}
	if arg != "" {
		r.Arg = []byte(arg)
	}
	out, err := w.Raise(ctx, r)
	if err == nil {
		return out, nil
	}
	failure, ok := errors.AsType[*wire.Error](err)
	if !ok {
		w.t.Fatalf("%T: %v", err, err)
	}
	return out, failure
}

// A callback without a connection is like any other: hooks in their order, the
// handler, an answer.
func TestRaise(t *testing.T) {
	inBubble(t, func(w *world) {
		j := &journal{}
		var seen *Call
		w.with("cpu", func(c *Chart) {
			c.Spec.Refresh = 0
			c.Hooks = []Hook{j.hook(func() error { return nil })}
			c.Callback = func(_ context.Context, call *Call) error {
				seen = call
				switch call.ArgString() {
				case "title":
					call.Session().Values().Set("a", 1)
					return errors.Join(call.SetTitle("mine"), call.AppendNow("m", nil, 1), call.Reply(map[string]int{"n": 1}))
				case "fail":
					return errors.Join(call.SetTitle("never"), errors.New("no disk"))
				case "pause":
					return call.Set(plotting.Change{Paused: new(true)})
				}
				return ErrNotHandled
			}
		})
		p := w.open()
		v := p.sub(wire.Sub{Events: true})
		p.took()
		renders := w.metric("chartd_renders_total")

		got, failure := w.raise(w.t.Context(), `"title"`, plotting.Change{Window: window(5 * time.Minute)})
		if failure != nil || !got.Handled || string(got.Reply) != `{"n":1}` || got.View.Title != "mine" || got.View.Window != quantity.Duration(5*time.Minute) {
			t.Errorf("title: %+v, %v", got, failure)
		}
		if seen.Cause() != CauseClient || seen.Session() == nil || seen.Session().Peer().Address != "192.0.2.1" || seen.Session().Name() == "" {
			t.Errorf("the handler saw %+v", seen)
		}
		equal(t, p.took(), "")
		if n := w.metric("chartd_renders_total") - renders; n != 0 {
			t.Errorf("%v renders of what nobody watches", n)
		}

		// What the caller sees is what others watch: they get a frame.
		if got, failure := w.raise(w.t.Context(), "", plotting.Change{}); failure != nil || got.Handled || got.View != w.charts["cpu"].Spec.View("cpu") {
			t.Errorf("nothing: %+v, %v", got, failure)
		}
		synctest.Wait()
		if n := w.metric("chartd_renders_total") - renders; n != 1 {
			t.Errorf("%v renders", n)
		}
		if took := p.took(); !strings.Contains(took, "full") && !strings.Contains(took, "patch") || strings.Contains(took, "Callback") {
			t.Errorf("who watches got %q", took)
		}
		if p.v() != v {
			t.Error("and was moved")
		}

		got, failure = w.raise(w.t.Context(), `"fail"`, plotting.Change{})
		if failure == nil || failure.Code != wire.CodeCallbackFailed || !strings.Contains(failure.Message, "no disk") || got.View.Title != "" {
			t.Errorf("fail: %+v, %v", got, failure)
		}
		if got, failure := w.raise(w.t.Context(), `{"view":{"window":"2h"}}`, plotting.Change{}); failure != nil || !got.Handled || got.View.Window != quantity.Duration(2*time.Hour) {
			t.Errorf("by hand: %+v, %v", got, failure)
		}
		if got, failure := w.raise(w.t.Context(), `"pause"`, plotting.Change{}); failure != nil || !got.Handled {
			t.Errorf("pause: %+v, %v", got, failure)
		}
		for arg, view := range map[string]plotting.Change{`{"view":{"window":"1ms"}}`: {}, `"x"`: {Window: window(time.Millisecond)}} {
			if _, failure := w.raise(w.t.Context(), arg, view); failure == nil || failure.Code != wire.CodeBadView {
				t.Errorf("a bad view: %v", failure)
			}
		}
		for i, run := range strings.SplitAfter(j.took(), "afterResponse") {
			if run = strings.TrimSpace(run); run != "" && (!strings.HasPrefix(run, "before(client) after(") || !strings.HasSuffix(run, " beforeResponse afterResponse")) {
				t.Errorf("run %d: hooks %s", i, run)
			}
		}
	})
}

// With scope shared, it changes everybody's view.
func TestRaiseShared(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", func(c *Chart) { c.Config.Scope, c.Spec.Refresh = ScopeShared, 0 })
		p := w.open()
		v := p.sub(wire.Sub{})
		got, failure := w.raise(w.t.Context(), `{"view":{"title":"all of us"}}`, plotting.Change{})
		synctest.Wait()
		if failure != nil || got.View.Title != "" || w.Shared(got.View).Title != "all of us" || !strings.Contains(p.svg(v), "all of us") {
			t.Errorf("%+v, %v", got, failure)
		}
	})
}

// A callback that hangs ends in time, or with who asked, and counts until its
// handler has returned.
func TestRaiseEnds(t *testing.T) {
	inBubble(t, func(w *world) {
		release := make(chan struct{})
		w.with("cpu", callback(func(ctx context.Context, call *Call) error {
			if call.ArgString() == "obedient" {
				<-ctx.Done()
				return ctx.Err()
			}
			<-release
			return nil
		}))
		start := time.Now()
		for range 2 { // as many as may be under way
			if _, failure := w.raise(w.t.Context(), `"stubborn"`, plotting.Change{}); failure == nil || failure.Code != wire.CodeCallbackTimeout {
				t.Errorf("stubborn: %v", failure)
			}
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("it took %v", took)
		}
		if _, failure := w.raise(w.t.Context(), `"x"`, plotting.Change{}); failure == nil || failure.Code != wire.CodeBusy || !strings.Contains(failure.Message, "session.max_callbacks_waiting") {
			t.Errorf("one too many: %v", failure)
		}
		close(release)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(w.t.Context(), 300*time.Millisecond)
		defer cancel()
		start = time.Now()
		if _, failure := w.raise(ctx, `"obedient"`, plotting.Change{}); failure == nil || time.Since(start) != 300*time.Millisecond {
			t.Errorf("nobody waits: %v after %v", failure, time.Since(start))
		}
		if n := w.metric("chartd_refused_total", "limit", limitWaiting); n != 1 {
			t.Errorf("%v refusals counted", n)
		}
	}, func(c *Config) { c.MaxCallbacksWaiting, c.CallbackTimeout = 1, quantity.Duration(time.Second) })
}

// An address may raise as many as a session; others do not notice.
func TestRaiseRate(t *testing.T) {
	inBubble(t, func(w *world) {
		refused := 0
		for range 1000 {
			if _, failure := w.raise(w.t.Context(), `"x"`, plotting.Change{}); failure != nil {
				refused++
				if failure.Code != wire.CodeRateLimited || !strings.Contains(failure.Message, "session.callbacks_per_second") {
					t.Fatalf("refused with %v", failure)
				}
			}
		}
		if refused != 980 || w.metric("chartd_refused_total", "limit", limitRate) != 980 {
			t.Errorf("%d of 1000 were refused", refused)
		}
		if _, err := w.Raise(w.t.Context(), Raise{Chart: "cpu", Grant: w.everybody, Peer: Peer{Address: "192.0.2.2"}}); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		after(time.Second)
		if _, failure := w.raise(w.t.Context(), `"x"`, plotting.Change{}); failure != nil {
			t.Errorf("a second later: %v", failure)
		}
	})
}

// However many addresses there are, those that are silent are forgotten.
func TestRaiseForgetsAddresses(t *testing.T) {
	var o outside
	cfg, now := DefaultConfig(), time.Now()
	for i := range 10 * maxVisitors {
		now = now.Add(time.Second / 100)
		name := fmt.Sprint(i)
		if limit, why := o.enter(name, now, &cfg); limit != "" {
			t.Fatal(why)
		}
		if i > 0 { // the first one stays
			o.leave(name)
		}
	}
	if len(o.by) > maxVisitors {
		t.Errorf("%d addresses are remembered", len(o.by))
	}
	if v := o.by["0"]; v == nil || v.calls != 1 {
		t.Errorf("one that has a callback under way was forgotten: %+v", v)
	}
}

// A hub that drains takes none.
func TestRaiseWhileDraining(t *testing.T) {
	inBubble(t, func(w *world) {
		if err := w.Drain(w.t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, failure := w.raise(w.t.Context(), `"x"`, plotting.Change{}); failure == nil || failure.Code != wire.CodeUnavailable {
			t.Errorf("answered with %v", failure)
		}
	})
}
