package session

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// TestWhateverHappens draws random sequences of what clients, the network, the
// clock, the data and the configuration do, with a chart of each kind, and holds
// that every client shows, of every view it watches, the very frame that the
// server has: at the end, and whenever it is asked in between, views that are
// paused and clients that are stuck aside.
func TestWhateverHappens(t *testing.T) {
	for _, kind := range append(plotting.Kinds(), stacked) {
		t.Run(string(kind), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				var failed string
				// The draws come first: the bubble has a T of its own.
				steps := rapid.SliceOfN(rapid.Custom(drawStep), 5, 60).Draw(rt, "steps")
				synctest.Test(t, func(t *testing.T) { failed = live(t, kind, steps) })
				if failed != "" {
					rt.Fatal(failed)
				}
			})
		})
	}
}

// stacked is no kind, but a way of drawing areas.
const stacked plotting.Kind = "stacked"

// drawnAs makes the chart one of a kind, of all series there are.
func (c *Chart) drawnAs(kind plotting.Kind) {
	c.Spec.Kind = kind
	if kind == stacked {
		c.Spec.Kind, c.Spec.Stack = plotting.Area, true
	}
	c.Spec.Gap = quantity.Duration(20 * time.Second)
	c.Spec.Series = []plotting.SeriesSpec{{Metric: "m", Name: "{mode}"}}
}

// step is one thing that happens.
type step struct {
	What   string
	Client int
	View   int // which of the client's views, or which view to ask for
	N      int
}

func drawStep(t *rapid.T) step {
	return step{
		What: rapid.SampledFrom([]string{
			"time", "time", "time", "data", "data", "data", "sub", "sub", "set", "set", "unsub", "resync", "callback", "callback",
			"pause", "pause", "look", "cut", "cut", "stick", "release", "reload",
		}).Draw(t, "what"),
		Client: rapid.IntRange(0, 2).Draw(t, "client"),
		View:   rapid.IntRange(0, 5).Draw(t, "view"),
		N:      rapid.IntRange(0, 12).Draw(t, "n"),
	}
}

// change returns one of a few views, so that clients often share one.
func (s step) change() plotting.Change {
	return []plotting.Change{
		{Reset: true},
		{Window: window(30 * time.Second)},
		{Title: new("other"), Window: window(10 * time.Minute)},
		{Hidden: &[]string{"a"}},
		{Size: &[2]int{400, 300}},
		{Reset: true, From: new(bubbleStart - 30_000), To: new(bubbleStart + 60_000)},
	}[s.View]
}

// bubbleStart is when the clock of a synctest bubble begins, in ms.
var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// samples returns what comes of one series: in time, or late, out of order or
// from the future; a gap; or on another scale.
func (s step) samples(now int64) (labels store.Labels, samples []store.Sample) {
	labels = store.LabelsOf(map[string]string{"mode": string(rune('a' + s.Client))})
	v := float64(s.N)
	return labels, [][]store.Sample{
		{{T: now, V: v}},
		{{T: now - 100, V: v}, {T: now - 50, V: v + 1}, {T: now, V: v + 2}},
		{{T: now - 7000, V: v}},
		{{T: now, V: v}, {T: now - 15_000, V: -v}, {T: now - 3000, V: v / 3}},
		{{T: now, V: math.NaN()}, {T: now + 700, V: v}},
		{{T: now, V: v * 1000}},
	}[s.View]
}

// actor is a client that keeps what PROTOCOL.md says a client keeps.
type actor struct {
	*page
	view    map[string]plotting.Change // of each v, as ok said
	blocked bool
	release func()
}

// live carries out the steps and returns what is wrong.
func live(t *testing.T, kind plotting.Kind, steps []step) (wrong string) {
	w := newWorld(t)
	defer w.close()
	var count atomic.Int64
	chart := func(c *Chart) {
		c.drawnAs(kind)
		c.Spec.Refresh = quantity.Duration(500 * time.Millisecond)
		c.Spec.Title = fmt.Sprint("title ", count.Load())
		c.Callback = func(_ context.Context, call *Call) error {
			n := count.Add(1)
			if err := call.AppendNow("m", store.Labels{{Name: "mode", Value: "a"}}, float64(n%7)); err != nil {
				return err
			}
			switch {
			case call.Cause() == CauseTick && n%5 == 0:
				return call.SetTitle(fmt.Sprint("tick ", n))
			case call.ArgString() == "move":
				return call.SetWindow(time.Duration(n%3+1) * time.Minute)
			case call.ArgString() == "fail":
				return fmt.Errorf("no")
			}
			return nil
		}
	}
	w.with("cpu", chart)
	var actors []*actor
	for range 3 {
		a := &actor{page: w.open(), view: map[string]plotting.Change{}, release: func() {}}
		actors = append(actors, a)
	}
	for i, s := range steps {
		a := actors[s.Client]
		a.note()
		v := a.pick(s.View)
		switch s.What {
		case "time":
			after(time.Duration(s.N*s.N) * 100 * time.Millisecond)
		case "data":
			labels, samples := s.samples(time.Now().UnixMilli())
			for _, x := range samples {
				if err := w.store.Append("m", labels, x.T, x.V); err != nil {
					return err.Error()
				}
			}
		case "sub":
			a.say(wire.Sub{ID: "1", Chart: "cpu", View: s.change(), Events: s.N%2 == 0})
		case "set":
			a.say(wire.Set{ID: "1", V: v, View: s.change()})
		case "unsub":
			a.say(wire.Unsub{ID: "u", V: v})
		case "resync":
			a.say(wire.Resync{V: v})
		case "callback":
			a.say(wire.Callback{ID: "1", V: v, Arg: []byte([]string{`"move"`, `"fail"`, `"x"`}[s.N%3])})
		case "pause":
			a.say(wire.Set{ID: "1", V: v, View: plotting.Change{Paused: new(s.N%2 == 0)}})
		case "look":
			if err := w.pool.Flush(t.Context()); err != nil {
				return err.Error()
			}
			synctest.Wait()
			for i, a := range actors {
				if a.blocked || a.closing() != nil {
					continue
				}
				if wrong := a.compare(); wrong != "" {
					return fmt.Sprintf("client %d, after a %s: %s", i, s.What, wrong)
				}
			}
		case "cut":
			a.free()
			a.comeBack(i, time.Duration(s.N)*time.Second)
		case "stick":
			a.free()
			a.blocked, a.release = true, a.stick()
		case "release":
			a.free()
		case "reload":
			count.Add(1)
			w.with("cpu", chart)
		}
		if s.N%4 == 0 {
			synctest.Wait()
		}
	}
	for _, a := range actors {
		a.free()
	}
	synctest.Wait()
	// Nobody may be left closed, but for having been stuck too long.
	for i, a := range actors {
		if a.closing() != nil {
			a.comeBack(100+i, 0)
		}
	}
	// At the end everybody is awake, and the newest frame is on its way.
	for _, a := range actors {
		a.note()
		for v := range a.view {
			a.say(wire.Set{ID: "1", V: v, View: plotting.Change{Paused: new(false)}})
		}
	}
	after(2 * time.Second)
	if err := w.pool.Flush(t.Context()); err != nil {
		return err.Error()
	}
	synctest.Wait()
	for i, a := range actors {
		if wrong := a.compare(); wrong != "" {
			return fmt.Sprintf("client %d: %s", i, wrong)
		}
	}
	return ""
}

// free lets what is written arrive again.
func (a *actor) free() {
	a.release()
	a.blocked, a.release = false, func() {}
}

// note learns from what arrived which views there are.
func (a *actor) note() {
	synctest.Wait()
	a.client.ops.wait(func() {
		clear(a.view)
		for v, s := range a.client.subs {
			c := *s.ok("").View
			a.view[v] = c
		}
	})
	a.took()
}

// pick returns one of the client's views, "cpu~none" if it has none.
func (a *actor) pick(n int) string {
	best := "cpu~none"
	for v := range a.view {
		if best == "cpu~none" || (n%2 == 0) == (v < best) {
			best = v
		}
	}
	return best
}

// comeBack is a cut and a reconnect after a while, as PROTOCOL.md says.
func (a *actor) comeBack(id int, gone time.Duration) {
	if a.closing() == nil {
		a.note()
		a.drop()
	}
	after(gone)
	q := a.w.connect("")
	a.client, q.client.out.conn = q.client, a.page
	a.mu.Lock()
	a.closed, a.cut, a.stuck = nil, make(chan struct{}), nil
	a.mu.Unlock()
	a.say(wire.Hello{Session: a.token})
	for v, c := range a.view {
		pos := wire.Pos{}
		if a.mirrors[v] != nil {
			pos = a.pos(v)
		}
		a.say(wire.Sub{ID: wire.ID(fmt.Sprint(id)), Chart: "cpu", View: c, Pos: pos})
	}
	synctest.Wait()
}

// compare returns what is wrong with what the client shows, paused views aside.
func (a *actor) compare() (wrong string) {
	type watched struct {
		v   string
		key ticker.Key
	}
	var all []watched
	a.client.ops.wait(func() {
		for v, s := range a.client.subs {
			if !s.paused {
				all = append(all, watched{v, ticker.Key{View: s.view, ID: s.id}})
			}
		}
	})
	for _, x := range all {
		tr := a.w.truth(x.key)
		synctest.Wait()
		if got, want := a.svg(x.v), tr.svg(); got != want {
			wrong = fmt.Sprintf("%s shows\n%s\nthe server has\n%s", x.v, got, want)
		}
		tr.lease.Release(true)
	}
	return wrong
}
