package ticker

import (
	"time"

	"github.com/chartd/chartd/pkg/wire"
)

// tick runs when the view's refresh is due.
func (l *loop) tick(now time.Time) {
	if late := l.sched.fired(now); late > 0 {
		l.count.late.Add(float64(late))
	}
	l.count.ticks.Inc()
	switch {
	case l.view.Refresh == 0: // a replay moves, and nobody asked for more
		l.draw(nil, nil)
	case l.chart.Refresh == nil && l.hearing == 0:
		l.draw(nil, nil)
	case l.chart.Refresh == nil:
		l.draw(l.events.around("", 0))
	case l.busy:
		l.count.busy.Inc()
		l.draw(nil, nil)
	default:
		l.call()
	}
}

// call starts the tick's callback beside the loop. The tick goes on in
// answered.
func (l *loop) call() {
	l.busy = true
	refresh, view := l.chart.Refresh, l.view
	base, err := lay(l.chart.Spec, l.key.View, l.shared)
	if err != nil {
		base = l.key.View
	}
	l.pool.running.Add(1)
	l.pool.work.Go(func() {
		defer l.pool.running.Add(-1)
		out := refresh(l.ctx, view, base)
		offered := make(chan struct{})
		done := func() { close(offered) }
		l.mail.put(command{do: func() { l.answered(&out); done() }, drop: done})
		<-offered
		if out.Offered != nil {
			out.Offered()
		}
		l.mail.put(command{do: func() { l.busy = false }})
	})
}

// answered draws the frame of a tick whose callback is over.
func (l *loop) answered(out *Outcome) {
	l.settle() // what was pushed before keeps its own frame and events
	if out.Shared {
		l.pool.share(l.key.View.Chart, out.Change, l)
		l.refetch()
	} else {
		l.own = Merge(l.own, out.Change)
		l.lay()
	}
	if l.hearing == 0 {
		l.draw(nil, nil)
		return
	}
	l.draw(l.events.around(out.Failure, out.Elapsed))
}

// tickEvents makes the messages around a tick's frame. Those that never change
// are encoded once.
type tickEvents struct {
	v                           string
	before, begin, end, nothing *wire.Message
}

// around returns what comes before and after the frame.
func (e *tickEvents) around(failure string, elapsed time.Duration) (before, after []*wire.Message) {
	if e.before == nil {
		e.before = e.encode(wire.BeforeCallback, "", 0)
		e.begin = e.encode(wire.BeforeCallbackResponseProcess, "", 0)
		e.end = e.encode(wire.AfterCallbackResponseProcess, "", 0)
		e.nothing = e.encode(wire.AfterCallback, "", 0)
	}
	called := e.nothing
	if failure != "" || elapsed > 0 {
		called = e.encode(wire.AfterCallback, failure, elapsed)
	}
	return []*wire.Message{e.before, called, e.begin}, []*wire.Message{e.end}
}

func (e *tickEvents) encode(name wire.EventName, failure string, elapsed time.Duration) *wire.Message {
	return wire.Encode(wire.Event{V: e.v, Name: name, Cause: wire.CauseTick, Error: failure, Elapsed: elapsed})
}
