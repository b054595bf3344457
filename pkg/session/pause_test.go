package session

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// TestPauseAndResume pauses a view of each kind for a few ticks and for many,
// with somebody else watching or nobody, while samples come late, out of order
// and with gaps: what it is sent when it resumes, patches where they are still
// held, leads it to the frame that the server has.
func TestPauseAndResume(t *testing.T) {
	const few, many = 3, wire.Keep + 4
	for _, kind := range append(plotting.Kinds(), stacked) {
		for _, c := range []struct {
			name    string
			seconds int
			others  bool // another session watches all the time
			change  plotting.Change
			want    string
		}{
			{"not at all", 0, false, plotting.Change{}, ""},
			{"shortly", few, true, plotting.Change{}, " patches"},
			{"long", many, true, plotting.Change{}, " full"},
			{"alone", few, false, plotting.Change{}, " patches"},
			{"until its loop is gone", 60, false, plotting.Change{}, " full"},
			{"and goes on elsewhere", few, true, plotting.Change{Window: window(20 * time.Second)}, " full"},
		} {
			t.Run(fmt.Sprint(kind, " ", c.name), func(t *testing.T) {
				inBubble(t, func(w *world) {
					w.with("cpu", func(ch *Chart) {
						ch.drawnAs(kind)
						ch.Spec.Refresh, ch.Spec.Y.Min, ch.Spec.Y.Max = quantity.Duration(time.Second), new(0.0), new(100.0)
					})
					n := 0
					second := func() {
						n++
						for i, v := range []float64{30 + 20*math.Sin(float64(n)), 5, 1} {
							if n%6 == i+2 {
								v = math.NaN()
							}
							at := time.Now().UnixMilli()
							if n%4 == 3 {
								at -= 1300 // not in order
							}
							if err := w.store.Append("m", store.LabelsOf(map[string]string{"mode": fmt.Sprint(i)}), at, v+float64(n%7)); err != nil {
								t.Fatal(err)
							}
						}
						after(time.Second)
					}
					for range 10 {
						second()
					}
					if c.others {
						w.open().sub(wire.Sub{})
					}
					p := w.open()
					v := p.sub(wire.Sub{})
					second()
					second()
					p.took()
					p.say(wire.Set{ID: "2", V: v, View: plotting.Change{Paused: new(true)}})
					for range c.seconds {
						second()
					}
					equal(t, p.took(), "ok:2")
					c.change.Paused = new(false)
					p.say(wire.Set{ID: "3", V: v, View: c.change})
					after(0)
					got := p.took()
					if patches := strings.Count(got, " patch"); patches > 1 { // a tick may bring nothing new
						got = strings.ReplaceAll(got, strings.Repeat(" patch", patches), " patches")
					}
					equal(t, got, "ok:3"+c.want)
					second()
					equal(t, p.took(), "patch")
					var key ticker.Key
					p.client.ops.wait(func() { s := p.client.subs[p.v()]; key = ticker.Key{View: s.view, ID: s.id} })
					tr := w.truth(key)
					after(0)
					equal(t, p.svg(p.v()), tr.svg())
					tr.lease.Release(true)
				})
			})
		}
	}
}
