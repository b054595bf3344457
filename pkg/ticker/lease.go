package ticker

import (
	"sync/atomic"

	"github.com/chartd/chartd/pkg/wire"
)

// Lease keeps a loop running. It has one watcher or none. Its methods are safe
// for concurrent use and never block; what they ask for happens in the loop,
// in the order of the calls.
type Lease struct {
	loop     *loop
	released atomic.Bool

	// Owned by the loop.
	seated bool          // has a watcher
	fresh  bool          // it was offered no frame yet
	at     int           // its place among the loop's watchers
	push   *Push         // waits for the next draw
	told   *wire.Message // the last failure that the watcher heard of
}

// Key returns the key of the loop.
func (l *Lease) Key() Key { return l.loop.key }

// Watch makes w see the view: it is offered the frame that is there, or the
// first as soon as it is drawn. With events it is also offered the events of
// ticks. A push, if not nil, is carried out with it: the watcher's first frame
// comes between its messages. Watch is called once at most.
func (l *Lease) Watch(w Watcher, events bool, push *Push) {
	l.loop.mail.put(command{
		do: func() {
			l.loop.join(l, w, events)
			if push != nil {
				l.loop.push(l, push)
			}
		},
		drop: push.offered,
	})
}

// Events turns the watcher's wish for the events of ticks on or off.
func (l *Lease) Events(on bool) {
	l.loop.mail.put(command{do: func() { l.loop.listen(l, on) }})
}

// Push draws and delivers at once; see Push.
func (l *Lease) Push(p Push) {
	l.loop.mail.put(command{do: func() { l.loop.push(l, &p) }, drop: p.offered})
}

// share draws and delivers at once what was laid over the views of the chart.
func (l *Lease) share(p *Push) {
	l.loop.mail.put(command{
		do: func() {
			l.loop.refetch()
			if p != nil {
				l.loop.push(l, p)
			}
		},
		drop: p.offered,
	})
}

// Resend offers the watcher the newest frame again.
func (l *Lease) Resend() {
	l.loop.mail.put(command{do: func() { l.loop.resend(l) }})
}

// Release gives the lease back. If it was the loop's last, the loop lingers, or
// stops at once if nobody is expected back. A delivery that is under way may
// still come. A second call does nothing.
func (l *Lease) Release(linger bool) {
	if l.released.Swap(true) {
		return
	}
	last := l.loop.pool.release(l.loop, linger)
	l.loop.mail.put(command{do: func() { l.loop.leave(l, last) }})
}

// offered tells who pushed that the frame was offered, or never will be.
func (p *Push) offered() {
	if p != nil && p.Offered != nil {
		p.Offered()
	}
}
