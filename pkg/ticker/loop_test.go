package ticker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

const (
	evBefore  = "BeforeCallback"
	evAfter   = "AfterCallback"
	evBegin   = "BeforeCallbackResponseProcess"
	evEnd     = "AfterCallbackResponseProcess"
	secondish = quantity.Duration(time.Second)
)

// refresh makes a chart's Refresh of a function that returns an Outcome.
func refresh(fn func(ctx context.Context) Outcome) func(context.Context, plotting.View, plotting.View) Outcome {
	return func(ctx context.Context, _, _ plotting.View) Outcome { return fn(ctx) }
}

func TestOrderOfATick(t *testing.T) {
	for _, c := range []struct {
		name    string
		outcome *Outcome // nil: no callback
		want    []string
	}{
		{"no callback", nil, []string{evBefore, evAfter, evBegin, "patch", evEnd}},
		{"callback", &Outcome{Elapsed: time.Millisecond}, []string{evBefore, evAfter, evBegin, "patch", evEnd}},
		{"error", &Outcome{Failure: "broken"}, []string{evBefore, evAfter + "!broken", evBegin, "patch", evEnd}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Config{})
				defer b.close()
				if c.outcome != nil {
					b.with(func(ch *Chart) { ch.Refresh = refresh(func(context.Context) Outcome { return *c.outcome }) })
				}
				_, deaf := b.watch(b.view(60), false)
				l, s := b.watch(b.view(60), true)
				after(0)
				equal(t, s.took(), []string{"full"})
				after(time.Second)
				equal(t, s.took(), c.want)
				equal(t, deaf.took(), []string{"full", "patch"})
				l.Events(false)
				after(time.Second)
				equal(t, s.took(), []string{"patch"})
				s.shows()
			})
		})
	}
}

func TestEventsComeEvenIfNothingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		b.face = func(c *clockface) { c.text = func(int64) string { return "still" } }
		_, s := b.watch(b.view(60), true)
		_, deaf := b.watch(b.view(60), false)
		after(time.Second)
		equal(t, s.took(), []string{"full", evBefore, evAfter, evBegin, evEnd})
		equal(t, deaf.took(), []string{"full"})
	})
}

func TestSlowCallbackSkipsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		calls := 0
		b.with(func(c *Chart) {
			c.Refresh = refresh(func(context.Context) Outcome {
				calls++
				time.Sleep(2500 * time.Millisecond)
				return Outcome{Elapsed: 2500 * time.Millisecond}
			})
		})
		_, s := b.watch(b.view(60), true)
		after(0)
		s.took()
		after(10 * time.Second)
		if calls != 4 {
			t.Errorf("%d calls of 2.5 s in 10 s of ticks, want 4", calls)
		}
		if n := b.counter("chartd_skipped_ticks_total", "reason", "busy"); n != 6 {
			t.Errorf("%v ticks counted busy, want 6", n)
		}
		frames := 0
		for _, e := range s.took() {
			if e == "patch" {
				frames++
			}
		}
		if frames < 9 {
			t.Errorf("%d frames in 10 s beside a slow callback", frames)
		}
		s.shows()
	})
}

// A callback that overran is over for the tick, but its view's callback is not
// run again before it returned.
func TestOverrunKeepsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		hung := make(chan struct{})
		calls := 0
		b.with(func(c *Chart) {
			c.Refresh = refresh(func(context.Context) Outcome {
				calls++
				if calls == 1 {
					return Outcome{Failure: "too slow", Offered: func() { <-hung }}
				}
				return Outcome{}
			})
		})
		_, s := b.watch(b.view(60), true)
		after(time.Second)
		equal(t, s.took(), []string{"full", evBefore, evAfter + "!too slow", evBegin, "patch", evEnd})
		after(3 * time.Second)
		equal(t, s.took(), []string{"patch", "patch", "patch"})
		close(hung)
		after(time.Second)
		equal(t, s.took(), []string{evBefore, evAfter, evBegin, "patch", evEnd})
	})
}

func TestCloseTellsWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		hung := make(chan struct{})
		b.with(func(c *Chart) {
			c.Refresh = refresh(func(context.Context) Outcome { return Outcome{Offered: func() { <-hung }} })
		})
		b.watch(b.view(60), false)
		after(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := b.Close(ctx)
		if err == nil || !strings.HasPrefix(err.Error(), "1 loops and callbacks") || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		close(hung)
		b.close()
	})
}

func TestCloseCancelsCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		offered := false
		b.with(func(c *Chart) {
			c.Refresh = refresh(func(ctx context.Context) Outcome {
				<-ctx.Done()
				return Outcome{Offered: func() { offered = true }}
			})
		})
		b.watch(b.view(60), false)
		after(time.Second)
		b.close()
		if !offered {
			t.Error("Offered was not called")
		}
	})
}

func TestTickOverlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		hour, fast := quantity.Duration(time.Hour), quantity.Duration(250*time.Millisecond)
		steps := []plotting.Change{{Window: &hour}, {Refresh: &fast}, {Reset: true}, {}}
		var bases, views []plotting.View
		b.with(func(c *Chart) {
			c.Refresh = func(_ context.Context, v, base plotting.View) Outcome {
				bases, views = append(bases, base), append(views, v)
				return Outcome{Change: steps[min(len(views), len(steps))-1]}
			}
		})
		key := b.view(60)
		_, s := b.watch(key, false)
		after(10 * time.Second)
		s.shows()
		long := key
		long.Window = hour
		quick := long
		quick.Refresh = fast
		for i, want := range []plotting.View{key, long, quick, key, key} {
			if bases[i] != key || views[i] != want {
				t.Errorf("tick %d: view %+v over %+v, want %+v", i, views[i], bases[i], want)
			}
		}
		if gap := s.at[3].Sub(s.at[2]); gap > fast.Std() {
			t.Errorf("with a refresh of %v the next frame came after %v", fast, gap)
		}
		if s.mirror.Pos().E != "e1" {
			t.Error("an overlay made a new renderer")
		}
	})
}

// A tick that shares its change lays it over every view of the chart.
func TestTickSharesItsChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		hour := quantity.Duration(time.Hour)
		once := false
		b.with(func(c *Chart) {
			c.Refresh = refresh(func(context.Context) Outcome {
				if once {
					return Outcome{}
				}
				once = true
				return Outcome{Shared: true, Change: plotting.Change{Window: &hour}}
			})
		})
		_, s := b.watch(b.view(60), true)
		never := b.view(120)
		never.Refresh = 0
		_, other := b.watch(never, false)
		after(time.Second)
		equal(t, s.took(), []string{"full", evBefore, evAfter, evBegin, "patch", evEnd})
		equal(t, other.took(), []string{"full", "patch"})
		for _, s := range []*spy{s, other} {
			s.shows()
			if svg := string(s.mirror.SVG()); !strings.Contains(svg, " "+hour.String()+"<") {
				t.Errorf("the window is not shared: %s", svg[:120])
			}
		}
	})
}

func TestRefreshChangesTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		fast, never := quantity.Duration(100*time.Millisecond), quantity.Duration(0)
		l, s := b.watch(b.view(60), false)
		after(1500 * time.Millisecond)
		s.took()
		b.Share("cpu", plotting.Change{Refresh: &fast}, l, nil)
		after(time.Second)
		if n := len(s.took()); n < 10 || n > 12 {
			t.Errorf("%d frames in a second at 100 ms", n)
		}
		b.Share("cpu", plotting.Change{Refresh: &never}, l, nil)
		after(0)
		s.took()
		after(time.Hour)
		if got := s.took(); len(got) != 0 {
			t.Errorf("%d frames in an hour without a refresh", len(got))
		}
		l.Push(Push{})
		after(0)
		equal(t, s.took(), []string{"patch"})
	})
}

func TestRefreshZeroDrawsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		calls := 0
		b.with(func(c *Chart) { c.Refresh = refresh(func(context.Context) Outcome { calls++; return Outcome{} }) })
		v := b.view(60)
		v.Refresh = 0
		_, s := b.watch(v, true)
		after(time.Hour)
		equal(t, s.took(), []string{"full"})
		if calls != 0 {
			t.Error("a view without refresh ticks")
		}
	})
}

// A long refresh does not keep the first callback waiting.
func TestLongRefreshTicksSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		var calls atomic.Int64
		b.with(func(c *Chart) { c.Refresh = refresh(func(context.Context) Outcome { calls.Add(1); return Outcome{} }) })
		v := b.view(60)
		v.Refresh = quantity.Duration(time.Hour)
		b.watch(v, false)
		after(time.Second)
		if n := calls.Load(); n != 1 {
			t.Errorf("%d callbacks in the first second", n)
		}
		after(10 * time.Hour)
		if n := calls.Load(); n < 10 || n > 12 {
			t.Errorf("%d callbacks in ten hours", n)
		}
	})
}

func TestLateTicksAreSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		b.face = func(c *clockface) { c.slow = 2200 * time.Millisecond }
		_, s := b.watch(b.view(60), false)
		after(22 * time.Second)
		renders, late := b.counter("chartd_renders_total"), b.counter("chartd_skipped_ticks_total", "reason", "late")
		if renders != 10 && renders != 9 {
			t.Errorf("%v renders of 2.2 s in 22 s", renders)
		}
		if ticks := b.counter("chartd_ticks_total"); ticks+late < 20 || ticks+late > 23 {
			t.Errorf("%v ticks run and %v late in 22 s at one a second", ticks, late)
		}
		s.shows()
	})
}

func TestPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		event := func(n wire.EventName) *wire.Message {
			return wire.Encode(wire.Event{V: b.view(60).ID(), Name: n, Cause: wire.CauseClient, ID: "1"})
		}
		push := func(offered *int) *Push {
			return &Push{
				Before: []*wire.Message{event(wire.BeforeCallbackResponseProcess)}, After: []*wire.Message{event(wire.AfterCallbackResponseProcess)},
				Offered: func() { *offered++ },
			}
		}
		answered := 0
		// The first watcher comes with a push: its first frame stands between.
		caller := newSpy(t, b.view(60).ID())
		lc := b.acquire(b.view(60))
		lc.Watch(caller, false, push(&answered))
		_, other := b.watch(b.view(60), true)
		after(0)
		equal(t, caller.took(), []string{evBegin + "@client", "full", evEnd + "@client"})
		equal(t, other.took(), []string{"full"})

		time.Sleep(time.Millisecond)
		renders := b.counter("chartd_renders_total")
		for range 3 {
			lc.Push(*push(&answered))
		}
		synctest.Wait()
		equal(t, caller.took(), []string{
			evBegin + "@client", "patch", evEnd + "@client",
			evBegin + "@client", evEnd + "@client", // nothing changed within the ms
			evBegin + "@client", evEnd + "@client",
		})
		equal(t, other.took(), []string{"patch"}) // a client's events are its own
		if answered != 4 {
			t.Errorf("%d of 4 pushes were answered", answered)
		}
		if n := b.counter("chartd_renders_total") - renders; n != 3 {
			t.Errorf("%v renders", n)
		}
		caller.shows()
		other.shows()
	})
}

// Pushes of many watchers that come together are one render.
func TestPushesAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		b.face = func(c *clockface) { c.slow = 10 * time.Millisecond }
		var leases []*Lease
		for range 50 {
			l, _ := b.watch(b.view(60), false)
			leases = append(leases, l)
		}
		after(20 * time.Millisecond)
		renders := b.counter("chartd_renders_total")
		offered := 0
		for _, l := range leases {
			l.Push(Push{Offered: func() { offered++ }})
		}
		after(50 * time.Millisecond)
		if offered != 50 {
			t.Errorf("%d answered", offered)
		}
		if n := b.counter("chartd_renders_total") - renders; n > 3 {
			t.Errorf("%v renders for 50 pushes at once", n)
		}
	})
}

func TestResend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		l, s := b.watch(b.view(60), false)
		_, other := b.watch(b.view(60), false)
		after(0)
		s.took()
		other.took()
		s.mirror = wire.NewMirror(b.view(60).ID())
		l.Resend()
		after(0)
		equal(t, s.took(), []string{"full"})
		equal(t, other.took(), nil)
		if b.counter("chartd_renders_total") != 1 {
			t.Error("a resend is no render")
		}
	})
}

func TestRenderFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func()
	}{
		{"error", func() {}},
		{"panic", func() { panic("the pen exploded") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Config{})
				defer b.close()
				var well atomic.Bool
				b.face = func(f *clockface) {
					f.fail = func(int64) error {
						if well.Load() {
							return nil
						}
						c.fail()
						return errBroken
					}
				}
				_, s := b.watch(b.view(60), false)
				after(10 * time.Second)
				equal(t, s.took(), []string{"render_failed"})
				_, late := b.watch(b.view(60), true)
				after(0)
				equal(t, late.took(), []string{"render_failed"})
				if n := b.logs.Len(); n != 1 {
					t.Errorf("%d log lines in 10 s of failures", n)
				}
				if n := b.counter("chartd_render_errors_total"); n < 11 {
					t.Errorf("%v failures counted", n)
				}
				after(time.Minute)
				if n := b.logs.Len(); n != 2 {
					t.Errorf("%d log lines in 70 s of failures", n)
				}
				well.Store(true)
				after(time.Second)
				equal(t, s.took(), []string{"full"})
				if got := fmt.Sprint(late.took()); !strings.Contains(got, "full") {
					t.Errorf("got %v", got)
				}
				after(time.Second)
				well.Store(false)
				after(time.Second)
				if got := s.took(); got[len(got)-1] != "render_failed" {
					t.Errorf("got %v", got)
				}
				s.shows()
			})
		})
	}
}

// An overlay that a reload made impossible is dropped, and said so.
func TestOverlayThatFitsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		b.with(func(c *Chart) {
			c.Refresh = refresh(func(context.Context) Outcome {
				return Outcome{Change: plotting.Change{Vars: map[string]string{"nope": "x"}}}
			})
		})
		_, s := b.watch(b.view(60), false)
		after(time.Second)
		equal(t, s.took(), []string{"full", "patch"})
		if b.logs.Len() == 0 {
			t.Error("nothing logged")
		}
	})
}

func TestMerge(t *testing.T) {
	d := func(n int64) *quantity.Duration { v := quantity.Duration(n * 1e9); return &v }
	at := func(n int64) *int64 { return &n }
	spec := plotting.DefaultSpec()
	spec.Vars = map[string]plotting.Var{"host": {Default: "a"}, "disk": {Default: "b"}}
	title := "t"
	changes := []plotting.Change{
		{},
		{Window: d(60)},
		{From: at(1000), To: at(2000)},
		{Replay: &plotting.Replay{At: 7000}},
		{Replay: &plotting.Replay{}},
		{Window: d(80), Replay: &plotting.Replay{At: 9000, Since: 1, Speed: 2}},
		{Window: d(90), From: at(5), To: at(9000)},
		{To: at(5000), From: at(4000), Title: &title},
		{Vars: map[string]string{"host": "x"}},
		{Vars: map[string]string{"disk": "y"}, Hidden: &[]string{"idle"}},
		{Reset: true},
		{Reset: true, Window: d(30)},
		{Thresholds: &[]plotting.Threshold{{At: 1}}, Marks: &[]plotting.Mark{{T: 1, Text: "m"}}, Size: &[2]int{100, 100}, Refresh: d(5)},
	}
	for i, a := range changes {
		for j, b := range changes {
			start := spec.View("cpu")
			start.Window = *d(77)
			one, err := spec.Change(start, a)
			if err != nil {
				t.Fatal(err)
			}
			want, err := spec.Change(one, b)
			if err != nil {
				t.Fatal(err)
			}
			got, err := spec.Change(start, Merge(a, b))
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("merge of %d and %d: got %+v, want %+v", i, j, got, want)
			}
		}
	}
	if len(changes[8].Vars) != 1 {
		t.Error("Merge changed its argument")
	}
}
