package ticker

import (
	"container/list"
	"context"
	"reflect"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// loop keeps one view alive. Everything but the first block is owned by its
// goroutine.
type loop struct {
	pool   *Pool
	key    Key
	ctx    context.Context // ends when the loop is to stop
	cancel context.CancelFunc
	mail   mailbox

	// Guarded by Pool.mu.
	leases    int
	idle      *list.Element // in Pool.idle while there are no leases
	idleSince time.Time
	gone      bool // out of the pool

	chart   *Chart
	count   *chartMetrics
	shared  plotting.Change // laid over every view of the chart
	own     plotting.Change // laid over this view by its ticks
	view    plotting.View   // key.View under both
	stream  *wire.Stream
	paint   painter
	sched   schedule
	events  tickEvents
	busy    bool      // a tick's callback is running
	retryAt time.Time // when to ask the pool whether to stop; zero: not

	watchers []seat
	hearing  int      // watchers that want a tick's events
	pushing  []*Lease // watchers whose push waits for the draw
	fresh    bool     // a watcher waits for its first frame
	dirty    bool     // the view changed and must be drawn
	// failure tells watchers that the view cannot be drawn; nil while it can.
	failure *wire.Message
	told    int   // watchers that heard of a failure
	tally   Tally // of deliveries that the loop makes itself
}

// newLoop is called with Pool.mu held.
func newLoop(p *Pool, k Key, st *chartState) *loop {
	l := &loop{
		pool: p, key: k, mail: newMailbox(), chart: st.chart, count: st.metrics, shared: st.shared, view: k.View,
		stream: wire.NewStream(k.ID), sched: newSchedule(k.ID), events: tickEvents{v: k.ID},
	}
	l.paint.log = p.log.With(zap.String("chart", k.View.Chart), zap.String("view", k.ID))
	l.ctx, l.cancel = context.WithCancel(p.ctx)
	return l
}

// run is the loop.
func (l *loop) run() {
	defer l.end()
	l.lay()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var batch []command
	for {
		timer.Reset(l.nap())
		select {
		case <-l.mail.wake: // stop wakes it, too
			if l.ctx.Err() != nil {
				return
			}
			batch = l.mail.take(batch)
			for i := range batch {
				batch[i].do()
				batch[i] = command{}
			}
			l.settle()
		case <-timer.C:
			now := time.Now()
			if l.sched.running() && !now.Before(l.sched.due) {
				l.tick(now)
			}
			if !l.retryAt.IsZero() && !now.Before(l.retryAt) && l.retire() {
				return
			}
		}
	}
}

// stop lets the loop end.
func (l *loop) stop() {
	l.cancel()
	l.mail.nudge()
}

// nap returns how long the loop can wait for its next deed.
func (l *loop) nap() time.Duration {
	next := l.retryAt
	if l.sched.running() && (next.IsZero() || l.sched.due.Before(next)) {
		next = l.sched.due
	}
	if next.IsZero() {
		return time.Hour
	}
	return time.Until(next)
}

// end lets go of everybody who still waits for the loop.
func (l *loop) end() {
	l.cancel()
	for _, w := range l.pushing {
		w.push.offered()
	}
	l.paint.reset()
	l.mail.close()
}

// retire asks the pool whether the loop may stop.
func (l *loop) retire() bool {
	wait, ok := l.pool.retire(l)
	l.retryAt = time.Time{}
	if wait > 0 {
		l.retryAt = time.Now().Add(wait)
	}
	return ok
}

// join adds a watcher.
func (l *loop) join(w *Lease, watcher Watcher, events bool) {
	w.seated, w.fresh, w.at = true, true, len(l.watchers)
	l.watchers = append(l.watchers, seat{watcher: watcher, lease: w, apart: true})
	l.fresh = true
	l.listen(w, events)
}

// listen turns a watcher's wish for events on or off.
func (l *loop) listen(w *Lease, on bool) {
	if !w.seated || l.watchers[w.at].events == on {
		return
	}
	l.watchers[w.at].events = on
	if on {
		l.hearing++
	} else {
		l.hearing--
	}
}

// leave removes the lease's watcher; last says that no lease is left.
func (l *loop) leave(w *Lease, last bool) {
	if w.seated {
		l.listen(w, false)
		l.tell(w, nil)
		end := len(l.watchers) - 1
		moved := l.watchers[end]
		l.watchers[w.at], moved.lease.at = moved, w.at
		l.watchers[end] = seat{}
		l.watchers = l.watchers[:end]
		w.seated = false
	}
	if last {
		l.retryAt = time.Now().Add(l.pool.cfg.Linger)
	}
}

// push notes that a watcher wants the view to be drawn. All pushes that came
// together are answered by one render.
func (l *loop) push(w *Lease, p *Push) {
	if w.push != nil {
		l.settle() // its first push must not be lost
	}
	w.push = p
	w.fresh = w.fresh || p.Again
	if w.seated {
		l.watchers[w.at].apart = true
	}
	l.pushing = append(l.pushing, w)
	l.dirty = true
}

// resend offers a watcher the newest frame again.
func (l *loop) resend(w *Lease) {
	w.fresh, l.fresh = true, true
	if w.seated {
		l.watchers[w.at].apart = true
	}
}

// refetch takes over what changed about the chart.
func (l *loop) refetch() {
	chart, shared, ok := l.pool.state(l.key.View.Chart)
	if !ok {
		return // removed; the loop is about to stop
	}
	changed := !reflect.DeepEqual(l.chart.Spec, chart.Spec)
	l.chart = chart
	if changed {
		l.own = plotting.Change{}
		l.paint.reset()
	}
	if changed || !reflect.DeepEqual(l.shared, shared) {
		l.shared, l.dirty = shared, true
		l.lay()
	}
}

// lay works out the view from the key and what is laid over it.
func (l *loop) lay() {
	v, err := lay(l.chart.Spec, l.key.View, l.shared, l.own)
	if err != nil {
		l.paint.log.Warn("a callback's change does not fit the chart any more and is dropped", zap.Error(err))
		l.own = plotting.Change{}
	}
	l.view = v
	if pace := v.Pace(); pace != l.sched.refresh {
		l.sched.set(pace, time.Now())
	}
}
