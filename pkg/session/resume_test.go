package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// again connects anew, resumes and subscribes as PROTOCOL.md says.
func (p *page) again(v string, sub wire.Sub) {
	p.w.t.Helper()
	q := p.w.connect("")
	p.client, q.client.out.conn = q.client, p
	p.mu.Lock()
	p.closed, p.cut = nil, make(chan struct{})
	p.mu.Unlock()
	sub.ID, sub.Chart, sub.Pos = "9", "cpu", p.pos(v)
	p.say(wire.Hello{Session: p.token}, sub)
	synctest.Wait()
}

func TestResume(t *testing.T) {
	for _, c := range []struct {
		name string
		gone time.Duration
		want string
	}{
		{"at once", 0, "resumed ok:9"},
		{"with patches", 5 * time.Second, "resumed ok:9 patch patch patch patch patch"},
		{"too long for patches", 9500 * time.Millisecond, "resumed ok:9 full"},
		{"too long for the loop", time.Minute, "resumed ok:9 full"},
		{"too long for the session", 121 * time.Second, "welcome ok:9 full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				p := w.open()
				v := p.sub(wire.Sub{})
				s := p.client.session
				s.Values().Set("k", 1)
				after(2500 * time.Millisecond)
				p.took()
				p.drop()
				after(c.gone)
				p.again(v, wire.Sub{})
				equal(t, p.took(), c.want)
				if p.v() != v {
					t.Errorf("view %q became %q", v, p.v())
				}
				kept := p.client.session.Values().Get("k") == 1
				if want := c.gone < 2*time.Minute; kept != want {
					t.Errorf("values kept: %v, want %v", kept, want)
				}
				tr := w.truth(ticker.KeyOf(p.view()))
				after(time.Second)
				equal(t, p.svg(v), tr.svg())
				tr.lease.Release(true)
				if n := w.metric("chartd_sessions"); n != 1 {
					t.Errorf("%v sessions", n)
				}
			})
		})
	}
}

// A view that a callback forked is asked for again by what ok said.
func TestResumeForkedView(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", callback(func(_ context.Context, call *Call) error {
			if call.Cause() == CauseTick {
				return nil
			}
			return call.Mark(time.UnixMilli(1000), "here")
		}))
		p := w.open()
		v := p.sub(wire.Sub{})
		p.say(wire.Callback{ID: "2", V: v})
		synctest.Wait()
		equal(t, p.took(), "ok:2 full")
		forked := p.v()
		view := *p.last.View
		p.drop()
		after(3 * time.Second)
		p.again(forked, wire.Sub{View: view})
		equal(t, p.took(), "resumed ok:9 patch patch patch")
		if p.v() != forked {
			t.Errorf("came back to %q, want %q", p.v(), forked)
		}
	})
}

func TestTakeover(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		v := p.sub(wire.Sub{})
		q := w.connect("")
		q.say(wire.Hello{Session: p.token})
		synctest.Wait()
		equal(t, q.took(), "resumed")
		if how := p.closing(); how == nil || how.Code != wire.CloseReplaced {
			t.Errorf("the old connection was closed with %v", how)
		}
		// The old one says what it likes.
		p.say(wire.Set{ID: "2", V: v, View: plotting.Change{Window: window(time.Hour)}})
		synctest.Wait()
		equal(t, p.took(), "")
		if s := w.Stats(); s.Sessions != 1 || s.Connections != 1 {
			t.Errorf("%+v", s)
		}
		q.drop()
		after(time.Second)
		if n := w.metric("chartd_sessions", "state", "waiting"); n != 1 {
			t.Errorf("%v sessions wait", n)
		}
		after(2 * time.Minute)
		if s := w.Stats(); s.Sessions != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestResumeWithoutTTL(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		p.drop()
		if n := w.Stats().Sessions; n != 0 {
			t.Errorf("%d sessions wait although the ttl is 0", n)
		}
	}, func(cfg *Config) { cfg.TTL = 0 })
}

func TestUnknownToken(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.connect("")
		p.say(wire.Hello{Session: "guessed"})
		synctest.Wait()
		equal(t, p.took(), "welcome")
		if p.token == "guessed" || len(p.token) < 20 {
			t.Errorf("the token is %q", p.token)
		}
		if n := w.metric("chartd_hellos_total", "result", "unknown"); n != 1 {
			t.Errorf("%v counted", n)
		}
	})
}

// A callback that was accepted runs to its end although its client is gone, and
// the session is the same when it is back.
func TestCallbackOutlivesItsConnection(t *testing.T) {
	inBubble(t, func(w *world) {
		done := make(chan string, 2)
		w.with("cpu", func(c *Chart) {
			c.Spec.Refresh = 0
			c.Callback = func(_ context.Context, call *Call) error {
				time.Sleep(time.Second)
				call.Session().Values().Set("ran", call.ArgString())
				done <- call.ArgString()
				return nil
			}
		})
		p := w.open()
		v := p.sub(wire.Sub{Events: true})
		p.say(wire.Callback{ID: "2", V: v, Arg: []byte(`"a"`)}, wire.Callback{ID: "3", V: v, Arg: []byte(`"b"`)})
		synctest.Wait()
		equal(t, p.took(), "BeforeCallback@2")
		p.drop()
		after(3 * time.Second)
		if len(done) != 2 {
			t.Errorf("%d of 2 callbacks ran", len(done))
		}
		p.again(v, wire.Sub{})
		if got := p.client.session.Values().Get("ran"); got != "b" {
			t.Errorf("the session remembers %v", got)
		}
	})
}
