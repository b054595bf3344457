package host

import (
	"fmt"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
)

// Kind is what "type:" says.
const Kind = "host"

// Config describes a source that reads this machine.
type Config struct {
	// Interval is the time between two readings.
	Interval quantity.Duration `yaml:"interval"`
	// PerInterface adds host_interface_bytes_per_second, for each network
	// interface by itself.
	PerInterface bool `yaml:"per_interface"`
}

// Limits of the interval.
const (
	minInterval = quantity.Duration(100 * time.Millisecond)
	maxInterval = quantity.Duration(time.Hour)
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config { return &Config{Interval: quantity.Duration(time.Second)} }

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	if c.Interval < minInterval || c.Interval > maxInterval {
		return []problem.Problem{{
			Path: "interval", What: fmt.Sprintf("%v is out of range", c.Interval),
			Want: fmt.Sprintf("a duration from %v to %v", minInterval, maxInterval),
		}}
	}
	return nil
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	return &Source{cfg: *c, log: deps.Logger}, nil
}
