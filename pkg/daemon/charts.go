package daemon

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/handler"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/server"
	"github.com/chartd/chartd/pkg/session"
)

// chartSet is the charts of one configuration with the handlers and hooks of
// the program. It is immutable.
type chartSet map[string]*builtChart

// builtChart is a chart and what it was made from.
type builtChart struct {
	*session.Chart
	from *config.Chart
}

// newChartSet puts the charts of cfg together. A chart that is as it was in
// prev is the same value, so that nothing of it is disturbed.
func newChartSet(cfg *config.Config, o *options, rows *handler.Engine, prev chartSet) (chartSet, error) {
	set := make(chartSet, len(cfg.Charts))
	for _, c := range cfg.Charts {
		if old := prev[c.Name]; old != nil && reflect.DeepEqual(old.from, c) {
			set[c.Name] = old
			continue
		}
		own := o.callbacks[c.Name]
		if own == nil {
			own = o.callbacks[""]
		}
		answers, ticks, err := rows.Answers(c.Name, c.Rules, own)
		if err != nil {
			return nil, err
		}
		chart := &session.Chart{Spec: &c.Spec, Config: c.ChartConfig, Callback: answers, ClientsOnly: !ticks}
		for _, h := range o.hooks {
			if h.chart == "" || h.chart == c.Name {
				chart.Hooks = append(chart.Hooks, h.hook)
			}
		}
		set[c.Name] = &builtChart{chart, c}
	}
	return set, nil
}

// served returns the charts as the hub takes them.
func (set chartSet) served() map[string]*session.Chart {
	out := make(map[string]*session.Chart, len(set))
	for name, c := range set {
		out[name] = c.Chart
	}
	return out
}

// forget drops what rows counted of charts that are gone in next, or others.
func (set chartSet) forget(rows *handler.Engine, next chartSet) {
	for name, c := range set {
		if next[name] != c {
			rows.Forget(name)
		}
	}
}

// list returns the definitions in the order of the configuration.
func (set chartSet) list(cfg *config.Config) []server.Chart {
	out := make([]server.Chart, 0, len(cfg.Charts))
	for _, c := range cfg.Charts {
		out = append(out, server.Chart{Name: c.Name, Spec: set[c.Name].Spec})
	}
	return out
}

// orphan returns an error if a callback or a hook is for a chart that the
// configuration does not have.
func orphan(cfg *config.Config, o *options) error {
	var names []string
	for _, c := range cfg.Charts {
		names = append(names, c.Name)
	}
	wanted := slices.Sorted(maps.Keys(o.callbacks))
	for _, h := range o.hooks {
		wanted = append(wanted, h.chart)
	}
	for _, name := range wanted {
		if name != "" && !slices.Contains(names, name) {
			return fmt.Errorf("a callback or hook is for chart %q, which the configuration does not have; %s", name, problem.OneOf(name, names))
		}
	}
	return nil
}
