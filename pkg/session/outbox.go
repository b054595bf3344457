package session

import (
	"sync"

	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// outbox is what is on its way to a client, in order: messages, which are all
// sent, and for each view a place for its newest frame. Putting never blocks.
// Its goroutine exists only while there is something to write.
//
// A frame that a newer one overtakes before it was written is left out. The
// newer one takes its place, or, where messages have come in between, the
// place behind them: so the events of a tick always stand around their frame.
type outbox struct {
	conn    Conn
	limit   int // bytes of messages that may wait
	metrics *metrics
	work    *sync.WaitGroup
	run     func() // (*outbox).write, made once
	// over is called in a goroutine of its own when the client is too slow, or
	// by the writer when a write failed.
	over func(reason error)
	done chan struct{} // closed when the connection is closed

	mu       sync.Mutex
	queue    []item
	messages int // place behind the last message in queue
	holes    int // items in queue that are left out
	bytes    int // of the messages in queue
	writing  bool
	shut     bool        // takes nothing more
	farewell *wire.Close // to close with when the queue is written
	closing  bool        // Conn.Close was or is about to be called
}

// item is one thing in the queue: a message, a view's frame, or a hole.
type item struct {
	m *wire.Message
	s *slot
}

// slot is a view's place in an outbox. It is the watcher of the view's loop.
type slot struct {
	out *outbox

	// Guarded by outbox.mu.
	sent wire.Pos     // what the client holds when the queue before is written
	next *wire.Update // waits to be written
	at   int          // where in the queue
	gone bool         // takes no more
}

func newOutbox(conn Conn, limit int, m *metrics, work *sync.WaitGroup, over func(error)) *outbox {
	o := &outbox{conn: conn, limit: limit, metrics: m, work: work, over: over, done: make(chan struct{})}
	o.run = o.write
	return o
}

// slot returns a new place for a view of which the client holds sent.
func (o *outbox) slot(sent wire.Pos) *slot { return &slot{out: o, sent: sent} }

// Deliver implements ticker.Watcher.
func (s *slot) Deliver(d *ticker.Delivery) {
	o := s.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if s.gone || o.shut {
		return
	}
	if d.Failure != nil {
		o.add(d.Failure)
	}
	o.add(d.Before...)
	if d.Update != nil {
		o.frame(s, d.Update)
	}
	o.add(d.After...)
	o.start()
}

// send puts messages.
func (o *outbox) send(ms ...*wire.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.shut {
		o.add(ms...)
		o.start()
	}
}

// forget makes a slot take no more and leaves out the frame that waits in it.
// It returns what the client holds of the view.
func (o *outbox) forget(s *slot) wire.Pos {
	o.mu.Lock()
	defer o.mu.Unlock()
	s.gone = true
	if s.next != nil {
		s.next = nil
		o.hole(s.at)
	}
	return s.sent
}

// rewind sets what the client holds of a view.
func (o *outbox) rewind(s *slot, pos wire.Pos) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s.sent = pos
}

// add appends messages. mu is held, as in all that follows.
func (o *outbox) add(ms ...*wire.Message) {
	for _, m := range ms {
		o.bytes += m.Len()
		o.queue = append(o.queue, item{m: m})
		o.messages = len(o.queue)
	}
	if o.bytes > o.limit && !o.shut {
		o.shut, o.queue = true, nil
		o.metrics.refuse(limitQueue)
		o.work.Go(func() {
			o.over(wire.Close{Code: wire.CloseSlowQueue, Reason: "too many events and answers wait; the client reads too slowly"})
		})
	}
}

// frame puts a view's newest frame.
func (o *outbox) frame(s *slot, u *wire.Update) {
	if o.shut {
		return
	}
	if s.next != nil {
		o.metrics.coalesced.Inc()
		if s.at >= o.messages {
			s.next = u
			return
		}
		o.hole(s.at)
	}
	s.next, s.at = u, len(o.queue)
	o.queue = append(o.queue, item{s: s})
}

// hole leaves out an item, and closes the ranks before holes pile up.
func (o *outbox) hole(at int) {
	o.queue[at] = item{}
	if o.holes++; o.holes <= 32 || o.holes <= len(o.queue)/2 {
		return
	}
	kept := o.queue[:0]
	o.messages = 0
	for _, it := range o.queue {
		switch {
		case it.s != nil:
			it.s.at = len(kept)
			kept = append(kept, it)
		case it.m != nil:
			kept = append(kept, it)
			o.messages = len(kept)
		}
	}
	clear(o.queue[len(kept):])
	o.queue, o.holes = kept, 0
}

// start sees to it that somebody writes what is in the queue.
func (o *outbox) start() {
	if o.writing || o.shut && o.farewell == nil || len(o.queue) == 0 && o.farewell == nil {
		return
	}
	o.writing = true
	o.work.Add(1)
	go o.run()
}

// end lets the outbox take nothing more. If flush, what is in the queue is
// still written first. Then the connection is closed with how; nil if it is
// closed already. Further calls do nothing, except that one without flush cuts
// short one with it.
func (o *outbox) end(how *wire.Close, flush bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut = true
	switch {
	case o.closing:
	case how == nil:
		o.closing = true
		o.queue = nil
		close(o.done)
	case flush && o.farewell == nil:
		o.farewell = how
		o.start()
	case !flush:
		o.closing = true
		o.queue = nil
		o.work.Go(func() { o.close(how) })
	}
}

// close closes the connection.
func (o *outbox) close(how *wire.Close) {
	o.conn.Close(*how)
	close(o.done)
}
