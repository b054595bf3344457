package scrape

import (
	"fmt"
	"regexp"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
)

// Kind is what "type:" says.
const Kind = "scrape"

// Config describes a source that reads a target's metrics.
type Config struct {
	// URL is the address of the metrics, as "http://localhost:9100/metrics". It
	// is needed.
	URL secret.URL `yaml:"url"`
	// Interval is the time between two readings.
	Interval quantity.Duration `yaml:"interval"`
	// Keep is a regular expression: only metrics whose whole name it matches are
	// taken, as "node_(load|memory).*".
	Keep string `yaml:"keep"`
	// Drop is a regular expression: metrics whose whole name it matches are left
	// out.
	Drop string `yaml:"drop"`
	// Labels are added to every series, beside job, the name of the source, and
	// instance, the host and port of the URL, which they may replace.
	Labels map[string]string `yaml:"labels"`
	// HonorLabels lets the target's labels win over those that are added.
	// Otherwise a label of the target that has the same name is called
	// "exported_" and its name.
	HonorLabels bool `yaml:"honor_labels"`

	httpx.Config
}

// Limits of the interval.
const (
	minInterval = quantity.Duration(100 * time.Millisecond)
	maxInterval = quantity.Duration(time.Hour)
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{Interval: quantity.Duration(5 * time.Second), Config: httpx.DefaultConfig()}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	ps := httpx.ValidateURL(c.URL, "http://localhost:9100/metrics")
	if c.Interval < minInterval || c.Interval > maxInterval {
		ps = append(ps, problem.Problem{
			Path: "interval", What: fmt.Sprintf("%v is out of range", c.Interval),
			Want: fmt.Sprintf("a duration from %v to %v", minInterval, maxInterval),
		})
	}
	for _, p := range []struct{ path, text string }{{"keep", c.Keep}, {"drop", c.Drop}} {
		if _, err := compile(p.text); err != nil {
			ps = append(ps, problem.Problem{Path: p.path, What: err.Error(), Want: "a regular expression as Go has them"})
		}
	}
	return append(ps, c.Config.Validate()...)
}

// compile returns what matches whole names, nil for an empty expression.
func compile(text string) (*regexp.Regexp, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no expression is no error
	}
	if _, err := regexp.Compile(text); err != nil {
		return nil, err // which says only what was written
	}
	return regexp.Compile("^(?:" + text + ")$")
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	keep, err := compile(c.Keep)
	if err != nil {
		return nil, fmt.Errorf("keep: %w", err)
	}
	drop, err := compile(c.Drop)
	if err != nil {
		return nil, fmt.Errorf("drop: %w", err)
	}
	return &Source{
		cfg: c, name: deps.Name, skip: deps.Skip, reject: deps.Reject,
		keep: keep, drop: drop, known: map[string]*series{},
	}, nil
}
