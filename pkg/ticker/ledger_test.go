package ticker

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// updates returns n updates of one view, each a patch but the first.
func updates(t *testing.T, n int) (out []*wire.Update) {
	t.Helper()
	s := wire.NewStream("v")
	c := &clockface{epoch: "e"}
	for i := range n {
		f, err := c.Render(plotting.View{}, int64(i))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s.Next(f))
	}
	return out
}

func TestLedger(t *testing.T) {
	us := updates(t, 40)
	var l Ledger
	var a, b Tally
	now := time.Now()
	a.Full(us[0], wire.Pos{}) // a first frame: nobody was behind
	a.Bytes(1000)
	a.Settle(now, now.Add(3*time.Millisecond))
	for i := 1; i < 4; i++ {
		a.Patches(us[i], us[i-1].Pos(), 1)
		a.Bytes(50)
	}
	a.Settle(now, now.Add(20*time.Millisecond))
	b.Patches(us[5], us[3].Pos(), 2)
	b.Overtaken()
	b.Full(us[39], us[5].Pos())
	b.Settle(now, now.Add(time.Hour))
	b.Patches(us[39], us[38].Pos(), 1)
	b.Unsettle() // the connection took only a part,
	l.Add(&a)
	l.Add(&b)
	l.Add(&b)                         // which is empty now
	b.Late(now, now.Add(time.Second)) // and the rest later
	l.Add(&b)
	want := `
# HELP chartd_delivery_seconds Time from the making of a frame until a viewer's connection, that is the kernel, had taken all of it.
# TYPE chartd_delivery_seconds histogram
chartd_delivery_seconds_bucket{le="0.001"} 0
chartd_delivery_seconds_bucket{le="0.005"} 1
chartd_delivery_seconds_bucket{le="0.01"} 1
chartd_delivery_seconds_bucket{le="0.025"} 4
chartd_delivery_seconds_bucket{le="0.05"} 4
chartd_delivery_seconds_bucket{le="0.1"} 4
chartd_delivery_seconds_bucket{le="0.25"} 4
chartd_delivery_seconds_bucket{le="0.5"} 4
chartd_delivery_seconds_bucket{le="1"} 5
chartd_delivery_seconds_bucket{le="2.5"} 5
chartd_delivery_seconds_bucket{le="10"} 5
chartd_delivery_seconds_bucket{le="+Inf"} 7
chartd_delivery_seconds_sum 7201.063
chartd_delivery_seconds_count 7
# HELP chartd_delivery_steps By how many frames one delivery brought a viewer up to the newest: 1 is a viewer who was never more than one frame behind.
# TYPE chartd_delivery_steps histogram
chartd_delivery_steps_bucket{le="1"} 4
chartd_delivery_steps_bucket{le="2"} 5
chartd_delivery_steps_bucket{le="4"} 5
chartd_delivery_steps_bucket{le="8"} 5
chartd_delivery_steps_bucket{le="16"} 5
chartd_delivery_steps_bucket{le="64"} 6
chartd_delivery_steps_bucket{le="256"} 6
chartd_delivery_steps_bucket{le="+Inf"} 6
chartd_delivery_steps_sum 40
chartd_delivery_steps_count 6
# HELP chartd_frames_coalesced_total Frames that a newer one overtook before the connection was ready for them.
# TYPE chartd_frames_coalesced_total counter
chartd_frames_coalesced_total 1
# HELP chartd_frames_sent_total Frames handed to connections, by type.
# TYPE chartd_frames_sent_total counter
chartd_frames_sent_total{type="full"} 2
chartd_frames_sent_total{type="patch"} 6
# HELP chartd_websocket_sent_bytes_total Bytes of messages handed to connections, before compression.
# TYPE chartd_websocket_sent_bytes_total counter
chartd_websocket_sent_bytes_total 1150
`
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(&l); err != nil {
		t.Fatal(err)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

// counter is a watcher of a crowd.
type counter struct{ plain, events, others int }

func (c *counter) Deliver(d *Delivery, t *Tally) {
	switch {
	case d.Before != nil:
		c.events++
	case d.Update != nil:
		c.plain++
		t.Patches(d.Update, d.Update.Pos(), 1)
	default:
		c.others++
	}
}

// Everybody in a crowd gets a tick's frame once, and the tick's events if asked
// for, whichever goroutine serves them; who stands apart gets nothing here.
func TestFanServesEverybodyOnce(t *testing.T) {
	u := updates(t, 2)[1]
	for _, n := range []int{0, 1, chunk, crowd - 1, crowd, crowd + 1, 1000, 10 * crowd} {
		l := &loop{pool: &Pool{ledger: &Ledger{}}}
		watchers := make([]counter, n)
		for i := range watchers {
			l.watchers = append(l.watchers, seat{watcher: &watchers[i], events: i%7 == 3, apart: i%11 == 5})
		}
		plain := &Delivery{Update: u}
		events := &Delivery{Before: []*wire.Message{wire.Encode(wire.OK{ID: "1"})}, Update: u}
		for range 3 {
			l.fan(plain, events)
		}
		written := uint64(0)
		for i, w := range watchers {
			want := counter{plain: 3}
			switch {
			case i%11 == 5:
				want = counter{}
			case i%7 == 3:
				want = counter{events: 3}
			}
			if w != want {
				t.Fatalf("of %d, %d got %+v, want %+v", n, i, w, want)
			}
			written += uint64(w.plain)
		}
		if got := l.pool.ledger.total.patches; got != written {
			t.Errorf("%d watchers: %d patches are counted, want %d", n, got, written)
		}
	}
}

// late is a watcher with whom a frame was waiting, which goes out with whatever
// comes next.
type late struct{ u *wire.Update }

func (w late) Deliver(_ *Delivery, t *Tally) { t.Patches(w.u, w.u.Pos(), 1) }

// A tick that brings events and no frame may still move an older frame on.
func TestFanOfEventsAlone(t *testing.T) {
	l := &loop{pool: &Pool{ledger: &Ledger{}}, watchers: []seat{{watcher: late{updates(t, 1)[0]}, events: true}}}
	l.fan(nil, &Delivery{Before: []*wire.Message{wire.Encode(wire.OK{ID: "1"})}})
	if n := l.pool.ledger.total.patches; n != 1 {
		t.Errorf("%d patches are counted", n)
	}
}
