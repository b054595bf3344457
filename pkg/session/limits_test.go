package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// refusedBy says which limit was counted once.
func refusedBy(t *testing.T, w *world, limit string, times float64) {
	t.Helper()
	if n := w.metric("chartd_refused_total", "limit", limit); n != times {
		t.Errorf("%s is counted %v times, want %v", limit, n, times)
	}
}

// A client that stops reading is closed with its code when the deadline of the
// write has passed; no other is delayed by it, and little waits for it.
func TestSlowClient(t *testing.T) {
	inBubble(t, func(w *world) {
		p, healthy := w.open(), w.open()
		v := p.sub(wire.Sub{})
		healthy.sub(wire.Sub{})
		after(500 * time.Millisecond)
		p.took()
		healthy.took()
		release := p.stick()
		defer release()
		for range 10 {
			after(time.Second)
			equal(t, healthy.took(), "patch")
		}
		if n := p.client.out.waiting(); n > 1 {
			t.Errorf("%d items wait for the slow client", n)
		}
		after(time.Second)
		if how := p.closing(); how == nil || how.Code != wire.CloseSlowWrite {
			t.Errorf("closed with %v", how)
		}
		if n := w.metric("chartd_closed_total", "reason", "slow_write"); n != 1 {
			t.Errorf("slow_write is counted %v times", n)
		}
		if n := w.metric("chartd_frames_coalesced_total"); n < 8 {
			t.Errorf("%v frames were coalesced", n)
		}
		after(time.Second)
		equal(t, healthy.took(), "patch patch")
		// It comes back with what it has, and is well again.
		p.mu.Lock()
		p.stuck = nil
		p.mu.Unlock()
		p.again(v, wire.Sub{})
		if got := p.took(); !strings.HasPrefix(got, "resumed ok:9 ") {
			t.Errorf("got %s", got)
		}
	})
}

// A client that is slow but not too slow misses frames, and nothing else.
func TestCoalescedFrames(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		v := p.sub(wire.Sub{})
		after(1500 * time.Millisecond)
		p.took()
		release := p.stick()
		after(5 * time.Second)
		release()
		synctest.Wait()
		// The first was being written; the others went as one write.
		equal(t, p.took(), "patch patch patch patch patch")
		if p.closing() != nil {
			t.Errorf("closed with %v", p.closing())
		}
		if n := w.metric("chartd_frames_coalesced_total"); n != 3 {
			t.Errorf("%v frames were coalesced", n)
		}
		// Slow for longer than patches are kept: one full.
		release = p.stick()
		after(10 * time.Second) // the write that is stuck began within the first second
		release()
		synctest.Wait()
		if got := strings.Fields(p.took()); got[len(got)-1] != "full" {
			t.Errorf("got %v", got)
		}
		tr := w.truth(ticker.KeyOf(p.view()))
		after(time.Second)
		equal(t, p.svg(v), tr.svg())
		tr.lease.Release(true)
	})
}

func TestQueueLimit(t *testing.T) {
	inBubble(t, func(w *world) {
		p, healthy := w.open(), w.open()
		p.sub(wire.Sub{Events: true})
		healthy.sub(wire.Sub{Events: true})
		release := p.stick()
		defer release()
		p.say(wire.Ping{ID: "99"})
		synctest.Wait() // being written
		for i := range 300 {
			p.say(wire.Ping{ID: wire.ID(fmt.Sprint(i + 100))})
		}
		synctest.Wait()
		if how := p.closing(); how == nil || how.Code != wire.CloseSlowQueue {
			t.Errorf("closed with %v", how)
		}
		refusedBy(t, w, limitQueue, 1)
		if n := w.metric("chartd_closed_total", "reason", "slow_queue"); n != 1 {
			t.Errorf("slow_queue is counted %v times", n)
		}
		if healthy.closing() != nil {
			t.Error("the healthy one was closed too")
		}
	}, func(cfg *Config) { cfg.MaxQueue = 4 << 10 })
}

func TestMaxSubscriptions(t *testing.T) {
	inBubble(t, func(w *world) {
		p := w.open()
		for i := range 3 {
			p.sub(wire.Sub{View: plotting.Change{Window: window(time.Duration(i+1) * time.Minute)}})
		}
		p.say(wire.Sub{ID: "2", Chart: "cpu", View: plotting.Change{Window: window(time.Hour)}})
		synctest.Wait()
		equal(t, p.took(), "error:2:too_many_views")
		refusedBy(t, w, limitSubscriptions, 1)
		p.say(wire.Unsub{V: p.v()})
		p.sub(wire.Sub{View: plotting.Change{Window: window(time.Hour)}})
	}, func(cfg *Config) { cfg.MaxSubscriptions = 3 })
}

func TestMaxViews(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", func(c *Chart) {
			c.Spec.Refresh = 0
			c.Callback = func(_ context.Context, call *Call) error { return call.SetWindow(time.Hour) }
		})
		p, q, r := w.open(), w.open(), w.open()
		v := p.sub(wire.Sub{Events: true})
		q.sub(wire.Sub{View: plotting.Change{Window: window(time.Second)}})
		r.sub(wire.Sub{})
		for _, m := range []wire.ClientMessage{
			wire.Sub{ID: "2", Chart: "cpu", View: plotting.Change{Window: window(time.Hour)}},
			wire.Set{ID: "3", V: v, View: plotting.Change{Window: window(time.Hour)}},
			wire.Callback{ID: "4", V: v},
		} {
			p.say(m)
		}
		synctest.Wait()
		equal(t, p.took(), "error:2:overloaded error:3:overloaded BeforeCallback@4 AfterCallback@4 error:4:overloaded BeforeCallbackResponseProcess@4 AfterCallbackResponseProcess@4")
		refusedBy(t, w, limitViews, 3)
		// The subscription is as it was.
		time.Sleep(100 * time.Millisecond)
		p.say(wire.Resync{V: v})
		synctest.Wait()
		equal(t, p.took(), "full")
		// A view that lingers gives way.
		q.drop()
		p.say(wire.Set{ID: "5", V: v, View: plotting.Change{Window: window(time.Hour)}})
		synctest.Wait()
		equal(t, p.took(), "ok:5 full")
		// So does the view that the subscription leaves, if nobody else watches it.
		p.say(wire.Set{ID: "6", V: p.v(), View: plotting.Change{Window: window(2 * time.Hour)}})
		synctest.Wait()
		equal(t, p.took(), "ok:6 full")
		r.say(wire.Callback{ID: "7", V: v})
		synctest.Wait()
		equal(t, r.took(), "ok:7 full")
		after(time.Minute)
		if n := w.pool.Views(); n != 2 {
			t.Errorf("%d views", n)
		}
	}, func(cfg *Config) { cfg.MaxViews = 2 })
}

func TestMaxSessions(t *testing.T) {
	inBubble(t, func(w *world) {
		var pages []*page
		for range 3 {
			pages = append(pages, w.open())
		}
		p := w.connect("")
		p.say(wire.Hello{})
		synctest.Wait()
		if how := p.closing(); how == nil || how.Code != wire.CloseOverloaded || !strings.Contains(how.Reason, "session.max_sessions") {
			t.Errorf("closed with %v", how)
		}
		refusedBy(t, w, limitSessions, 1)
		// Those who wait to be resumed give way, the longest waiting first.
		pages[1].drop()
		after(time.Second)
		pages[0].drop()
		w.open()
		q := w.connect("")
		q.say(wire.Hello{Session: pages[0].token})
		synctest.Wait()
		equal(t, q.took(), "resumed")
		if w.Stats().Sessions != 3 {
			t.Errorf("%+v", w.Stats())
		}
	}, func(cfg *Config) { cfg.MaxSessions = 3 })
}

func TestMaxSessionsPerAddress(t *testing.T) {
	inBubble(t, func(w *world) {
		greeted := func(from, token string) *page {
			p := w.connect(from)
			p.say(wire.Hello{Session: token})
			synctest.Wait()
			return p
		}
		a1, a2 := greeted("a", ""), greeted("a", "")
		refused := greeted("a", "")
		if how := refused.closing(); how == nil || how.Code != wire.CloseOverloaded || !strings.Contains(how.Reason, "max_sessions_per_address") {
			t.Errorf("closed with %v", how)
		}
		refusedBy(t, w, limitAddress, 1)
		b := greeted("b", "")
		equal(t, b.took(), "welcome")
		a1.drop()
		equal(t, greeted("a", "").took(), "welcome") // a1 gave way
		lost := greeted("b", a1.token)
		equal(t, lost.took(), "welcome") // b's second
		a2.drop()
		// A phone that changed its network takes its session along, full or not.
		moved := greeted("b", a2.token)
		equal(t, moved.took(), "resumed")
		equal(t, greeted("a", "").took(), "welcome")
		if got := moved.client.session.Peer().Address; got != "b" {
			t.Errorf("the session is at %q", got)
		}
	}, func(cfg *Config) { cfg.MaxSessionsPerAddress = 2 })
}

func TestCallbackRate(t *testing.T) {
	inBubble(t, func(w *world) {
		w.with("cpu", func(c *Chart) { c.Spec.Refresh = 0 })
		p, q := w.open(), w.open()
		v := p.sub(wire.Sub{})
		q.sub(wire.Sub{})
		count := func() (ok, limited int) {
			for word := range strings.FieldsSeq(p.took()) {
				switch word {
				case "ok:2(unhandled)":
					ok++
				case "error:2:rate_limited":
					limited++
				}
			}
			return ok, limited
		}
		for range 8 {
			p.say(wire.Callback{ID: "2", V: v})
			synctest.Wait()
		}
		if ok, limited := count(); ok != 5 || limited != 3 {
			t.Errorf("at once: %d and %d", ok, limited)
		}
		refusedBy(t, w, limitRate, 3)
		q.say(wire.Callback{ID: "2", V: v})
		synctest.Wait()
		equal(t, q.took(), "ok:2(unhandled)")
		for range 20 {
			after(100 * time.Millisecond)
			p.say(wire.Callback{ID: "2", V: v})
		}
		synctest.Wait()
		if ok, limited := count(); ok != 10 || limited != 10 {
			t.Errorf("in two seconds: %d and %d", ok, limited)
		}
	}, func(cfg *Config) { cfg.CallbacksPerSecond = 5 })
}

// Callbacks run one at a time; 16 wait; the next is busy.
func TestCallbacksWait(t *testing.T) {
	inBubble(t, func(w *world) {
		running, most := 0, 0
		order := []string{}
		w.with("cpu", func(c *Chart) {
			c.Spec.Refresh = 0
			c.Callback = func(_ context.Context, call *Call) error {
				running++
				most = max(most, running)
				time.Sleep(100 * time.Millisecond)
				running--
				order = append(order, call.ArgString())
				return nil
			}
		})
		p := w.open()
		v := p.sub(wire.Sub{})
		for i := range 19 {
			p.say(wire.Callback{ID: wire.ID(fmt.Sprint(i)), V: v, Arg: fmt.Appendf(nil, "%d", i)})
		}
		synctest.Wait()
		equal(t, p.took(), "error:17:busy error:18:busy")
		refusedBy(t, w, limitWaiting, 2)
		after(2 * time.Second)
		if most != 1 {
			t.Errorf("%d callbacks of one session ran at once", most)
		}
		equal(t, strings.Join(order, " "), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16")
	})
}

// A handler that never returns costs its session one goroutine, however often
// it is called, and other sessions nothing.
func TestHungHandlerIsNotCalledAgain(t *testing.T) {
	inBubble(t, func(w *world) {
		hang := make(chan struct{})
		calls := 0
		w.with("cpu", func(c *Chart) {
			c.Spec.Refresh = 0
			c.Callback = func(_ context.Context, call *Call) error {
				if call.ArgString() == "hang" {
					calls++
					<-hang
					if !errors.Is(call.SetTitle("late"), ErrOver) || !errors.Is(call.AppendNow("m", nil, 1), ErrOver) || !errors.Is(call.Reply(1), ErrOver) {
						t.Error("a handler that overran still changes things")
					}
				}
				return nil
			}
		})
		p, q := w.open(), w.open()
		v := p.sub(wire.Sub{})
		q.sub(wire.Sub{})
		p.say(wire.Callback{ID: "2", V: v, Arg: []byte(`"hang"`)}, wire.Callback{ID: "3", V: v, Arg: []byte(`"hang"`)})
		after(time.Second)
		equal(t, p.took(), "error:2:callback_timeout patch")
		after(time.Second)
		equal(t, p.took(), "error:3:busy")
		if calls != 1 || w.metric("chartd_callbacks_overrunning") != 1 {
			t.Errorf("%d calls, %v overrunning", calls, w.metric("chartd_callbacks_overrunning"))
		}
		q.say(wire.Callback{ID: "4", V: v})
		after(time.Second)
		equal(t, q.took(), "patch ok:4 patch")
		p.say(wire.Callback{ID: "5", V: v})
		after(500 * time.Millisecond)
		close(hang)
		after(0)
		equal(t, p.took(), "patch ok:5 patch")
		if n := w.metric("chartd_callbacks_overrunning"); n != 0 {
			t.Errorf("%v overrunning", n)
		}
		if n := w.metric("chartd_callbacks_total", "result", "timeout", "cause", "client"); n != 1 {
			t.Errorf("%v timeouts counted", n)
		}
	}, func(cfg *Config) { cfg.CallbackTimeout = quantity.Duration(time.Second) })
}

func TestBucket(t *testing.T) {
	now := time.Now()
	var b bucket
	for i, step := range []struct {
		wait time.Duration
		want bool
	}{{0, true}, {0, true}, {0, false}, {499 * time.Millisecond, false}, {time.Millisecond, true}, {time.Hour, true}, {0, true}, {0, false}} {
		now = now.Add(step.wait)
		if got := b.take(now, 2, 2); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

// Who comes back as late as it was told may pass, and not much earlier.
func TestBucketSaysWhen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := float64(rapid.IntRange(1, 5000).Draw(t, "rate")) / float64(rapid.SampledFrom([]int{1, 60}).Draw(t, "per"))
		burst := float64(rapid.IntRange(1, 100).Draw(t, "burst"))
		now := time.Now()
		var b bucket
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "apart")) * time.Millisecond)
			if b.take(now, rate, burst) {
				continue
			}
			wait := b.wait(rate).Std()
			if early := b; early.take(now.Add(wait-2*time.Millisecond), rate, burst) {
				t.Fatalf("told to wait %v, which is too long", wait)
			}
			if at := b; !at.take(now.Add(wait), rate, burst) {
				t.Fatalf("told to wait %v, and refused then", wait)
			}
		}
	})
}
