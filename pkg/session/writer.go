package session

import (
	"cmp"
	"time"

	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// alone is the length in bytes from which a message is written by itself.
// Shorter ones that wait together share a write; a full is worth more as it is:
// shared with all who are sent the same.
const alone = 4 << 10

// claim makes the caller the writer, if there is something to write and nobody
// is. Who gets true calls write, without the lock. mu is held.
func (o *outbox) claim() bool {
	if o.writing || len(o.queue) == o.head && o.farewell == nil {
		return false
	}
	o.writing = true
	return true
}

// writeIf writes, if claim said so, for one who counts nothing himself.
func (o *outbox) writeIf(mine bool) {
	if mine {
		var t ticker.Tally
		o.write(&t)
		o.post.ledger.Add(&t)
	}
}

// write writes until nothing is left or the connection is full. The caller has
// claimed it.
func (o *outbox) write(t *ticker.Tally) {
	var few [8]*wire.Message
	for {
		l, how := o.take(few[:0])
		switch {
		case how != nil:
			o.close(how)
			return
		case l.frame != nil && l.pack == nil:
			t.Full(l.frame, l.held)
			l.pack = append(few[:0], l.frame.Full())
		case l.pack == nil:
			return
		case l.frame != nil:
			t.Patches(l.frame, l.held, l.patches)
		}
		more := o.wrote(wire.Join(l.pack...), l.frame, t)
		if l.frame != nil { // unless the connection is full: then it is counted when that is over
			t.Settle(l.frame.Made(), time.Now())
		}
		if !more {
			return
		}
	}
}

// letter is what goes out in one write: messages, among them the patches of one
// frame; or, without messages, a frame as a full.
type letter struct {
	pack    []*wire.Message
	frame   *wire.Update
	held    wire.Pos // what the client held before the frame
	patches int
}

// take takes from the queue what goes out in one write. If there is nothing,
// the writer's work is over; how is what it has to close the connection with,
// if at all. pack is the letter's memory.
func (o *outbox) take(pack []*wire.Message) (l letter, how *wire.Close) {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := 0
	for ; o.head < len(o.queue); o.head++ {
		it := &o.queue[o.head]
		switch {
		case it.m != nil:
			if size += it.m.Len(); size > alone && len(pack) > 0 {
				l.pack = pack
				return l, nil
			}
			o.bytes -= it.m.Len()
			pack = append(pack, it.m)
		case it.s == nil: // a hole
			o.holes--
			continue
		case it.u != nil && it.s.gone: // kept for a view that the client has left
		case l.frame != nil: // one is enough for a letter
			l.pack = pack
			return l, nil
		default:
			u, held := cmp.Or(it.u, it.s.next), it.s.sent
			patches, ok := u.Since(held)
			for _, p := range patches {
				size += p.Len()
			}
			if (!ok || size > alone) && len(pack) > 0 {
				l.pack = pack
				return l, nil
			}
			if it.s.sent = u.Pos(); it.u == nil {
				it.s.next = nil
			}
			if !ok {
				*it = item{}
				o.head++
				return letter{frame: u, held: held}, nil
			}
			if len(patches) > 0 {
				l.frame, l.held, l.patches = u, held, len(patches)
				pack = append(pack, patches...)
			}
		}
		*it = item{}
	}
	if len(pack) > 0 {
		l.pack = pack
		return l, nil
	}
	o.queue, o.head, o.messages, o.holes, o.bytes = o.queue[:0], 0, 0, 0, 0
	if cap(o.queue) > 8 {
		o.queue = nil // an idle session stays small
	}
	o.writing = false
	if o.farewell != nil && !o.closing {
		o.closing = true
		return l, o.farewell
	}
	return l, nil
}

// wrote writes one message, in which u is, if not nil. It returns whether the
// writer goes on: there is more, and the connection takes it. mu is not held.
func (o *outbox) wrote(m *wire.Message, u *wire.Update, t *ticker.Tally) (more bool) {
	full, err := o.conn.Write(m)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.broke(err)
		return false
	}
	t.Bytes(m.Len())
	if full && !o.early {
		o.blocked, o.made = true, time.Time{}
		if u != nil {
			t.Unsettle()
			o.made = u.Made()
		}
		return false
	}
	o.early = false
	if o.head == len(o.queue) && o.farewell == nil {
		o.writing = false
		return false
	}
	return true
}

// ready says that the connection took all that it kept, or, with an error, that
// it is broken.
func (o *outbox) ready(err error) {
	var t ticker.Tally
	o.mu.Lock()
	if err != nil {
		o.broke(err)
		o.mu.Unlock()
		return
	}
	if !o.made.IsZero() {
		t.Late(o.made, time.Now())
	}
	mine := o.blocked
	o.blocked, o.early = false, !o.blocked
	o.mu.Unlock()
	if mine {
		o.write(&t)
	}
	o.post.ledger.Add(&t)
}

// broke ends everything because the connection is broken. mu is held.
func (o *outbox) broke(err error) {
	o.writing, o.shut = false, true
	o.drop()
	if !o.closing { // otherwise that is why
		o.fail(err)
	}
}

// fail tells the owner why nothing can be written any more. mu is held.
func (o *outbox) fail(reason error) {
	o.post.work.Go(func() { o.owner.failed(reason) })
}
