package prometheus

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
	"github.com/chartd/chartd/pkg/store"
)

// Kind is what "type:" says.
const Kind = "prometheus"

// Config describes a source that asks a Prometheus.
type Config struct {
	// URL is where the server is, as "http://localhost:9090": what stands before
	// /api/v1/query_range. It is needed.
	URL secret.URL `yaml:"url"`
	// Queries are what is asked, in PromQL, by the names that the metrics have
	// here. The labels of an answer make its series. One is needed.
	Queries map[string]string `yaml:"queries"`
	// Step is the time between two samples, and how often it is asked for new
	// ones.
	Step quantity.Duration `yaml:"step"`
	// Window is how much of the past is asked for at the start. At most 11000
	// steps, which is what Prometheus answers.
	Window quantity.Duration `yaml:"window"`
	// QueryOffset is how long a sample must be past before it is asked for, where
	// the server's own samples come late.
	QueryOffset quantity.Duration `yaml:"query_offset"`

	httpx.Config
}

// Limits of the settings.
const (
	minStep  = quantity.Duration(time.Second)
	maxStep  = quantity.Duration(24 * time.Hour)
	maxSteps = 11_000 // that Prometheus answers at once
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{
		Step: quantity.Duration(15 * time.Second), Window: quantity.Duration(time.Hour),
		Config: httpx.DefaultConfig(),
	}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	ps := httpx.ValidateURL(c.URL, "http://localhost:9090")
	add := func(path, what, want string) { ps = append(ps, problem.Problem{Path: path, What: what, Want: want}) }
	if len(c.Queries) == 0 {
		add("queries", "is missing", `names and PromQL, as {busy: "avg(rate(node_cpu_seconds_total[1m]))"}`)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Queries)) {
		if name == "" || len(name) > store.MaxMetricName {
			add("queries", fmt.Sprintf("a name has %d bytes", len(name)), fmt.Sprintf("1 to %d", store.MaxMetricName))
		} else if strings.TrimSpace(c.Queries[name]) == "" {
			add("queries."+name, "is empty", "PromQL, as up")
		}
	}
	switch {
	case c.Step < minStep || c.Step > maxStep || c.Step%quantity.Duration(time.Millisecond) != 0:
		add("step", fmt.Sprintf("%v is out of range", c.Step), fmt.Sprintf("a duration from %v to %v", minStep, maxStep))
	case c.Window < c.Step:
		add("window", fmt.Sprintf("%v is shorter than step, %v", c.Window, c.Step), "a longer one")
	case c.Window/c.Step > maxSteps:
		least := (c.Window + maxSteps - 1) / maxSteps
		least = (least + minStep - 1) / minStep * minStep
		add("window", fmt.Sprintf("%v is more than %d steps of %v", c.Window, maxSteps, c.Step), fmt.Sprintf("a shorter one, or a step of at least %v", least))
	}
	if c.QueryOffset < 0 || c.QueryOffset > maxStep {
		add("query_offset", fmt.Sprintf("%v is out of range", c.QueryOffset), fmt.Sprintf("a duration from 0 to %v", maxStep))
	}
	return append(ps, c.Config.Validate()...)
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	s := &Source{cfg: c, log: deps.Logger, skip: deps.Skip, reject: deps.Reject}
	for _, name := range slices.Sorted(maps.Keys(c.Queries)) {
		s.queries = append(s.queries, &query{metric: name, expr: c.Queries[name], series: map[string]*series{}})
	}
	return s, nil
}
