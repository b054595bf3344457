package session

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

// TestALinkShowsNoMore draws random sequences of what the holder of a link asks,
// what others do to the chart, and how the configuration changes, and holds that
// at no time the holder watches anything that the link does not show.
func TestALinkShowsNoMore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var failed string
		shared := rapid.Bool().Draw(rt, "shared")
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) reach {
			return reach{
				What: rapid.SampledFrom([]string{"sub", "sub", "set", "set", "set", "other", "other", "callback", "reload", "renew", "time"}).Draw(t, "what"),
				N:    rapid.IntRange(0, 63).Draw(t, "n"),
			}
		}), 5, 40).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) { failed = reachFor(t, shared, steps) })
		if failed != "" {
			rt.Fatal(failed)
		}
	})
}

// reach is one thing that happens.
type reach struct {
	What string
	N    int
}

// changes are what is asked for, within what the link shows and beyond.
func (r reach) change() plotting.Change {
	now := time.Now()
	at := func(ago time.Duration) *int64 { return new(now.Add(-ago).UnixMilli()) }
	c := []plotting.Change{
		{},
		{Window: window(time.Minute)},
		{Window: window(3 * time.Minute)},
		{Window: window(0)},
		{From: at(90 * time.Second), To: at(30 * time.Second)},
		{From: at(time.Hour), To: at(30 * time.Minute)},
		{From: at(time.Hour), To: at(0)},
		{From: new(int64), To: new(int64)},
	}[r.N%8]
	if host := []string{"", "a", "b", "c"}[r.N/8%4]; host != "" {
		c.Vars = map[string]string{"host": host}
	}
	c.Reset = r.N >= 32
	return c
}

// reachFor plays the steps and says when the link showed too much.
func reachFor(t *testing.T, shared bool, steps []reach) (failed string) {
	w := newWorld(t)
	defer w.close()
	n := 0
	chart := func(c *Chart) {
		if shared {
			c.Config.Scope = ScopeShared
		}
		c.Spec.Window = *window(time.Duration(1+n%5) * time.Minute)
		c.Spec.Vars = map[string]plotting.Var{"host": {Default: string("abc"[n%3])}}
		if n%7 == 6 {
			c.Spec.Vars, c.Spec.Title = nil, "CPU"
		}
		c.Callback = func(_ context.Context, call *Call) error {
			if call.Cause() != CauseClient {
				return nil
			}
			n, err := strconv.Atoi(call.ArgString())
			if err != nil {
				return err
			}
			return call.Set(reach{N: n}.change())
		}
	}
	w.with("cpu", chart)
	w.with("mem", chart)
	w.guard(nil)
	link := func() string {
		return w.sign(auth.Link{
			ID: "held", Expires: time.Now().Add(24 * time.Hour), MaxWindow: quantity.Duration(2 * time.Minute),
			View: plotting.Change{Vars: map[string]string{"host": "b"}},
		})
	}
	holder, other := w.enter(link()), w.enter(otherToken)
	other.say(wire.Sub{ID: "1", Chart: "cpu"})
	synctest.Wait()
	v := other.v()
	for i, s := range steps {
		switch s.What {
		case "sub":
			holder.say(wire.Sub{ID: "1", Chart: []string{"cpu", "cpu", "cpu", "mem"}[i%4], View: s.change()})
		case "set", "callback":
			for id := range holder.client.subs {
				if s.What == "set" {
					holder.say(wire.Set{ID: "2", V: id, View: s.change()})
				} else {
					holder.say(wire.Callback{ID: "2", V: id, Arg: []byte(strconv.Itoa(s.N))})
				}
				break
			}
		case "other":
			other.say(wire.Callback{ID: "3", V: v, Arg: []byte(strconv.Itoa(s.N))})
			synctest.Wait()
			v = other.v()
		case "reload":
			n = s.N
			w.with("cpu", chart)
		case "renew":
			holder.say(wire.Auth{ID: "4", Token: link()})
		case "time":
			after(time.Duration(s.N) * time.Second)
		}
		synctest.Wait()
		if holder.closing() != nil {
			return fmt.Sprintf("step %d, %+v: closed with %v", i, s, holder.closing())
		}
		for _, sub := range holder.client.subs {
			shown := w.Shared(sub.view)
			// A range that was good when it was chosen may have grown older.
			if shown.From != 0 {
				shown.From, shown.To = max(shown.From, time.Now().Add(-2*time.Minute).UnixMilli()), max(shown.To, time.Now().Add(-time.Minute).UnixMilli())
			}
			if err := holder.client.grant.Fit(sub.spec, shown, time.Now()); err != nil || sub.view.Chart != "cpu" {
				return fmt.Sprintf("step %d, %+v: %s shows too much: %v", i, s, sub.id, err)
			}
		}
	}
	return ""
}
