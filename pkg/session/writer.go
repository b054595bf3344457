package session

import "github.com/chartd/chartd/pkg/wire"

// alone is the length in bytes from which a message is written by itself.
// Shorter ones that wait together share a write; a full is worth more as it is:
// shared with all who are sent the same.
const alone = 4 << 10

// inHand is how many letters are taken without allocating, more than a tick has.
// It has a second effect, and is this large for that: the way down to the
// socket needs more than a goroutine's first 2 KB of stack, and with a frame of
// over 1 KB the stack grows where the writer begins and there is nothing on it
// yet. Grown a dozen frames deeper, it made a patch to one receiver nearly twice
// as dear.
const inHand = 32

// letter is an item as it was taken out of the queue to be written.
type letter struct {
	m    *wire.Message
	u    *wire.Update
	held wire.Pos // what the client holds before u
}

// write writes until nothing is left.
func (o *outbox) write() {
	defer o.work.Done()
	var few [inHand]letter
	for {
		letters, how := o.take(few[:0])
		if how != nil {
			o.close(how)
			return
		}
		if len(letters) == 0 {
			return
		}
		if err := o.deliver(letters); err != nil {
			o.mu.Lock()
			ended := o.closing
			o.mu.Unlock()
			if !ended { // otherwise it failed because the connection was closed
				o.over(err)
			}
			// Nothing more can be written; end has seen to the rest.
			o.mu.Lock()
			o.writing = false
			o.mu.Unlock()
			return
		}
	}
}

// take empties the queue into dst. If there is nothing left, the writer's work
// is over; how is what it has to close the connection with, if at all.
func (o *outbox) take(dst []letter) (letters []letter, how *wire.Close) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, it := range o.queue {
		switch {
		case it.m != nil:
			dst = append(dst, letter{m: it.m})
		case it.s != nil:
			dst = append(dst, letter{u: it.s.next, held: it.s.sent})
			it.s.sent, it.s.next = it.s.next.Pos(), nil
		}
	}
	clear(o.queue)
	if cap(o.queue) > 64 {
		o.queue = nil // an idle session stays small
	}
	o.queue, o.messages, o.holes, o.bytes = o.queue[:0], 0, 0, 0
	if len(dst) == 0 {
		o.writing = false
		if o.farewell != nil && !o.closing {
			o.closing = true
			return nil, o.farewell
		}
	}
	return dst, nil
}

// deliver writes letters in order, in as few writes as makes sense.
func (o *outbox) deliver(letters []letter) error {
	var pack []*wire.Message
	size := 0
	post := func() error {
		if len(pack) == 0 {
			return nil
		}
		m := wire.Join(pack...)
		pack, size = pack[:0], 0
		return o.conn.Write(m)
	}
	put := func(m *wire.Message) error {
		if size+m.Len() > alone {
			if err := post(); err != nil {
				return err
			}
		}
		pack, size = append(pack, m), size+m.Len()
		return nil
	}
	for i := range letters {
		l := &letters[i]
		if l.m != nil {
			if err := put(l.m); err != nil {
				return err
			}
			continue
		}
		patches, ok := l.u.Since(l.held)
		if !ok {
			o.metrics.full.Inc()
			if err := put(l.u.Full()); err != nil {
				return err
			}
			continue
		}
		o.metrics.patch.Add(float64(len(patches)))
		if len(letters) == 1 && len(patches) == 1 {
			return o.conn.Write(patches[0]) // the usual case, without allocating
		}
		for _, p := range patches {
			if err := put(p); err != nil {
				return err
			}
		}
	}
	return post()
}
