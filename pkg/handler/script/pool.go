package script

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.starlark.net/starlark"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/chartd/chartd/pkg/quiet"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/store"
)

// maxAtOnce bounds the scripts that run at once, and with them the memory of all:
// others wait.
const maxAtOnce = 4

// Pool is what the scripts of a daemon share. It is safe for concurrent use.
// Close it.
type Pool struct {
	store   store.Querier
	metrics *metrics
	failed  *quiet.Log
	said    *quiet.Log // what scripts print
	slots   chan struct{}
}

// NewPool returns a Pool whose scripts read from st. An error is that of
// registering metrics.
func NewPool(st store.Querier, log *zap.Logger, reg prometheus.Registerer) (*Pool, error) {
	m, err := newMetrics(reg)
	if err != nil {
		return nil, fmt.Errorf("metrics of the scripts: %w", err)
	}
	// One processor stays for who draws.
	atOnce := max(1, min(maxAtOnce, runtime.GOMAXPROCS(0)-1))
	return &Pool{
		store: st, metrics: m, failed: quiet.New(log, 1, time.Minute), said: quiet.New(log, 20, 10*time.Second), slots: make(chan struct{}, atOnce),
	}, nil
}

// Close writes what the log still has to say. No script may run any more.
func (p *Pool) Close() {
	p.failed.Close()
	p.said.Close()
}

// Forget drops what was counted of a chart that is gone or has changed.
func (p *Pool) Forget(chart string) { p.metrics.forget(chart) }

// New returns what answers callbacks of a chart; on names the row in metrics and
// the log. The script is compiled here, once.
func (c *Config) New(p *Pool, chart, on string) (session.RefreshCallback, error) {
	prog, err := compile(c.name, c.source, defaultLimits())
	if err != nil {
		return nil, err
	}
	return prog.callback(p, chart, on), nil
}

// tooManySteps is why a thread is cancelled that has used up its steps.
const tooManySteps = "too many steps"

// callback returns what runs the program.
func (prog *program) callback(p *Pool, chart, on string) session.RefreshCallback {
	return func(ctx context.Context, call *session.Call) error {
		select {
		case p.slots <- struct{}{}:
			defer func() { <-p.slots }()
		case <-ctx.Done():
			p.metrics.runs.WithLabelValues(chart, on, outcomeBusy).Inc()
			return fmt.Errorf("script: as many scripts as may run at once are running: %w", ctx.Err())
		}
		start := time.Now()
		handled, steps, err := prog.run(ctx, p, call)
		p.metrics.seconds.Observe(time.Since(start).Seconds())
		p.metrics.steps.Observe(float64(steps))
		outcome := outcomeOK
		switch {
		case err != nil:
			outcome = err.outcome
		case !handled:
			outcome = outcomeUnhandled
		}
		p.metrics.runs.WithLabelValues(chart, on, outcome).Inc()
		if err != nil {
			p.failed.Write(zapcore.ErrorLevel, chart+": "+on+": "+outcome, "a script failed",
				zap.String("chart", chart), zap.String("on", on), zap.String("outcome", outcome), zap.Error(err), zap.String("trace", err.trace))
			return err
		}
		if !handled {
			return session.ErrNotHandled
		}
		return nil
	}
}

// run runs the program once.
func (prog *program) run(ctx context.Context, p *Pool, call *session.Call) (handled bool, steps uint64, failed *failure) {
	r := &run{ctx: ctx, pool: p, call: call, limits: prog.limits, left: prog.limits.memory, script: prog.name}
	thread := r.thread()
	defer context.AfterFunc(ctx, func() { thread.Cancel("its time is over") })()
	defer func() {
		if v := recover(); v != nil { // of the interpreter itself
			failed = explain(panicked(v))
		}
		steps = thread.ExecutionSteps()
	}()
	arg, err := r.argument(thread)
	if err != nil {
		return false, 0, explain(err)
	}
	v, err := starlark.Call(thread, prog.entry, starlark.Tuple{arg}, nil)
	if err == nil {
		// What a function of chartd's was charged last may be over the budget.
		if ctx.Err() != nil {
			err = ctx.Err()
		} else if thread.ExecutionSteps() > prog.limits.steps {
			err = errors.New(tooManySteps)
		}
	}
	if err != nil {
		f := stopped(ctx, explain(err))
		if f.outcome == outcomeFailed && strings.HasSuffix(err.Error(), tooManySteps) {
			f.outcome = outcomeSteps
			f.text = strings.Replace(f.text, "Starlark computation cancelled: "+tooManySteps, fmt.Sprintf("it takes more than %d steps", prog.limits.steps), 1)
		}
		return false, 0, f
	}
	switch v {
	case starlark.None, starlark.True:
		return true, 0, nil
	case starlark.False:
		return false, 0, nil
	}
	return false, 0, &failure{
		text:    at(prog.entry.Position(), fmt.Sprintf("%s returned a %s; want None, or False for an argument that is not for it; reply(value) answers", entry, v.Type())),
		outcome: outcomeFailed,
	}
}

// argument returns what the script is called with.
func (r *run) argument(thread *starlark.Thread) (starlark.Value, error) {
	arg := starlark.Value(starlark.None)
	if b := r.call.Arg(); len(b) > 0 {
		var err error
		if arg, err = r.decode(thread, b); err != nil {
			return nil, fmt.Errorf("script: the argument: %w", err)
		}
	}
	return &object{"call", starlark.StringDict{"arg": arg, "cause": starlark.String(r.call.Cause())}}, nil
}
