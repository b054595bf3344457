package session

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// TestWhateverHappens draws random sequences of what clients, the network, the
// clock and the configuration do, and holds that in the end every client shows,
// of every view it watches, the very frame that the server has.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var failed string
		// The draws come first: the bubble has a T of its own.
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 5, 60).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) { failed = live(t, steps) })
		if failed != "" {
			rt.Fatal(failed)
		}
	})
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
			"time", "time", "time", "data", "sub", "sub", "set", "set", "unsub", "resync", "callback", "callback", "pause", "cut", "cut", "stick", "release", "reload",
		}).Draw(t, "what"),
		Client: rapid.IntRange(0, 2).Draw(t, "client"),
		View:   rapid.IntRange(0, 3).Draw(t, "view"),
		N:      rapid.IntRange(0, 12).Draw(t, "n"),
	}
}

// change returns one of a few views, so that clients often share one.
func (s step) change() plotting.Change {
	return []plotting.Change{
		{Reset: true},
		{Window: window(30 * time.Second)},
		{Title: new("other"), Window: window(10 * time.Minute)},
		{Hidden: &[]string{"m"}, Size: &[2]int{400, 300}},
	}[s.View]
}

// actor is a client that keeps what PROTOCOL.md says a client keeps.
type actor struct {
	*page
	view    map[string]plotting.Change // of each v, as ok said
	release func()
}

// live carries out the steps and returns what is wrong at the end.
func live(t *testing.T, steps []step) (wrong string) {
	w := newWorld(t)
	defer w.close()
	var count atomic.Int64
	chart := func(c *Chart) {
		c.Spec.Refresh = quantity.Duration(500 * time.Millisecond)
		c.Spec.Title = fmt.Sprint("title ", count.Load())
		c.Callback = func(_ context.Context, call *Call) error {
			n := count.Add(1)
			if err := call.AppendNow("m", nil, float64(n%7)); err != nil {
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
			_ = w.store.Append("m", nil, time.Now().UnixMilli(), float64(s.N))
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
		case "cut":
			a.release()
			a.release = func() {}
			a.comeBack(i, time.Duration(s.N)*time.Second)
		case "stick":
			a.release()
			a.release = a.stick()
		case "release":
			a.release()
			a.release = func() {}
		case "reload":
			count.Add(1)
			w.with("cpu", chart)
		}
		if s.N%4 == 0 {
			synctest.Wait()
		}
	}
	for _, a := range actors {
		a.release()
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

// compare returns what is wrong with what the client shows.
func (a *actor) compare() (wrong string) {
	type watched struct {
		v   string
		key ticker.Key
	}
	var all []watched
	a.client.ops.wait(func() {
		for v, s := range a.client.subs {
			all = append(all, watched{v, ticker.Key{View: s.view, ID: s.id}})
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
