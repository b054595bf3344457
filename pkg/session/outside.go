package session

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// Raise is a callback of somebody who has no connection: a script, a request.
type Raise struct {
	// Chart is the chart's name.
	Chart string
	// View says what the caller sees, as a change of what it sees at first.
	View plotting.Change
	// Arg is the argument, any JSON; nil is none.
	Arg json.RawMessage
	// Grant is what the caller may do.
	Grant *auth.Grant
	// Peer is who calls. Callbacks are counted by its Address.
	Peer Peer
}

// Raised is how a Raise ended.
type Raised struct {
	// Handled reports whether a handler wanted the argument.
	Handled bool
	// Reply is what the handler replied, nil if it said nothing.
	Reply json.RawMessage
	// Elapsed is how long the handler ran.
	Elapsed time.Duration
	// View is what the caller sees then, without what callbacks of scope shared
	// have laid over it: Hub.Shared adds that.
	View plotting.View
}

// Raise runs a callback as one of a client that watches the chart: with the same
// rights, hooks and handlers, within the same time. Who raises it watches nothing,
// so that the answer is all there is to see, unless the chart's scope is shared:
// then everybody's view changes. Those who watch the view that the caller sees
// then get a frame.
//
// An address may raise as many as a session, and have as many under way as one
// may have waiting, one more included. When ctx ends, so does the callback. The
// error is a *wire.Error; Elapsed is right with it, too.
func (h *Hub) Raise(ctx context.Context, r Raise) (Raised, error) {
	c := &caller{hub: h, peer: r.Peer, grant: r.Grant}
	out, failure := c.raise(ctx, &r)
	if failure != nil {
		return out, failure
	}
	return out, nil
}

// CallTime returns how long a Raise may take at most: the handler with the hooks
// before it, those before the answer, those behind it.
func (h *Hub) CallTime() time.Duration { return 3 * h.cfg.CallbackTimeout.Std() }

func (c *caller) raise(ctx context.Context, r *Raise) (out Raised, failure *wire.Error) {
	if failure := c.mayRaise(r.Chart); failure != nil {
		return out, failure
	}
	chart := c.hub.chart(r.Chart)
	if chart == nil {
		return out, c.unknownChart(r.Chart)
	}
	base, failure := c.first(chart.Spec, r.Chart)
	if failure != nil {
		return out, failure
	}
	v, failure := c.alter(chart.Spec, base, r.View)
	if failure != nil {
		return out, failure
	}
	leave, failure := c.hub.enter(c.peer.Address)
	if failure != nil {
		c.hub.quiet.Write(zap.WarnLevel, string(failure.Code), "callback refused", zap.String("reason", string(failure.Code)),
			zap.String("why", failure.Message), zap.String("from", c.peer.Address))
		return out, failure
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.hub.ctx, cancel)() //nolint:contextcheck // ends with either
	s := &Session{hub: c.hub, name: rand.Text()[:8], peer: c.peer, grant: c.grant}
	call := c.call(chart, s, v, base, r.Arg)
	defer func() {
		if len(call.stray) == 0 {
			leave()
			return
		}
		// What overran counts until it has returned.
		c.hub.work.Go(func() {
			call.settled()
			leave()
		})
	}()
	c.hub.runner.around(ctx, chart, call, func(res result) {
		delta, reply := call.finish()
		out = Raised{Handled: res.handled, Reply: reply, Elapsed: res.elapsed, View: v}
		failure = res.err
		if chart.Config.Scope == ScopeShared {
			c.hub.share(call, delta, nil, nil)
		} else if next, beyond := c.alter(chart.Spec, v, delta); beyond == nil {
			out.View = next
		} else if failure == nil {
			failure = beyond
		}
		c.hub.pool.Redraw(ctx, out.View)
	})
	return out, failure
}

// mayRaise refuses a callback to whom it is not allowed. The answer is the same
// whether there is such a chart or not.
func (c *caller) mayRaise(chart string) *wire.Error {
	switch {
	case !c.grant.MayRead(chart):
		text := fmt.Sprintf("no right to watch chart %q", chart)
		c.denied(deniedRead, text)
		return &wire.Error{Code: wire.CodeForbidden, Field: "chart", Message: text}
	case !c.grant.MayCall(chart):
		text := fmt.Sprintf("no right to raise callbacks of chart %q", chart)
		c.denied(deniedCallback, text)
		return &wire.Error{Code: wire.CodeForbidden, Message: text}
	}
	return nil
}

// enter counts a callback of an address, or refuses it. leave must follow, once.
func (h *Hub) enter(address string) (leave func(), refused *wire.Error) {
	h.mu.Lock()
	if h.draining {
		h.mu.Unlock()
		return nil, &wire.Error{Code: wire.CodeUnavailable, Message: "the server stops; come back in a moment"}
	}
	h.work.Add(1) // before Close can wait
	h.mu.Unlock()
	limit, why := h.outside.enter(address, time.Now(), &h.cfg)
	if limit == "" {
		return func() {
			h.outside.leave(address)
			h.work.Done()
		}, nil
	}
	h.work.Done()
	h.metrics.refuse(limit)
	code := wire.CodeRateLimited
	if limit == limitWaiting {
		code = wire.CodeBusy
	}
	return nil, &wire.Error{Code: code, Message: why}
}

// outside counts the callbacks of those who have no connection, by their
// address.
type outside struct {
	mu sync.Mutex
	by map[string]*visitor
}

// visitor is one address.
type visitor struct {
	rate  bucket
	calls int // under way
}

// maxVisitors is how many addresses are remembered before those that were silent
// are forgotten.
const maxVisitors = 1024

// enter counts one more callback, or returns the limit that is against it.
func (o *outside) enter(address string, now time.Time, cfg *Config) (limit, why string) {
	rate := float64(cfg.CallbacksPerSecond)
	o.mu.Lock()
	defer o.mu.Unlock()
	v := o.by[address]
	if v == nil {
		if len(o.by) >= maxVisitors {
			o.forget(now, rate)
		}
		if o.by == nil {
			o.by = map[string]*visitor{}
		}
		v = &visitor{}
		o.by[address] = v
	}
	if !v.rate.take(now, rate, rate) {
		return limitRate, fmt.Sprintf("over %d callbacks in a second from your address (session.callbacks_per_second); come back in %v", cfg.CallbacksPerSecond, v.rate.wait(rate))
	}
	if v.calls > cfg.MaxCallbacksWaiting {
		return limitWaiting, fmt.Sprintf("%d callbacks from your address are under way already (session.max_callbacks_waiting); come back when one of them is answered", v.calls)
	}
	v.calls++
	return "", ""
}

// leave counts one less.
func (o *outside) leave(address string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.by[address].calls--
}

// forget drops the addresses that have nothing under way and could raise as many
// as ever.
func (o *outside) forget(now time.Time, rate float64) {
	for address, v := range o.by {
		v.rate.fill(now, rate, rate)
		if v.calls == 0 && v.rate.tokens >= rate {
			delete(o.by, address)
		}
	}
}
