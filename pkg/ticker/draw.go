package ticker

import (
	"time"

	"github.com/chartd/chartd/pkg/wire"
)

// settle gives watchers what they wait for after a batch of commands: the
// answer to a push, the view after it changed, a first frame.
func (l *loop) settle() {
	switch {
	case l.dirty, l.fresh && l.stream.Last() == nil && len(l.watchers) > 0:
		l.draw(nil, nil)
	case l.fresh:
		l.single(nil)
	}
}

// draw renders the view once and offers what changed to every watcher. before
// and after are a tick's events, for those who want them; then no push waits.
func (l *loop) draw(before, after []*wire.Message) {
	l.dirty = false
	l.offer(l.render(), before, after)
	for i, w := range l.pushing {
		p := w.push
		w.push, l.pushing[i] = nil, nil
		p.offered()
	}
	l.pushing = l.pushing[:0]
}

// render draws and encodes. It returns nil if nothing changed, or if it failed.
func (l *loop) render() *wire.Update {
	start := time.Now()
	u, err := l.paint.paint(l, start.UnixMilli())
	l.pool.metrics.seconds.Observe(time.Since(start).Seconds())
	l.count.renders.Inc()
	if err != nil {
		l.count.failures.Inc()
		l.paint.report(err)
		if l.failure == nil {
			l.failure = wire.Encode(wire.Failure{V: l.key.ID, Err: &wire.Error{
				Code: wire.CodeRenderFailed, Message: "this chart cannot be drawn at the moment; the server's log says why",
			}})
		}
		return nil
	}
	l.failure = nil
	if u != nil && len(l.watchers) > 0 {
		if p := u.Patch(); p != nil {
			l.pool.metrics.patch.Observe(float64(p.Len()))
		} else {
			l.pool.metrics.full.Observe(float64(u.Full().Len()))
		}
	}
	return u
}

// offer hands a drawn frame to the watchers.
func (l *loop) offer(u *wire.Update, before, after []*wire.Message) {
	var plain, events *Delivery
	if u != nil {
		plain = &Delivery{Update: u}
	}
	if events = plain; before != nil {
		events = &Delivery{Before: before, Update: u, After: after}
	}
	if l.failure != nil || l.told > 0 {
		l.alarm(events)
		return
	}
	if plain != nil || events != nil && l.hearing > 0 {
		l.fan(plain, events)
	}
	if l.fresh || len(l.pushing) > 0 {
		l.single(u)
	}
}

// single offers what they wait for to those who get something of their own: the
// newest frame to who has none yet, u with what they pushed to the others.
func (l *loop) single(u *wire.Update) {
	last := l.stream.Last()
	for i := range l.watchers {
		s := &l.watchers[i]
		if !s.apart {
			continue
		}
		d := Delivery{Update: u}
		w := s.lease
		if w.fresh {
			d.Update = last
			w.fresh = last == nil
		}
		if w.push != nil {
			d.Before, d.After, d.Kept = w.push.Before, w.push.After, w.push.After != nil
		}
		s.apart = w.fresh
		s.watcher.Deliver(&d, &l.tally)
		if d.Update != nil {
			l.tally.Settle(d.Update.Made(), time.Now())
		}
	}
	l.pool.ledger.Add(&l.tally)
	l.fresh = l.fresh && last == nil
}

// alarm offers a delivery to every watcher, one by one, while the view cannot be
// drawn, or when it can be drawn again: each is told of a failure once.
func (l *loop) alarm(d *Delivery) {
	for i := range l.watchers {
		s := &l.watchers[i]
		one := Delivery{}
		if s.events && d != nil {
			one = *d
		} else if d != nil {
			one.Update = d.Update
		}
		w := s.lease
		if w.fresh {
			one.Update = l.stream.Last()
			w.fresh = one.Update == nil
		}
		if w.push != nil {
			one.Before, one.After, one.Kept = w.push.Before, w.push.After, w.push.After != nil
		}
		s.apart = w.fresh
		if l.failure != w.told {
			one.Failure = l.failure
			l.tell(w, l.failure)
		}
		if one.Update != nil || one.Failure != nil || one.Before != nil || one.After != nil {
			s.watcher.Deliver(&one, &l.tally)
		}
	}
	l.pool.ledger.Add(&l.tally)
	l.fresh = l.fresh && l.stream.Last() == nil
}

// tell notes the last failure that a watcher heard of, nil if it is over.
func (l *loop) tell(w *Lease, failure *wire.Message) {
	if w.told != nil {
		l.told--
	}
	if failure != nil {
		l.told++
	}
	w.told = failure
}
