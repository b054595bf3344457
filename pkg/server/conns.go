package server

import (
	"iter"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/pkg/wire"
)

// conns are the open WebSockets and the goroutines that serve them.
type conns struct {
	wg     sync.WaitGroup
	mu     sync.Mutex
	open   []*conn
	next   uint8
	closed bool
}

// slots spreads the pings of many connections over the heartbeat.
const slots = 16

// add takes a connection in, whose reader starts now and ends with remove. It
// returns false if the server is closing.
func (cs *conns) add(c *conn) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		return false
	}
	cs.wg.Add(1) // under the lock: close waits only after this
	c.at, c.slot = len(cs.open), cs.next
	cs.open = append(cs.open, c)
	cs.next = (cs.next + 1) % slots
	return true
}

func (cs *conns) remove(c *conn) {
	cs.mu.Lock()
	last := cs.open[len(cs.open)-1]
	cs.open[c.at], last.at = last, c.at
	cs.open[len(cs.open)-1] = nil
	cs.open = cs.open[:len(cs.open)-1]
	cs.mu.Unlock()
	cs.wg.Done()
}

// all appends the open connections to dst.
func (cs *conns) all(dst []*conn) []*conn {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return append(dst, cs.open...)
}

// beat looks after all connections until quit is closed: who has given no sign
// of life for half a heartbeat is pinged, once per heartbeat, and who has given
// none for two and a half is taken for dead.
func (cs *conns) beat(quit <-chan struct{}, every time.Duration, uptime func() time.Duration) {
	r := round{step: max(every/slots, time.Millisecond)}
	start := time.Now()
	tick := time.NewTicker(r.step)
	defer tick.Stop()
	silent := wire.Close{Code: wire.CloseSilent, Reason: "no answer to pings for " + (every * 5 / 2).String()}
	ping := controlFrame(websocket.PingMessage, nil)
	var open []*conn
	last, grace := uptime(), time.Duration(0)
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
		}
		now := uptime()
		if now-last > every/2 {
			grace = now + every // it was us who gave no sign of life: a machine that slept
		}
		last = now
		var due [slots]bool
		for slot := range r.due(time.Since(start)) {
			due[slot] = true
		}
		open = cs.all(open[:0])
		for _, c := range open {
			switch silence := c.silent(now); {
			case silence > every*5/2 && now >= grace:
				c.Close(silent)
			case due[c.slot] && silence > every/2 && c.bye.Load() == nil:
				_ = c.out.control(ping) // who cannot be sent a ping will be found silent
			}
		}
		clear(open)
	}
}

// round is how far the heartbeat has come. It goes by the clock, not by ticks: on
// a busy machine some are late and others dropped, and clients that answer every
// ping would be taken for dead because they were sent too few.
type round struct {
	step time.Duration // from one slot to the next
	done int           // slots whose turn has been, in all rounds
}

// due returns the slots whose turn has come at a time since the start, each once
// however late it is.
func (r *round) due(since time.Duration) iter.Seq[int] {
	from, to := r.done, int(since/r.step)
	from, r.done = max(from, to-slots), to
	return func(yield func(slot int) bool) {
		for n := from; n < to; n++ {
			if !yield(n % slots) {
				return
			}
		}
	}
}

// close takes no more connections in, cuts those that are open, and waits for
// their readers.
func (cs *conns) close() {
	cs.mu.Lock()
	cs.closed = true
	cs.mu.Unlock()
	for _, c := range cs.all(nil) {
		c.cut()
	}
	cs.wg.Wait()
}
