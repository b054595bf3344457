package server

import (
	"iter"
	"sync"
	"time"
)

// conns are the open WebSockets and the goroutines that read them.
type conns struct {
	wg     sync.WaitGroup
	mu     sync.Mutex
	open   map[*conn]int // the slot of the heartbeat in which each is pinged
	next   int
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
	if cs.open == nil {
		cs.open = make(map[*conn]int)
	}
	cs.wg.Add(1) // under the lock: close waits only after this
	cs.open[c] = cs.next
	cs.next = (cs.next + 1) % slots
	return true
}

func (cs *conns) remove(c *conn) {
	cs.mu.Lock()
	delete(cs.open, c)
	cs.mu.Unlock()
	cs.wg.Done()
}

// in returns the connections of one slot, or all of them for a negative one.
func (cs *conns) in(slot int) []*conn {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	var out []*conn
	for c, s := range cs.open {
		if slot < 0 || s == slot {
			out = append(out, c)
		}
	}
	return out
}

// beat pings every connection once per heartbeat until quit is closed. A ping has a
// goroutine of its own, because it waits for a write that is under way.
func (cs *conns) beat(quit <-chan struct{}, every time.Duration) {
	r := round{step: max(every/slots, time.Millisecond)}
	start := time.Now()
	tick := time.NewTicker(r.step)
	defer tick.Stop()
	var pings sync.WaitGroup
	defer pings.Wait()
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
			for slot := range r.due(time.Since(start)) {
				for _, c := range cs.in(slot) {
					pings.Go(c.ping)
				}
			}
		}
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
	for _, c := range cs.in(-1) {
		c.cut()
	}
	cs.wg.Wait()
}
