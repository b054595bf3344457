package session

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/quiet"
	"github.com/chartd/chartd/pkg/wire"
)

// runner runs the callbacks of a hub: hooks and handlers, each within
// its time, and with their panics caught.
type runner struct {
	timeout time.Duration
	metrics *metrics
	work    func(f func()) // starts a goroutine that is waited for
	quiet   *quiet.Log     // what fails at every tick
}

// result is how the handler of a callback ended.
type result struct {
	err     *wire.Error // what a client is told; nil for no error
	handled bool
	elapsed time.Duration
}

// around runs a client's callback from its first hook to its last. respond
// answers it, and returns when the frame is on its way.
func (r *runner) around(ctx context.Context, chart *Chart, call *Call, respond func(result)) {
	respond(r.run(ctx, chart, call))
	r.responded(ctx, chart, call)
}

// run runs a callback up to the moment before the frame: Before, the handler,
// After, BeforeResponse.
func (r *runner) run(ctx context.Context, chart *Chart, call *Call) result {
	res, raw := r.handle(ctx, chart, call)
	if raw != nil {
		call.undo()
	}
	if call.left.Load() > 0 {
		call.finish() // who still runs changes nothing any more
	}
	r.hooks(ctx, chart, call, "After and BeforeResponse", Hook.answers, func(ctx context.Context) {
		for _, h := range chart.Hooks {
			if h.After != nil {
				h.After(ctx, call, raw, res.elapsed)
			}
		}
		for _, h := range chart.Hooks {
			if h.BeforeResponse != nil {
				h.BeforeResponse(ctx, call)
			}
		}
	})
	return res
}

// responded runs what comes after the frame.
func (r *runner) responded(ctx context.Context, chart *Chart, call *Call) {
	r.hooks(ctx, chart, call, "AfterResponse", Hook.concludes, func(ctx context.Context) {
		for _, h := range chart.Hooks {
			if h.AfterResponse != nil {
				h.AfterResponse(ctx, call)
			}
		}
	})
}

func (h Hook) answers() bool   { return h.After != nil || h.BeforeResponse != nil }
func (h Hook) concludes() bool { return h.AfterResponse != nil }

// hooks calls f, which calls hooks, if the chart has any such.
func (r *runner) hooks(ctx context.Context, chart *Chart, call *Call, names string, any func(Hook) bool, f func(ctx context.Context)) {
	if !slices.ContainsFunc(chart.Hooks, any) {
		return
	}
	// The frame goes out even when the server stops, and so do its hooks.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
	defer cancel()
	in := r.bounded(ctx, call, func() {
		defer func() {
			if v := recover(); v != nil {
				r.report(call, "a hook panicked", zap.String("hooks", names), zap.Any("panic", v), zap.ByteString("stack", debug.Stack()))
			}
		}()
		f(ctx)
	})
	if !in {
		r.report(call, "a hook overran its time", zap.String("hooks", names), zap.Duration("timeout", r.timeout))
	}
}

// bounded calls f in a goroutine of its own and waits for it, or until ctx
// ends; then it is left behind, which call.left counts until it returns.
func (r *runner) bounded(ctx context.Context, call *Call, f func()) (returned bool) {
	const running, done, left = 0, 1, 2
	var state atomic.Int32
	ended := make(chan struct{})
	r.work(func() {
		defer func() {
			if state.Swap(done) == left {
				r.metrics.overrunning.Dec()
				call.left.Add(-1)
			}
			close(ended)
		}()
		f()
	})
	select {
	case <-ended:
		return true
	case <-ctx.Done():
	}
	call.left.Add(1)
	if !state.CompareAndSwap(running, left) {
		call.left.Add(-1)
		<-ended
		return true // it returned at the last moment, because ctx ended
	}
	r.metrics.overrunning.Inc()
	call.stray = append(call.stray, ended)
	return false
}

// answer is how the goroutine of a handler ended.
type answer struct {
	err      error
	canceled bool // by a Before hook
	handled  bool
	elapsed  time.Duration
}

// handle runs Before hooks and the handler, and returns the error as it was
// beside the one for clients.
func (r *runner) handle(ctx context.Context, chart *Chart, call *Call) (res result, raw error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	start := time.Now()
	said := new(answer)
	a := answer{}
	if r.bounded(ctx, call, func() { said.ask(ctx, chart, call) }) {
		a = *said
	} else {
		a = answer{err: ctx.Err(), elapsed: time.Since(start)}
	}
	res.elapsed, res.handled = a.elapsed, a.handled
	word := resultOK
	if !a.handled && call.cause == CauseClient {
		word = resultUnhandled
	}
	if a.err != nil {
		res.handled = false
		res.err, word = r.explain(ctx, call, &a)
	}
	r.metrics.ran(call.chart, call.cause, word, res.elapsed)
	return res, a.err
}

// ask runs Before hooks and the handler.
func (a *answer) ask(ctx context.Context, chart *Chart, call *Call) {
	began := time.Now()
	defer func() {
		if v := recover(); v != nil {
			a.handled, a.err = false, &panicError{value: v, stack: debug.Stack()}
		}
		a.elapsed = time.Since(began)
	}()
	for _, h := range chart.Hooks {
		if h.Before == nil {
			continue
		}
		if a.err = h.Before(ctx, call); a.err != nil {
			a.canceled = true
			return
		}
	}
	began = time.Now()
	a.handled, a.err = chart.handle(ctx, call)
}

// explain turns a callback's error into what a client is told, and logs what
// the program's author has to know.
func (r *runner) explain(ctx context.Context, call *Call, a *answer) (*wire.Error, string) {
	if pe, ok := errors.AsType[*panicError](a.err); ok {
		r.report(call, "a callback panicked", zap.Any("panic", pe.value), zap.ByteString("stack", pe.stack))
		return &wire.Error{Code: wire.CodeCallbackFailed, Message: "the handler panicked; the server's log says more"}, resultPanicked
	}
	var refused *refusal
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		within := quantity.Duration(r.timeout)
		r.report(call, "a callback overran its time", zap.Stringer("timeout", within))
		return &wire.Error{Code: wire.CodeCallbackTimeout, Message: fmt.Sprintf("the handler did not return within %v", within)}, resultTimeout
	case ctx.Err() != nil:
		return &wire.Error{Code: wire.CodeCallbackFailed, Message: "the view is not watched any more, or the server stops"}, resultStopped
	case errors.As(a.err, &refused):
		return refused.err, resultRefused
	case a.canceled:
		return &wire.Error{Code: wire.CodeCallbackCanceled, Message: a.err.Error()}, resultCanceled
	default:
		r.report(call, "a callback failed", zap.Error(a.err))
		return &wire.Error{Code: wire.CodeCallbackFailed, Message: a.err.Error()}, resultFailed
	}
}

// report logs what went wrong in a call, though not every time.
func (r *runner) report(call *Call, what string, fields ...zap.Field) {
	fields = append(fields, zap.String("chart", call.chart), zap.String("cause", string(call.cause)))
	if call.session != nil {
		fields = append(fields, zap.String("session", call.session.name))
	}
	r.quiet.Write(zap.ErrorLevel, call.chart+": "+what, what, fields...)
}

// handle runs the chart's own part of a callback: its handler. A
// change of the view that the argument itself spells out comes before it, so
// that a chart can be touched whatever its handler makes of arguments; an error
// of the handler takes it back.
func (c *Chart) handle(ctx context.Context, call *Call) (handled bool, err error) {
	turned, err := call.turn()
	if err != nil {
		return false, err
	}
	handled, err = c.decide(ctx, call)
	return handled || turned && err == nil, err
}

// decide asks the chart's handler.
func (c *Chart) decide(ctx context.Context, call *Call) (handled bool, err error) {
	if c.Callback == nil || c.ClientsOnly && call.cause != CauseClient {
		return false, nil
	}
	switch err := c.Callback(ctx, call); {
	case errors.Is(err, ErrNotHandled):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, nil
}

// panicError is a panic as an error.
type panicError struct {
	value any
	stack []byte
}

// Error implements error.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }
