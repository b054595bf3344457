package session

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

func TestSubscribe(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		p.say(wire.Sub{ID: "1", Chart: "cpu", View: plotting.Change{Window: window(2 * time.Minute)}})
		synctest.Wait()
		equal(t, p.took(), "ok:1 full")
		v := p.v()
		if !strings.HasPrefix(v, "cpu~") || p.last.View == nil || *p.last.View.Window != quantity.Duration(2*time.Minute) {
			t.Errorf("ok is %+v", p.last)
		}
		after(3 * time.Second)
		equal(t, p.took(), "patch patch patch")
		// A window of 2 min is the same view, however it is asked for.
		q := w.open()
		q.sub(wire.Sub{View: plotting.Change{Window: window(120 * time.Second)}})
		if q.v() != v || w.Stats().Views != 1 {
			t.Errorf("%q and %q are %d views", q.v(), v, w.Stats().Views)
		}
		p.say(wire.Unsub{ID: "2", V: v})
		synctest.Wait()
		equal(t, p.took(), "ok:2")
		after(2 * time.Second)
		equal(t, p.took(), "")
		equal(t, q.took(), "patch patch")
		if n := w.metric("chartd_subscriptions"); n != 1 {
			t.Errorf("%v subscriptions", n)
		}
	})
}

// A second sub for the same view is one subscription, and one unsub ends it.
func TestSubscribeTwice(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		v := p.sub(wire.Sub{})
		p.say(wire.Sub{ID: "2", Chart: "cpu", Events: true})
		synctest.Wait()
		equal(t, p.took(), "ok:2 full")
		if p.v() != v {
			t.Errorf("views %q and %q", v, p.v())
		}
		after(time.Second)
		equal(t, p.took(), "BeforeCallback AfterCallback BeforeCallbackResponseProcess patch AfterCallbackResponseProcess")
		p.say(wire.Sub{ID: "3", Chart: "cpu", View: plotting.Change{Paused: new(true)}})
		after(3 * time.Second)
		equal(t, p.took(), "ok:3")
		p.say(wire.Sub{ID: "4", Chart: "cpu"})
		synctest.Wait()
		equal(t, p.took(), "ok:4 full")
		p.say(wire.Unsub{ID: "5", V: v})
		after(3 * time.Second)
		equal(t, p.took(), "ok:5")
		p.say(wire.Unsub{ID: "6", V: v})
		synctest.Wait()
		equal(t, p.took(), "error:6:unknown_view")
	})
}

func TestSet(t *testing.T) {
	inBubble(t, func(w *world) {
		p, other := w.open(), w.open()
		v := p.sub(wire.Sub{})
		other.sub(wire.Sub{})
		p.say(wire.Set{ID: "2", V: v, View: plotting.Change{Window: window(time.Hour)}})
		synctest.Wait()
		equal(t, p.took(), "ok:2 full")
		moved := p.v()
		if moved == v {
			t.Error("a set that changes the view keeps its id")
		}
		p.say(wire.Set{ID: "3", V: moved, View: plotting.Change{}})
		synctest.Wait()
		equal(t, p.took(), "ok:3")
		if p.v() != moved {
			t.Error("a set that changes nothing changes the id")
		}
		after(time.Second)
		tr := w.truth(ticker.KeyOf(other.view()))
		after(time.Second)
		equal(t, other.svg(v), tr.svg())
		tr.lease.Release(true)
	})
}

// view returns the view of the page's only subscription.
func (p *page) view() (v plotting.View) {
	p.client.ops.wait(func() {
		for _, s := range p.client.subs {
			v = s.view
		}
	})
	return v
}

// A set onto a view that the session watches already makes them one.
func TestSetJoins(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		a := p.sub(wire.Sub{})
		b := p.sub(wire.Sub{View: plotting.Change{Window: window(time.Hour)}})
		p.say(wire.Set{ID: "3", V: b, View: plotting.Change{Reset: true}})
		synctest.Wait()
		equal(t, p.took(), "ok:3 full")
		if p.v() != a {
			t.Errorf("joined %q, want %q", p.v(), a)
		}
		p.say(wire.Unsub{ID: "4", V: b})
		synctest.Wait()
		equal(t, p.took(), "error:4:unknown_view")
		if n := w.metric("chartd_subscriptions"); n != 1 {
			t.Errorf("%v subscriptions", n)
		}
		after(2 * time.Second)
		equal(t, p.took(), "patch patch")
	})
}

func TestPause(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		v := p.sub(wire.Sub{Events: true})
		after(1500 * time.Millisecond)
		p.took()
		p.say(wire.Set{ID: "2", V: v, View: plotting.Change{Paused: new(true)}})
		after(5 * time.Second)
		equal(t, p.took(), "ok:2")
		if p.v() != v || p.last.View.Paused == nil || !*p.last.View.Paused {
			t.Errorf("ok is %+v", p.last)
		}
		// Awake while the loop lingers: the patches since.
		p.say(wire.Set{ID: "3", V: v, View: plotting.Change{Paused: new(false)}})
		synctest.Wait()
		equal(t, p.took(), "ok:3 patch patch patch patch patch")
		// A callback while it is paused runs, with all around but the frame.
		p.say(wire.Set{ID: "4", V: v, View: plotting.Change{Paused: new(true)}}, wire.Callback{ID: "5", V: v})
		synctest.Wait()
		equal(t, p.took(), "ok:4 BeforeCallback@5 AfterCallback@5 ok:5(unhandled) BeforeCallbackResponseProcess@5 AfterCallbackResponseProcess@5")
		after(time.Minute)
		if n := w.Stats().Views; n != 0 {
			t.Errorf("%d views while all are paused", n)
		}
		// Changed while it is paused: nothing is drawn before it wakes.
		p.say(wire.Set{ID: "6", V: v, View: plotting.Change{Window: window(time.Hour)}})
		after(time.Minute)
		equal(t, p.took(), "ok:6")
		p.say(wire.Set{ID: "7", V: p.v(), View: plotting.Change{Paused: new(false)}})
		synctest.Wait()
		equal(t, p.took(), "ok:7 full")
		// A resync of a paused view is answered when it wakes.
		p.say(wire.Set{ID: "8", V: p.v(), View: plotting.Change{Paused: new(true)}}, wire.Resync{V: p.v()})
		synctest.Wait()
		equal(t, p.took(), "ok:8")
		p.say(wire.Set{ID: "9", V: p.v(), View: plotting.Change{Paused: new(false)}})
		synctest.Wait()
		equal(t, p.took(), "ok:9 full")
	})
}

func TestSubscribePaused(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		p.say(wire.Sub{ID: "1", Chart: "cpu", View: plotting.Change{Paused: new(true)}})
		after(time.Minute)
		equal(t, p.took(), "ok:1")
		if w.Stats().Views != 0 {
			t.Error("a paused view is drawn")
		}
	})
}

func TestResync(t *testing.T) {
	inBubble(t, func(w *world) {
		p, other := w.open(), w.open()
		v := p.sub(wire.Sub{})
		other.sub(wire.Sub{})
		p.say(wire.Resync{V: v})
		synctest.Wait()
		equal(t, p.took(), "full")
		equal(t, other.took(), "")
		after(time.Second)
		equal(t, p.took(), "patch")
		if n := w.metric("chartd_renders_total"); n != 2 {
			t.Errorf("%v renders", n)
		}
	})
}

func TestRefusals(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		v := p.sub(wire.Sub{})
		for _, c := range []struct {
			m     wire.ClientMessage
			code  wire.ErrorCode
			field string
			text  string
		}{
			{wire.Sub{ID: "2", Chart: "cpuu"}, wire.CodeUnknownChart, "chart", `no chart "cpuu"; did you mean "cpu"?`},
			{wire.Sub{ID: "2", Chart: "weather"}, wire.CodeUnknownChart, "chart", `no chart "weather"`},
			{wire.Sub{ID: "2", Chart: "cpu", View: plotting.Change{Window: window(time.Millisecond)}}, wire.CodeBadView, "view.window", "1ms is not between 1s and 3660d"},
			{wire.Set{ID: "2", V: v, View: plotting.Change{Vars: map[string]string{"disk": "sda"}}}, wire.CodeBadView, "view.vars", `the chart has no var "disk"; it has ["host"]`},
			{wire.Set{ID: "2", V: v, View: plotting.Change{Window: window(time.Millisecond), Size: &[2]int{1, 1}}}, wire.CodeBadView, "view.window", "1ms is not between 1s and 3660d; view.size: 1 by 1 px; each side must be 40 to 4096"},
			{wire.Set{ID: "2", V: v, View: plotting.Change{From: new(int64(5)), To: new(int64(1))}}, wire.CodeBadView, "view.from", "5 to 1 is not a range of 1 ms to 3660d; give both in ms since 1970, or 0 and 0 for live"},
			{wire.Set{ID: "2", V: "cpu~x"}, wire.CodeUnknownView, "v", `this session is not subscribed to "cpu~x"; it may have moved`},
			{wire.Unsub{ID: "2", V: "cpu~x"}, wire.CodeUnknownView, "v", `this session is not subscribed to "cpu~x"; it may have moved`},
			{wire.Callback{ID: "2", V: "cpu~x"}, wire.CodeUnknownView, "v", `this session is not subscribed to "cpu~x"; it may have moved`},
			{wire.Hello{}, wire.CodeOutOfOrder, "", "hello is said once, at the start"},
		} {
			p.say(c.m)
			synctest.Wait()
			f := p.failure()
			if f.Err.Code != c.code || f.Err.Field != c.field || f.Err.Message != c.text || string(f.ID) != string(c.m.RequestID()) {
				t.Errorf("%T: got %q %+v\nwant %s: %s: %s", c.m, f.ID, *f.Err, c.code, c.field, c.text)
			}
			p.took()
		}
		after(time.Second)
		equal(t, p.took(), "patch") // none of it did any harm
	})
}

func TestSmallTalk(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		p.say(wire.Ping{ID: "1"}, wire.Ping{}, wire.Auth{ID: "2", Token: "x"})
		p.client.Handle([]byte(`{"t":"later","id":3}`))
		p.client.Handle([]byte(`[{"t":"ping","id":4},{"t":"sub","id":5},{"t":"ping","id":6}]`))
		p.client.Handle([]byte(`{"t":`))
		synctest.Wait()
		equal(t, p.took(), "ok:1 ok:2 error:3:unknown_type ok:4 error:5:bad_message ok:6 error::bad_message")
	})
}

func TestHelloFirst(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.connect("")
		p.say(wire.Sub{ID: "1", Chart: "cpu"})
		synctest.Wait()
		equal(t, p.took(), "error:1:out_of_order")
		if how := p.closing(); how == nil || how.Code != wire.CloseProtocol {
			t.Errorf("closed with %v", how)
		}
		silent := w.connect("")
		after(10*time.Second - time.Millisecond)
		if silent.closing() != nil {
			t.Error("closed before its time")
		}
		after(time.Millisecond)
		if how := silent.closing(); how == nil || how.Code != wire.CloseHelloTimeout {
			t.Errorf("closed with %v", how)
		}
		talker := w.open()
		after(time.Minute)
		if talker.closing() != nil {
			t.Error("closed although it said hello")
		}
		if s := w.Stats(); s.Connections != 1 || s.Sessions != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestBadMessagesOverAndOver(t *testing.T) {
	inBubble(t, func(w *world) {
		p, careful := w.open(), w.open()
		for range badMessages - 1 {
			p.client.Handle([]byte("no"))
			careful.client.Handle([]byte("no"))
			careful.say(wire.Ping{})
		}
		synctest.Wait()
		if p.closing() != nil {
			t.Fatal("closed too soon")
		}
		p.client.Handle([]byte("no"))
		careful.client.Handle([]byte("no"))
		synctest.Wait()
		if how := p.closing(); how == nil || how.Code != wire.CloseProtocol {
			t.Errorf("closed with %v", how)
		}
		if careful.closing() != nil {
			t.Error("closed a client that is mostly right")
		}
	})
}

// The chart's own title and other views: equal views share, different ones do
// not see each other.
func TestManyViewsOfOneSession(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		var vs []string
		for i := range 10 {
			vs = append(vs, p.sub(wire.Sub{View: plotting.Change{Title: new(fmt.Sprint("title ", i))}}))
		}
		after(2 * time.Second)
		for i, v := range vs {
			if svg := p.svg(v); !strings.Contains(svg, fmt.Sprint("title ", i)) {
				t.Errorf("view %d shows another title", i)
			}
		}
	})
}
