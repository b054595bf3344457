package session

import (
	"context"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/ticker"
)

// drawn returns what the loops need to know of a chart.
func (h *Hub) drawn(name string, chart *Chart) *ticker.Chart {
	out := &ticker.Chart{
		Name: name, Spec: chart.Spec,
		NewRenderer: func() ticker.Renderer { return h.deps.NewRenderer(chart.Spec) },
	}
	if chart.Callback != nil && !chart.ClientsOnly || len(chart.Hooks) > 0 {
		out.Refresh = func(ctx context.Context, v, base plotting.View) ticker.Outcome {
			return h.tick(ctx, chart, v, base)
		}
	}
	return out
}

// tick runs a chart's callback for a tick of one of its views.
func (h *Hub) tick(ctx context.Context, chart *Chart, v, base plotting.View) ticker.Outcome {
	call := &Call{
		cause: CauseTick, chart: v.Chart, spec: chart.Spec, appender: h.deps.Appender,
		first: v, view: v, base: base,
	}
	res := h.runner.run(ctx, chart, call)
	delta, _ := call.finish()
	if chart.Config.Scope == ScopeShared {
		h.beforeShare(chart.Spec, v.Chart, delta)
	}
	out := ticker.Outcome{Change: delta, Shared: chart.Config.Scope == ScopeShared, Elapsed: res.elapsed}
	if res.err != nil {
		out.Failure = res.err.Message
	}
	out.Offered = func() {
		if out.Shared {
			h.afterShare(v.Chart)
		}
		h.runner.responded(ctx, chart, call)
		call.settled()
	}
	return out
}
