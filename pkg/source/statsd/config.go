package statsd

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
)

// Kind is what "type:" says.
const Kind = "statsd"

// Config describes a source that StatsD clients send to.
type Config struct {
	// Address is where packets are received over UDP, as "host:port". UDP knows
	// no tokens: with ":8125" whoever reaches this machine can send.
	Address string `yaml:"address"`
	// FlushInterval is how long values are collected before they become one
	// sample of each series.
	FlushInterval quantity.Duration `yaml:"flush_interval"`
	// Percentiles are what a timer, histogram or distribution shows beside count,
	// sum, mean, lower and upper: 99 makes "name.p99".
	Percentiles []float64 `yaml:"percentiles"`
	// PercentileLimit is how many values of a timer are kept in an interval for
	// its percentiles. Of more, a fair sample is.
	PercentileLimit int `yaml:"percentile_limit"`
	// MaxTTL is for how long a metric that is not sent any more is still shown: a
	// counter as 0, a gauge as its last value. Then its lines end, and it is
	// forgotten; a gauge that is sent "+1" begins at 0 again.
	MaxTTL quantity.Duration `yaml:"max_ttl"`
	// MaxMetrics is how many metrics are kept at the same time; each set of tags
	// makes one. Values of further ones are rejected.
	MaxMetrics int `yaml:"max_metrics"`
}

const (
	minFlush      = quantity.Duration(100 * time.Millisecond)
	maxFlush      = quantity.Duration(time.Hour)
	maxTTL        = quantity.Duration(7 * 24 * time.Hour)
	maxKeptValues = 100_000
	maxMetrics    = 10_000_000
	maxPercentile = 16 // of them
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{
		Address: "127.0.0.1:8125", FlushInterval: quantity.Duration(time.Second), Percentiles: []float64{50, 90, 99},
		PercentileLimit: 1000, MaxTTL: quantity.Duration(5 * time.Minute), MaxMetrics: 10_000,
	}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, want, format string, args ...any) {
		ps = append(ps, problem.Problem{Path: path, What: fmt.Sprintf(format, args...), Want: want})
	}
	if _, port, err := net.SplitHostPort(c.Address); err != nil {
		add("address", `an address such as "127.0.0.1:8125", or ":8125" for every network`, "%q is no address", c.Address)
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		add("address", "a port from 1 to 65535", "port %q is no port", port)
	} else if n == 0 && port != "0" {
		add("address", "a port from 1 to 65535", "port %q is no port", port)
	}
	if c.FlushInterval < minFlush || c.FlushInterval > maxFlush {
		add("flush_interval", fmt.Sprintf("a duration from %v to %v", minFlush, maxFlush), "%v is out of range", c.FlushInterval)
	}
	if len(c.Percentiles) > maxPercentile {
		add("percentiles", fmt.Sprintf("at most %d", maxPercentile), "are %d", len(c.Percentiles))
	}
	for i, p := range c.Percentiles {
		path := fmt.Sprintf("percentiles[%d]", i)
		switch {
		case math.IsNaN(p) || p <= 0 || p >= 100:
			add(path, "a number above 0 and below 100", "%v is out of range", p)
		case slices.Contains(c.Percentiles[:i], p):
			add(path, "each one once", "%v is there already", p)
		}
	}
	if c.PercentileLimit < 1 || c.PercentileLimit > maxKeptValues {
		add("percentile_limit", fmt.Sprintf("a number from 1 to %d", maxKeptValues), "%d is out of range", c.PercentileLimit)
	}
	if c.MaxTTL < c.FlushInterval || c.MaxTTL > maxTTL {
		add("max_ttl", fmt.Sprintf("a duration from flush_interval to %v", maxTTL), "%v is out of range", c.MaxTTL)
	}
	if c.MaxMetrics < 1 || c.MaxMetrics > maxMetrics {
		add("max_metrics", fmt.Sprintf("a number from 1 to %d", maxMetrics), "%d is out of range", c.MaxMetrics)
	}
	return ps
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	return &Source{cfg: c, deps: deps}, nil
}
