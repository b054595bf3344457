package session

import (
	"maps"
	"reflect"

	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// SetCharts makes these the charts, by name; the map and what it holds is not
// changed afterwards. What is the same as before goes on undisturbed; views of
// a changed chart are drawn anew under the same id; subscriptions to a chart
// that is gone end with an error message. Sessions stay.
func (h *Hub) SetCharts(charts map[string]*Chart) {
	charts = maps.Clone(charts)
	h.reload.wait(func() {
		before := *h.charts.Load()
		// The loops learn of new charts before a client can ask for them, and
		// forget old ones after none can. Those that run draw anew when the
		// clients whose view became another one have left them.
		var takeOver []func()
		for name, chart := range charts {
			if chart != before[name] {
				takeOver = append(takeOver, h.pool.SetChart(h.drawn(name, chart)))
			}
		}
		h.charts.Store(&charts)
		changed := map[string]*Chart{} // nil: gone
		for name, old := range before {
			if chart := charts[name]; chart == nil || !reflect.DeepEqual(old.Spec, chart.Spec) {
				changed[name] = chart
			}
		}
		if len(changed) > 0 {
			for _, c := range h.all() {
				c.ops.do(func() { c.rebase(changed) })
			}
		}
		for name, chart := range changed {
			if chart == nil {
				h.pool.RemoveChart(name)
				h.metrics.forget(name)
			}
		}
		for _, f := range takeOver {
			f()
		}
	})
}

// rebase takes the subscriptions over to charts that changed. A subscription
// keeps its id, which the client knows it by, and what it says to differ from
// the default: from the new one now.
func (c *Client) rebase(changed map[string]*Chart) {
	for _, s := range c.subs {
		chart, affected := changed[s.view.Chart]
		switch {
		case !affected:
		case chart == nil:
			c.drop(s)
			c.refuse("", s.id, wire.CodeUnknownChart, "", "the chart is not configured any more")
		case chart.Spec != s.spec:
			def, failure := c.first(chart.Spec, s.view.Chart)
			if failure != nil { // the link does not fit the chart any more
				c.drop(s)
				c.fail("", s.id, failure)
				break
			}
			v, failure := c.alter(chart.Spec, def, s.spec.Diff(s.view))
			if failure != nil {
				v = def // what made the view differ is no more
			}
			s.spec = chart.Spec
			if v == s.view {
				break // its loop draws anew by itself
			}
			if s.lease != nil {
				lease, err := c.hub.pool.Exchange(s.lease, ticker.Key{View: v, ID: s.id})
				if err != nil {
					break // the old view still shows the chart as it is now
				}
				c.unwatch(s, false)
				s.view = v
				c.watch(s, lease, nil)
			}
			s.view = v
		}
	}
}
