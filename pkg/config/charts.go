package config

import (
	"strings"

	"github.com/chartd/chartd/pkg/config/strictyaml"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/session"
)

// ChartDefaults is the `defaults:` section: the values that every chart has
// where it is silent itself.
type ChartDefaults struct {
	// Kind is the kind of charts that do not name theirs.
	Kind plotting.Kind `yaml:"kind"`
	// Refresh is how often a watched view is drawn anew; 0 means only when a
	// callback asks.
	Refresh quantity.Duration `yaml:"refresh"`
	// Window is how much time the x axis spans.
	Window quantity.Duration `yaml:"window"`
	// Size is the default size in px: width, height.
	Size [2]int `yaml:"size"`
	// Legend places the names of the series: "bottom" or "none".
	Legend plotting.Legend `yaml:"legend"`
	// Gap is how long a series may be silent before its line is broken; 0
	// never breaks it.
	Gap quantity.Duration `yaml:"gap"`
	// Timezone names the zone of the time axis (IANA, as "Europe/Berlin");
	// empty is the server's own.
	Timezone string `yaml:"timezone"`
	// Scope says whose view a client's callback changes: "view" is its
	// caller's alone, "shared" everybody's.
	Scope session.Scope `yaml:"scope"`
}

func defaultChartDefaults() ChartDefaults {
	s, c := plotting.DefaultSpec(), session.DefaultChartConfig()
	return ChartDefaults{s.Kind, s.Refresh, s.Window, s.Size, s.Legend, s.Gap, s.Timezone, c.Scope}
}

// chart returns a chart that has d's values and no series.
func (d ChartDefaults) chart(name string) *Chart {
	c := &Chart{Name: name, Spec: plotting.DefaultSpec(), ChartConfig: session.DefaultChartConfig()}
	c.Kind, c.Refresh, c.Window, c.Size = d.Kind, d.Refresh, d.Window, d.Size
	c.Legend, c.Gap, c.Timezone, c.Scope = d.Legend, d.Gap, d.Timezone, d.Scope
	return c
}

// Validate returns every problem of the section: those of a chart that says
// nothing else.
func (d ChartDefaults) Validate() []problem.Problem {
	c := d.chart("defaults")
	c.Series = []plotting.SeriesSpec{{Metric: "metric"}}
	return c.Validate()
}

// Validate returns every problem of the chart, with paths in YAML's names.
func (c *Chart) Validate() []problem.Problem {
	ps := c.Spec.Validate()
	ps = append(ps, c.ChartConfig.Validate()...)
	ps = append(ps, c.Rules.Validate(c.Scope)...)
	if len(ps) > 0 {
		return ps // a rule cannot be tried on a chart that makes no sense
	}
	ps = c.Against(&c.Spec)
	for i, p := range ps {
		// "window: 1ms is not between …" is about the key window of the change.
		if key, what, ok := strings.Cut(p.What, ": "); ok && slugOf(key) == key {
			ps[i].Path, ps[i].What = p.Path+"."+key, what
		}
	}
	return ps
}

// readCharts decodes the `charts:` section, and reads the scripts that it names,
// from dir.
func readCharts(doc *strictyaml.Document, section strictyaml.Node, dir string, cfg *Config) {
	base := cfg.Defaults
	if len(base.Validate()) > 0 {
		base = defaultChartDefaults() // said once, under defaults
	}
	for _, e := range doc.Entries(section, "a mapping of names to charts") {
		if !checkName(doc, e, "chart") {
			continue
		}
		c := base.chart(e.Key)
		doc.DecodeNode(e.Value, c)
		c.Locate(dir, c.Name)
		doc.Check(e.Value.Path(), c)
		cfg.Charts = append(cfg.Charts, c)
	}
}
