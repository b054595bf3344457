package influx

import (
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/receive"
)

// Kind is what "type:" says.
const Kind = "influx"

// Config describes a source that is sent line protocol.
type Config struct {
	// MaxBody is the largest body of one request, measured after unpacking. A
	// larger one is answered 413.
	MaxBody quantity.Bytes `yaml:"max_body"`
	// MaxInFlight is how many requests are read at the same time. Further ones
	// wait for a few seconds and are then answered 429 with Retry-After; so are, at
	// once, those that find four times as many waiting.
	MaxInFlight int `yaml:"max_in_flight"`
}

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{MaxBody: receive.DefaultMaxBody, MaxInFlight: receive.DefaultMaxInFlight}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	return append(receive.ValidateMaxBody(c.MaxBody), receive.ValidateMaxInFlight(c.MaxInFlight)...)
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) { return newSource(c, deps), nil }
