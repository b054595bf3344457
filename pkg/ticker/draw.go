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
		l.fresh = false
		first := &Delivery{Update: l.stream.Last()}
		for _, w := range l.watchers {
			if w.fresh {
				w.fresh = false
				w.watcher.Deliver(first)
			}
		}
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

// offer hands a drawn frame to the watchers. What is the same for many of them
// is made once.
func (l *loop) offer(u *wire.Update, before, after []*wire.Message) {
	last := l.stream.Last()
	shared := sharedDelivery{}
	for _, w := range l.watchers {
		d := Delivery{Update: u}
		if w.fresh {
			d.Update = last
			w.fresh = last == nil
		}
		if l.failure != w.told {
			d.Failure, w.told = l.failure, l.failure
		}
		switch {
		case w.push != nil:
			w.watcher.Deliver(&Delivery{Failure: d.Failure, Before: w.push.Before, Update: d.Update, After: w.push.After})
		case w.events && before != nil:
			d.Before, d.After = before, after
			w.watcher.Deliver(shared.of(&d))
		case d.Update != nil || d.Failure != nil:
			w.watcher.Deliver(shared.of(&d))
		}
	}
	l.fresh = l.fresh && last == nil
}

// sharedDelivery makes equal deliveries one. In a tick there are at most two:
// with events and without; newcomers make it a few more.
type sharedDelivery struct{ plain, events *Delivery }

func (s *sharedDelivery) of(d *Delivery) *Delivery {
	slot := &s.plain
	if d.Before != nil {
		slot = &s.events
	}
	if *slot == nil || (*slot).Update != d.Update || (*slot).Failure != d.Failure {
		*slot = &Delivery{Failure: d.Failure, Before: d.Before, Update: d.Update, After: d.After}
	}
	return *slot
}
