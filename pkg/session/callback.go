package session

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// request is a client's callback that waits for its turn.
type request struct {
	client *Client
	sub    *sub
	id     wire.ID
	arg    json.RawMessage
}

// callback takes a callback message. What runs it is a goroutine of the
// session, never the reader.
func (c *Client) callback(m wire.Callback) {
	s := c.named(m.ID, m.V)
	if s == nil || !c.mayCall(m.ID, s) {
		return
	}
	err := c.session.enqueue(request{client: c, sub: s, id: m.ID, arg: m.Arg})
	if err != nil {
		c.fail(m.ID, s.id, err)
	}
}

// enqueue lets a callback wait for its turn, or refuses it.
func (s *Session) enqueue(r request) *wire.Error {
	cfg := &s.hub.cfg
	s.mu.Lock()
	defer s.mu.Unlock()
	if rate := float64(cfg.CallbacksPerSecond); !s.rate.take(time.Now(), rate, rate) {
		s.hub.metrics.refuse(limitRate)
		return &wire.Error{Code: wire.CodeRateLimited, Message: fmt.Sprintf(
			"over %d callbacks in a second (session.callbacks_per_second); come back in %v", cfg.CallbacksPerSecond, s.rate.wait(rate),
		)}
	}
	// The one that runs is not among those that wait.
	if s.working && len(s.calls) >= cfg.MaxCallbacksWaiting {
		s.hub.metrics.refuse(limitWaiting)
		return &wire.Error{Code: wire.CodeBusy, Message: fmt.Sprintf("%d callbacks wait already (session.max_callbacks_waiting); come back when one of them is answered", len(s.calls))}
	}
	if s.working {
		s.calls = append(s.calls, r)
		return nil
	}
	s.working = true
	s.hub.work.Go(func() { s.work(r) })
	return nil
}

// work runs the session's callbacks, one at a time, until none waits.
func (s *Session) work(r request) {
	var last *Call
	for more := true; more; r, more = s.next() {
		if last == nil || s.free(last) {
			last = s.run(r)
			continue
		}
		r.client.ops.do(func() {
			r.client.fail(r.id, r.sub.id, &wire.Error{Code: wire.CodeBusy, Message: "the last callback overran its time and has not returned"})
		})
	}
}

// next returns the callback whose turn it is. If there is none, the goroutine
// that runs them is done.
func (s *Session) next() (r request, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) == 0 {
		s.working, s.calls = false, nil
		return request{}, false
	}
	r = s.calls[0]
	s.calls[0] = request{}
	s.calls = s.calls[1:]
	return r, true
}

// free waits until a callback that overran has returned, for as long as a
// callback may take. So a handler that never returns costs a goroutine for each
// session, not for each callback.
func (s *Session) free(last *Call) bool {
	timer := time.NewTimer(s.hub.cfg.CallbackTimeout.Std())
	defer timer.Stop()
	for _, stray := range last.stray {
		select {
		case <-stray:
		case <-timer.C:
			return false
		case <-s.hub.ctx.Done():
			return false
		}
	}
	return true
}

// run runs one callback from its first event to its last. It returns the call
// if something of it still runs.
func (s *Session) run(r request) *Call {
	c := r.client
	var chart *Chart
	var call *Call
	c.ops.wait(func() { chart, call = c.begin(r) })
	if call == nil {
		return nil
	}
	s.hub.runner.around(s.hub.ctx, chart, call, func(res result) {
		offered := make(chan struct{})
		c.ops.wait(func() { c.respond(r, chart, call, res, func() { close(offered) }) })
		<-offered
	})
	if len(call.stray) == 0 {
		return nil
	}
	return call
}

// begin makes the call of a request and sends its first event. It returns nil
// if the request cannot be carried out any more, and says so.
func (c *Client) begin(r request) (*Chart, *Call) {
	s := r.sub
	name := s.view.Chart
	chart := c.hub.chart(name)
	switch {
	case chart == nil:
		c.fail(r.id, s.id, c.unknownChart(name))
		return nil, nil
	case s.gone && !c.over: // without a connection it runs all the same
		c.refuse(r.id, s.id, wire.CodeUnknownView, "v", fmt.Sprintf("the subscription to %q has ended", s.id))
		return nil, nil
	case !c.over && !c.mayCall(r.id, s): // the right may have gone while it waited
		return nil, nil
	}
	base, failure := c.first(chart.Spec, name)
	if failure != nil {
		c.fail(r.id, s.id, failure)
		return nil, nil
	}
	call := c.call(chart, c.session, s.view, base, r.arg)
	c.event(r, s, wire.BeforeCallback, result{})
	return chart, call
}

// call makes the call of a client's callback. base is what the caller sees at
// first.
func (c *caller) call(chart *Chart, s *Session, v, base plotting.View, arg json.RawMessage) *Call {
	call := &Call{
		cause: CauseClient, chart: v.Chart, arg: arg, session: s, user: userOf(c.grant), claims: c.grant.Claims(), spec: chart.Spec, appender: c.hub.deps.Appender,
		view: v, base: base, solo: true,
	}
	if chart.Config.Scope == ScopeShared {
		call.view, call.base, call.solo = c.hub.pool.Shared(v), v, false
	}
	call.first = call.view
	return call
}

// share lays what a callback changed over every view of its chart. by and push,
// if not nil, are the lease of who raised it and what to push to it.
func (h *Hub) share(call *Call, delta plotting.Change, by *ticker.Lease, push *ticker.Push) {
	h.beforeShare(call.spec, call.chart, delta)
	h.pool.Share(call.chart, delta, by, push)
	h.afterShare(call.chart)
}

// respond sends what follows a client's callback: its event, its answer, and
// the frame between the last two events. offered is called when the frame is
// on its way.
func (c *Client) respond(r request, chart *Chart, call *Call, res result, offered func()) {
	s := r.sub
	delta, reply := call.finish()
	shared := chart.Config.Scope == ScopeShared
	c.event(r, s, wire.AfterCallback, res)
	push := func(s *sub) *ticker.Push {
		p := &ticker.Push{Offered: offered}
		if s.events {
			p.Before = []*wire.Message{r.event(s, wire.BeforeCallbackResponseProcess)}
			p.After = []*wire.Message{r.event(s, wire.AfterCallbackResponseProcess)}
		}
		return p
	}
	if s.gone || c.over {
		if shared {
			c.hub.share(call, delta, nil, nil)
		}
		c.answer(r, nil, res, reply)
		c.push(s, push(s)) // without a lease: the events alone
		return
	}
	if shared {
		c.answer(r, s, res, reply)
		p := push(s)
		c.hub.share(call, delta, s.lease, p)
		if s.lease == nil {
			c.push(s, p)
		}
		return
	}
	paused := s.paused
	if delta.Paused != nil {
		paused = *delta.Paused
	}
	v, failure := c.alter(s.spec, s.view, delta)
	if failure == nil { // otherwise a link allows less, or a reload came in between
		failure = c.change(s, v, paused, func(s *sub) { c.answer(r, s, res, reply) }, push)
	}
	if failure != nil {
		res.err = failure
		c.answer(r, s, res, nil)
		c.push(s, push(s))
	}
}

// answer sends the reply to a callback. s is nil if the subscription has ended.
func (c *Client) answer(r request, s *sub, res result, reply json.RawMessage) {
	var ok wire.OK
	if s != nil {
		ok = s.ok(r.id)
	}
	if res.err != nil {
		c.fail(r.id, ok.V, res.err)
		return
	}
	ok.ID, ok.Handled, ok.Reply = r.id, &res.handled, reply
	c.ok(ok)
}

// event sends an event to the caller, if it asked for events.
func (c *Client) event(r request, s *sub, name wire.EventName, res result) {
	if !s.events || c.over {
		return
	}
	e := wire.Event{V: s.id, Name: name, Cause: CauseClient, ID: r.id, Arg: r.arg, Elapsed: res.elapsed}
	if res.err != nil {
		e.Error = res.err.Message
	}
	c.out.send(wire.Encode(e))
}

// event makes an event around the frame.
func (r request) event(s *sub, name wire.EventName) *wire.Message {
	return wire.Encode(wire.Event{V: s.id, Name: name, Cause: CauseClient, ID: r.id, Arg: r.arg})
}
