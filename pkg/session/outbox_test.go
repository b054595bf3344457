package session

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// desk is an outbox and what came out of it, in words.
type desk struct {
	*outbox
	post   post
	work   sync.WaitGroup
	mu     sync.Mutex
	stuck  chan struct{}
	log    []string
	writes int
	closed []wire.CloseCode
	over   []error
}

func newDesk(t testing.TB, limit int) *desk {
	t.Helper()
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{outbox: &outbox{}}
	d.post = post{limit: limit, metrics: m, ledger: &ticker.Ledger{}, work: &d.work}
	d.conn, d.outbox.post, d.owner = d, &d.post, d
	return d
}

// failed is what the outbox tells its owner.
func (d *desk) failed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = append(d.over, err)
}

// put delivers to a slot.
func (d *desk) put(s *slot, what *ticker.Delivery) {
	var t ticker.Tally
	s.Deliver(what, &t)
	d.post.ledger.Add(&t)
}

func (d *desk) Write(m *wire.Message) (full bool, err error) {
	d.mu.Lock()
	stuck := d.stuck
	d.mu.Unlock()
	if stuck == nil {
		return false, d.arrive(m)
	}
	d.work.Go(func() {
		<-stuck
		d.ready(d.arrive(m))
	})
	return true, nil
}

func (d *desk) arrive(m *wire.Message) error {
	ms, err := wire.ParseServer(m.JSON())
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes++
	for _, m := range ms {
		switch m := m.(type) {
		case wire.OK:
			d.log = append(d.log, string(m.ID))
		case wire.Full:
			d.log = append(d.log, fmt.Sprintf("%s=%d", m.V, m.Pos.R))
		case wire.Patch:
			d.log = append(d.log, fmt.Sprintf("%s:%d-%d", m.V, m.Base, m.Pos.R))
		}
	}
	return nil
}

func (d *desk) Close(how wire.Close) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = append(d.closed, how.Code)
}

func (d *desk) stick() func() {
	ch := make(chan struct{})
	d.mu.Lock()
	d.stuck = ch
	d.mu.Unlock()
	return func() {
		d.mu.Lock()
		d.stuck = nil
		d.mu.Unlock()
		close(ch)
	}
}

// took waits until nothing is left to write and returns what was written.
func (d *desk) took() string {
	d.work.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	out := strings.Join(d.log, " ")
	d.log = nil
	return out
}

// view makes updates of a view.
type view struct {
	stream *wire.Stream
	n      int
}

func newView(id string) *view { return &view{stream: wire.NewStream(id)} }

// next returns the update of a frame that differs in one text.
func (v *view) next() *wire.Update {
	v.n++
	return v.stream.Next(&plotting.Frame{Epoch: "e", Root: &plotting.Node{Open: "<svg xmlns='http://www.w3.org/2000/svg'", Kids: []*plotting.Node{
		{Key: "t", Type: plotting.Text, Open: "<text data-k='t'", Live: fmt.Append(nil, v.n)},
		{Key: "p", Type: plotting.Path, Open: "<path data-k='p'", Live: fmt.Appendf(nil, "M0 0%02000d", 0)},
	}}})
}

func msg(id string) *wire.Message { return wire.Encode(wire.OK{ID: wire.ID(id)}) }

func frame(u *wire.Update) *ticker.Delivery { return &ticker.Delivery{Update: u} }

func TestNewestWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 1<<20)
		a, b := newView("a"), newView("b")
		sa, sb := d.slot(wire.Pos{}), d.slot(wire.Pos{})
		d.put(sa, frame(a.next()))
		equal(t, d.took(), "a=1")

		release := d.stick()
		d.send(msg("1"))
		synctest.Wait() // being written
		for range 5 {
			d.put(sa, frame(a.next()))
		}
		d.put(sb, frame(b.next()))
		d.put(sa, frame(a.next()))
		release()
		// The five patches together are short, so they say what happened.
		equal(t, d.took(), "1 a:1-2 a:2-3 a:3-4 a:4-5 a:5-6 a:6-7 b=1")

		release = d.stick()
		d.send(msg("2"))
		synctest.Wait()
		for range 100 {
			d.put(sa, frame(a.next()))
			d.put(sb, frame(b.next()))
		}
		if n := d.waiting(); n != 2 {
			t.Errorf("%d items wait for two views", n)
		}
		release()
		equal(t, d.took(), "2 a=107 b=101")
	})
}

// The events of a tick stand around its frame even if the frame of an earlier
// tick was overtaken.
func TestEventsStandAroundTheirFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 1<<20)
		a := newView("a")
		sa := d.slot(wire.Pos{})
		d.put(sa, frame(a.next()))
		d.took()
		release := d.stick()
		d.send(msg("0"))
		synctest.Wait()
		tick := func(before, after string) {
			d.put(sa, &ticker.Delivery{Before: []*wire.Message{msg(before)}, Update: a.next(), After: []*wire.Message{msg(after)}})
		}
		tick("1", "2")
		tick("3", "4")
		d.put(sa, &ticker.Delivery{Failure: msg("5")})
		d.put(sa, frame(a.next()))
		tick("6", "7")
		release()
		equal(t, d.took(), "0 1 2 3 4 5 6 a:1-2 a:2-3 a:3-4 a:4-5 7")
	})
}

// The frame of a client's own callback comes before the event that says so, even
// if a newer one is there already.
func TestOwnFrameIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 1<<20)
		a, b := newView("a"), newView("b")
		sa, sb := d.slot(wire.Pos{}), d.slot(wire.Pos{})
		release := d.stick()
		d.send(msg("0"))
		synctest.Wait()
		own := func(s *slot, v *view, before, after string) {
			d.put(s, &ticker.Delivery{Before: []*wire.Message{msg(before)}, Update: v.next(), After: []*wire.Message{msg(after)}, Kept: true})
		}
		own(sa, a, "1", "2")
		d.put(sa, frame(a.next()))
		own(sb, b, "3", "4")
		own(sa, a, "5", "6")
		for range 100 { // enough to close the ranks
			d.put(sa, frame(a.next()))
			d.send(msg("9"))
		}
		d.forget(sb)
		release()
		equal(t, strings.ReplaceAll(d.took(), " 9", ""), "0 1 a=1 2 3 4 5 a:1-2 a:2-3 6 a=103")
		if n := d.waiting(); n != 0 {
			t.Errorf("%d items are left", n)
		}
	})
}

func TestForgottenSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 1<<20)
		a := newView("a")
		s := d.slot(wire.Pos{})
		d.put(s, frame(a.next()))
		d.took()
		release := d.stick()
		d.send(msg("1"))
		synctest.Wait()
		d.put(s, frame(a.next()))
		if pos := d.forget(s); pos.R != 1 {
			t.Errorf("the client is said to hold %+v, but was sent 1", pos)
		}
		d.put(s, frame(a.next()))
		release()
		equal(t, d.took(), "1")
	})
}

func TestQueueOverItsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 1000)
		a := newView("a")
		s := d.slot(wire.Pos{})
		release := d.stick()
		d.send(msg("1"))
		synctest.Wait()
		for range 1000 { // frames never fill it
			d.put(s, frame(a.next()))
		}
		for i := range 100 {
			d.send(msg(fmt.Sprint(i)))
		}
		synctest.Wait()
		if n := d.waiting(); n > 0 {
			t.Errorf("%d items are kept", n)
		}
		if len(d.over) != 1 || !errors.As(d.over[0], new(wire.Close)) || !strings.Contains(d.over[0].Error(), "slow_queue") {
			t.Errorf("over: %v", d.over)
		}
		d.end(&wire.Close{Code: wire.CloseSlowQueue}, false)
		release()
		equal(t, d.took(), "1")
		if len(d.closed) != 1 {
			t.Errorf("closed %v", d.closed)
		}
	})
}

func TestEnd(t *testing.T) {
	down := &wire.Close{Code: wire.CloseShutdown}
	for _, c := range []struct {
		name string
		end  func(d *desk, release func())
		want string
		code string
	}{
		{"flush", func(d *desk, release func()) { d.end(down, true); release() }, "1 2", "[shutdown]"},
		{"now", func(d *desk, release func()) { d.end(down, false); release() }, "1", "[shutdown]"},
		{"flush, then now", func(d *desk, release func()) { d.end(down, true); d.end(down, false); release() }, "1", "[shutdown]"},
		{"gone", func(d *desk, release func()) { d.end(nil, false); d.end(down, false); release() }, "1", "[]"},
		{"flush, then gone", func(d *desk, release func()) { d.end(down, true); d.end(nil, false); release() }, "1", "[]"},
		{"twice", func(d *desk, release func()) { d.end(down, true); d.end(down, true); release() }, "1 2", "[shutdown]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, 1<<20)
				release := d.stick()
				d.send(msg("1"))
				synctest.Wait()
				d.send(msg("2"))
				c.end(d, release)
				d.send(msg("3")) // too late
				equal(t, d.took(), c.want)
				equal(t, fmt.Sprint(d.closed), c.code)
				<-d.outbox.closed()
			})
		})
	}
}

func TestEndOfAnIdleOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 1<<20)
		d.end(&wire.Close{Code: wire.CloseShutdown}, true)
		<-d.outbox.closed()
		equal(t, fmt.Sprint(d.took(), d.closed), "[shutdown]")
	})
}

// TestOutboxModel puts random things and compares what comes out with the
// promises: every message, in order; of each view the newest frame; frames
// follow on each other; a frame stands behind the messages that came before it.
func TestOutboxModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newDesk(t, 1<<20)
		release := d.stick()
		d.send(msg("0"))
		views := []*view{newView("a"), newView("b"), newView("c")}
		var slots []*slot
		for range views {
			slots = append(slots, d.slot(wire.Pos{}))
		}
		want, kept := []string{"0"}, 0
		behind := map[string]int{} // the last message put before the newest frame
		for i := range rapid.IntRange(1, 300).Draw(rt, "puts") {
			k := rapid.IntRange(0, 5).Draw(rt, "what")
			if k >= len(views) {
				want = append(want, fmt.Sprint(i+1))
				d.send(msg(fmt.Sprint(i + 1)))
				continue
			}
			own := rapid.IntRange(0, 9).Draw(rt, "own") == 0
			if own {
				kept++
			}
			d.put(slots[k], &ticker.Delivery{Update: views[k].next(), Kept: own})
			behind[views[k].stream.Last().View()] = len(want)
		}
		if n, most := d.waiting(), 2*(len(want)+kept+len(views)+33); n > most {
			rt.Fatalf("%d items wait for %d messages", n, len(want))
		}
		release()
		var messages []string
		shown := map[string]uint64{} // the revision that a client shows
		came := map[string]int{}     // how many messages came before it
		for word := range strings.FieldsSeq(d.took()) {
			var base, rev uint64
			name, at, frame := strings.Cut(word, "=")
			if !frame {
				name, at, frame = strings.Cut(word, ":")
			}
			switch {
			case !frame:
				messages = append(messages, word)
				continue
			case strings.Contains(at, "-"):
				if _, err := fmt.Sscanf(at, "%d-%d", &base, &rev); err != nil {
					rt.Fatal(word, err)
				}
				if base != shown[name] {
					rt.Fatalf("%s after %d", word, shown[name])
				}
			default:
				if _, err := fmt.Sscan(at, &rev); err != nil {
					rt.Fatal(word, err)
				}
			}
			shown[name], came[name] = rev, len(messages)
		}
		if strings.Join(messages, " ") != strings.Join(want, " ") {
			rt.Fatalf("messages %v, want %v", messages, want)
		}
		for _, v := range views {
			last := v.stream.Last()
			if last == nil {
				continue
			}
			name := last.View()
			if shown[name] != last.Pos().R {
				rt.Fatalf("%s shows %d, the newest is %d", name, shown[name], last.Pos().R)
			}
			if came[name] < behind[name] {
				rt.Fatalf("the newest frame of %s came before message %s", name, want[behind[name]-1])
			}
		}
	})
}

// A tick without events is one write of the shared message itself.
func TestOneWriteForATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 1<<20)
		a := newView("a")
		s := d.slot(wire.Pos{})
		d.put(s, frame(a.next()))
		d.took()
		before := d.writes
		d.put(s, frame(a.next()))
		d.took()
		d.put(s, &ticker.Delivery{Before: []*wire.Message{msg("1"), msg("2")}, Update: a.next(), After: []*wire.Message{msg("3")}})
		equal(t, d.took(), "1 2 a:2-3 3")
		if n := d.writes - before; n != 2 {
			t.Errorf("%d writes for two ticks", n)
		}
	})
}

// Every frame's wait is counted once, whether it was written at once, with
// messages, or from the queue.
func TestEveryFrameIsSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 1<<20)
		a := newView("a")
		s := d.slot(wire.Pos{})
		deliver := func(what *ticker.Delivery) {
			var tally ticker.Tally
			s.Deliver(what, &tally)
			d.post.ledger.Add(&tally)
			var rest ticker.Ledger
			rest.Add(&tally)
			if tally != (ticker.Tally{}) && what.Before != nil {
				t.Errorf("a frame that was written with messages is not settled")
			}
		}
		deliver(frame(a.next())) // a full, from the queue
		deliver(&ticker.Delivery{Before: []*wire.Message{msg("1")}, Update: a.next(), After: []*wire.Message{msg("2")}})
		release := d.stick()
		deliver(frame(a.next())) // kept by the connection
		deliver(frame(a.next())) // waits in the queue
		release()
		d.took()
		deliver(&ticker.Delivery{Before: []*wire.Message{msg("3")}, After: []*wire.Message{msg("4")}}) // no frame at all
		d.took()
	})
}
