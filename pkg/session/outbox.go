package session

import (
	"sync"
	"time"

	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// outbox is what is on its way to a client, in order: messages, which are all
// sent, and for each view a place for its newest frame. Putting never blocks.
//
// It has no goroutine. Who puts something while nobody writes becomes the
// writer, until nothing is left or the connection is full: usually a view's
// loop, which finds the outbox empty and writes its frame right away.
//
// A frame that a newer one overtakes before it was written is left out. The
// newer one takes its place, or, where messages have come in between, the
// place behind them: so the events of a tick always stand around their frame.
// The frame that answers a client's own callback is kept: the event behind it
// says that it is there.
type outbox struct {
	// What a delivery needs comes first, so that it shares a cache line.
	mu      sync.Mutex
	writing bool // somebody writes, or the connection is full
	shut    bool // takes nothing more
	closing bool // Conn.Close was or is about to be called
	blocked bool // the connection is full; Ready will go on
	early   bool // Ready came before the writer noted that
	conn    Conn
	queue   []item

	head     int // place in queue of what is written next
	messages int // place behind the last message in queue
	holes    int // items in queue that are left out
	bytes    int // of the messages in queue
	farewell *wire.Close
	made     time.Time // of the last frame in what the connection keeps; zero if none
	ended    chan struct{}
	post     *post
	owner    interface {
		// failed is called in a goroutine of its own when the client is too slow
		// or a write failed.
		failed(reason error)
	}
}

// post is what all outboxes share.
type post struct {
	limit   int // bytes of messages that may wait in one
	metrics *metrics
	ledger  *ticker.Ledger
	work    *sync.WaitGroup
}

// item is one thing in the queue: a message, a view's frame, or a hole.
type item struct {
	m *wire.Message
	s *slot
	u *wire.Update // a frame that is kept; nil: the newest of s
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

// slot returns a new place for a view of which the client holds sent.
func (o *outbox) slot(sent wire.Pos) *slot { return &slot{out: o, sent: sent} }

// Deliver implements ticker.Watcher.
func (s *slot) Deliver(d *ticker.Delivery, t *ticker.Tally) {
	o := s.out
	o.mu.Lock()
	if s.gone || o.shut {
		o.mu.Unlock()
		return
	}
	if m := s.direct(d); m != nil {
		held := s.sent
		s.sent = d.Update.Pos()
		o.writing = true
		o.mu.Unlock()
		t.Patches(d.Update, held, 1)
		if o.wrote(m, d.Update, t) {
			o.write(t)
		}
		return
	}
	if d.Failure != nil {
		o.add(d.Failure)
	}
	o.add(d.Before...)
	if d.Update != nil {
		o.frame(s, d.Update, t)
		if d.Kept && !o.shut {
			o.queue[s.at].u, s.next = d.Update, nil
		}
	}
	o.add(d.After...)
	mine := o.claim()
	o.mu.Unlock()
	if mine {
		o.write(t)
	}
}

// direct returns the patch that is all there is to write, nil if there is more
// or it has to wait: the usual tick passes the queue by. mu is held.
func (s *slot) direct(d *ticker.Delivery) *wire.Message {
	if s.out.writing || d.Update == nil || d.Before != nil || d.Failure != nil || d.After != nil {
		return nil
	}
	if patches, ok := d.Update.Since(s.sent); ok && len(patches) == 1 {
		return patches[0]
	}
	return nil
}

// send puts messages.
func (o *outbox) send(ms ...*wire.Message) {
	o.mu.Lock()
	mine := false
	if !o.shut {
		o.add(ms...)
		mine = o.claim()
	}
	o.mu.Unlock()
	o.writeIf(mine)
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
	if o.bytes > o.post.limit && !o.shut {
		o.shut = true
		o.drop()
		o.post.metrics.refuse(limitQueue)
		o.fail(wire.Close{Code: wire.CloseSlowQueue, Reason: "too many events and answers wait; the client reads too slowly"})
	}
}

// frame puts a view's newest frame.
func (o *outbox) frame(s *slot, u *wire.Update, t *ticker.Tally) {
	if o.shut {
		return
	}
	if s.next != nil {
		t.Overtaken()
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
	if o.holes++; o.holes <= 32 || o.holes <= (len(o.queue)-o.head)/2 {
		return
	}
	kept := o.queue[:0]
	o.messages = 0
	for _, it := range o.queue[o.head:] {
		switch {
		case it.s != nil:
			if it.u == nil {
				it.s.at = len(kept)
			}
			kept = append(kept, it)
		case it.m != nil:
			kept = append(kept, it)
			o.messages = len(kept)
		}
	}
	clear(o.queue[len(kept):])
	o.queue, o.head, o.holes = kept, 0, 0
}

// drop empties the queue.
func (o *outbox) drop() {
	for _, it := range o.queue[o.head:] {
		if it.s != nil {
			it.s.next = nil
		}
	}
	o.queue, o.head, o.messages, o.holes, o.bytes = nil, 0, 0, 0, 0
}

// end lets the outbox take nothing more. If flush, what is in the queue is
// still written first. Then the connection is closed with how; nil if it is
// closed already. Further calls do nothing, except that one without flush cuts
// short one with it.
func (o *outbox) end(how *wire.Close, flush bool) {
	o.mu.Lock()
	o.shut = true
	mine := false
	switch {
	case o.closing:
		how = nil
	case how == nil:
		o.closing = true
		o.drop()
		o.over()
	case flush && o.farewell == nil:
		o.farewell, how = how, nil
		mine = o.claim()
	case flush:
		how = nil
	default:
		o.closing = true
		o.drop()
	}
	o.mu.Unlock()
	if how != nil {
		o.close(how)
	}
	o.writeIf(mine)
}

// close closes the connection; closing was set.
func (o *outbox) close(how *wire.Close) {
	o.conn.Close(*how)
	o.mu.Lock()
	o.over()
	o.mu.Unlock()
}

// over says that the connection is closed.
func (o *outbox) over() {
	if o.ended == nil {
		o.ended = make(chan struct{})
	}
	close(o.ended)
}

// closed returns a channel that is closed when the connection is. It is made
// when somebody asks: sessions do that rarely, and are many.
func (o *outbox) closed() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended == nil {
		o.ended = make(chan struct{})
	}
	return o.ended
}
