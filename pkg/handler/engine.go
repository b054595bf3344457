package handler

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/handler/script"
	"github.com/chartd/chartd/pkg/handler/webhook"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/store"
)

// Engine is what the rows of all charts work with while a daemon runs. It is
// safe for concurrent use. Close it.
type Engine struct {
	metrics  *metrics
	webhooks *webhook.Pool
	scripts  *script.Pool
}

// Deps is what an Engine works with; all of it is needed.
type Deps struct {
	// Log takes what went wrong.
	Log *zap.Logger
	// Registerer takes the metrics.
	Registerer prometheus.Registerer
	// Querier is what scripts read.
	Querier store.Querier
}

// NewEngine returns an Engine. An error is that of registering metrics.
func NewEngine(d Deps) (*Engine, error) {
	m, err := newMetrics(d.Registerer)
	if err != nil {
		return nil, fmt.Errorf("metrics of the handlers: %w", err)
	}
	webhooks, err := webhook.NewPool(d.Log.Named("webhook"), d.Registerer)
	if err != nil {
		return nil, err
	}
	scripts, err := script.NewPool(d.Querier, d.Log.Named("script"), d.Registerer)
	if err != nil {
		webhooks.Close()
		return nil, err
	}
	return &Engine{metrics: m, webhooks: webhooks, scripts: scripts}, nil
}

// Close ends what the rows hold on to. None of them may run any more.
func (e *Engine) Close() {
	e.webhooks.Close()
	e.scripts.Close()
}

// Forget drops what was counted of a chart that is gone or has changed.
func (e *Engine) Forget(chart string) {
	e.metrics.forget(chart)
	e.webhooks.Forget(chart)
	e.scripts.Forget(chart)
}

// Answers returns what answers a chart's callbacks: the first row that fits,
// and next, which may be nil, where none does. ticks reports whether any of it
// is for ticks. The rules must be valid.
func (e *Engine) Answers(chart string, rules Rules, next session.RefreshCallback) (f session.RefreshCallback, ticks bool, err error) {
	if len(rules.Callbacks) == 0 {
		return next, next != nil, nil
	}
	rows := make([]answer, len(rules.Callbacks))
	for i := range rules.Callbacks {
		row := &rules.Callbacks[i]
		for _, k := range row.kinds() {
			if !k.given {
				continue
			}
			do, err := k.callback(e, chart, row.On)
			if err != nil {
				return nil, false, fmt.Errorf("chart %q: callbacks[%d].%s: %w", chart, i, k.key, err)
			}
			rows[i] = answer{on: row.On, kind: k.key, do: do}
		}
	}
	return func(ctx context.Context, call *session.Call) error {
		arg := argument{call: call}
		for i := range rows {
			if rows[i].on.fits(&arg) {
				err := rows[i].do(ctx, call)
				e.metrics.ran(chart, &rows[i], err)
				return err
			}
		}
		if next == nil {
			return session.ErrNotHandled
		}
		return next(ctx, call)
	}, next != nil || rules.ticks(), nil
}

// answer is a row that is ready to run.
type answer struct {
	on   On
	kind string
	do   session.RefreshCallback
}
