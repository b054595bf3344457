package session

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/headroom"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

// Whatever is sent, it counts; what is too much is refused, what is far too much
// ends the connection, and nobody else notices.
func TestMessageFlood(t *testing.T) {
	kinds := map[string]func(v string) wire.ClientMessage{
		"ping":     func(string) wire.ClientMessage { return wire.Ping{ID: "9"} },
		"resync":   func(v string) wire.ClientMessage { return wire.Resync{ID: "9", V: v} },
		"sub":      func(string) wire.ClientMessage { return wire.Sub{ID: "9", Chart: "cpu"} },
		"unsub":    func(string) wire.ClientMessage { return wire.Unsub{ID: "9", V: "none"} },
		"set":      func(v string) wire.ClientMessage { return wire.Set{ID: "9", V: v} },
		"callback": func(v string) wire.ClientMessage { return wire.Callback{ID: "9", V: v} },
		"auth":     func(string) wire.ClientMessage { return wire.Auth{ID: "9", Token: "x"} },
		"hello":    func(string) wire.ClientMessage { return wire.Hello{ID: "9"} },
	}
	for name, message := range kinds {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				bad, good := w.open(), w.open()
				v := bad.sub(wire.Sub{})
				good.sub(wire.Sub{})
				after(10 * time.Second)
				good.took()
				bad.took()
				for range 40 { // four seconds' worth
					bad.say(message(v))
				}
				synctest.Wait()
				if got := bad.took(); name != "callback" && strings.Contains(got, "rate_limited") {
					t.Errorf("refused too early: %s", got)
				}
				bad.say(message(v))
				synctest.Wait()
				if got := bad.failure().Err; got.Code != wire.CodeRateLimited || !got.Temporary() || !strings.Contains(got.Message, "session.messages_per_second") {
					t.Errorf("the one too many: %v", got)
				}
				after(250 * time.Millisecond) // who waits may go on
				bad.took()
				bad.say(wire.Ping{ID: "50"})
				synctest.Wait()
				equal(t, bad.took(), "ok:50")
				for range 100 {
					bad.say(message(v))
				}
				synctest.Wait()
				if how := bad.closing(); how == nil || how.Code != wire.CloseFlood || !strings.Contains(how.Reason, "session.messages_per_second") {
					t.Fatalf("closed with %v", how)
				}
				if n := w.metric("chartd_refused_total", "limit", "messages_per_second"); n < 40 || n > 43 {
					t.Errorf("counted %v refusals", n)
				}
				if n := w.metric("chartd_closed_total", "reason", "flood"); n != 1 {
					t.Errorf("counted %v closes", n)
				}
				// A few lines of the log, not one for each.
				if n := w.logs.FilterMessage("message refused").Len(); n == 0 || n > 2*refusalLines {
					t.Errorf("%d lines", n)
				}
				if n := w.logs.FilterMessage("connection closed").Len(); n != 1 {
					t.Errorf("%d lines of the close", n)
				}
				good.took()
				after(5 * time.Second)
				if n := len(strings.Fields(good.took())); n != 5 {
					t.Errorf("the other one got %d frames in 5 s", n)
				}
			}, func(cfg *Config) { cfg.MessagesPerSecond = 10 })
		})
	}
}

// What is no message counts as one.
func TestFloodOfNonsense(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		for range 10 {
			p.client.Handle([]byte("["))
		}
		synctest.Wait()
		if got := p.failure().Err.Code; got != wire.CodeRateLimited {
			t.Errorf("the tenth is answered with %v", got)
		}
	}, func(cfg *Config) { cfg.MessagesPerSecond = 2 })
}

// A client that asks for one view after the other is refused before it is felt;
// views that somebody watches are free.
func TestNewViewsPerMinute(t *testing.T) {
	inBubble(t, func(w *world) {
		other, p := w.open(), w.open()
		wide := func(n int) wire.Sub {
			return wire.Sub{View: plotting.Change{Size: &[2]int{400 + n, 300}}}
		}
		other.sub(wide(1))
		for range 20 { // there already
			v := p.sub(wide(1))
			p.say(wire.Unsub{V: v})
		}
		var v string
		for n := range 5 {
			v = p.sub(wide(100 + n))
		}
		p.took()
		sixth := wide(200)
		sixth.ID, sixth.Chart = "6", "cpu"
		p.say(sixth, wire.Set{ID: "7", V: v, View: sixth.View})
		synctest.Wait()
		equal(t, p.took(), "error:6:rate_limited error:7:rate_limited")
		if got := p.failure().Err.Message; !strings.Contains(got, "session.new_views_per_minute") {
			t.Errorf("told %q", got)
		}
		refusedBy(t, w, limitNewViews, 2)
		// The allowance is the session's: another connection has no other.
		p.drop()
		synctest.Wait()
		p.again(v, wire.Sub{View: plotting.Change{Size: &[2]int{504, 300}}})
		p.took()
		p.say(sixth)
		synctest.Wait()
		equal(t, p.took(), "error:6:rate_limited")
		after(12 * time.Second) // a fifth of a minute
		p.took()
		p.say(sixth)
		synctest.Wait()
		equal(t, p.took(), "ok:6 full")
	}, func(cfg *Config) { cfg.NewViewsPerMinute = 5 })
}

// When the memory is nearly full, no view is begun, and those that are drawn go
// on for whoever watches them.
func TestMemoryIsTight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		used := int64(0)
		g, err := headroom.New(func() headroom.Memory { return headroom.Memory{Used: used, Limit: 1000} }, zap.NewNop(), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t)
		w.deps.Memory = g
		defer w.close()
		p, q := w.open(), w.open()
		v := p.sub(wire.Sub{})
		used = 900
		after(time.Second)
		p.took()
		for n := range 3 {
			q.say(wire.Sub{ID: wire.ID(fmt.Sprint(n)), Chart: "cpu", View: plotting.Change{Window: window(math.MaxInt32)}})
		}
		synctest.Wait()
		equal(t, q.took(), "error:0:overloaded error:1:overloaded error:2:overloaded")
		if got := q.failure().Err; !got.Temporary() || !strings.Contains(got.Message, "GOMEMLIMIT") {
			t.Errorf("told %v", got)
		}
		refusedBy(t, w, limitMemory, 3)
		q.sub(wire.Sub{}) // it is drawn already
		p.say(wire.Resync{V: v})
		synctest.Wait()
		equal(t, p.took(), "full")
		after(3 * time.Second)
		equal(t, p.took(), "patch patch patch")
		used = 0
		after(time.Second)
		q.took()
		q.sub(wire.Sub{View: plotting.Change{Window: window(quantity.Duration(time.Hour).Std())}})
	})
}
