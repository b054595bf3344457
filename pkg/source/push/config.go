package push

import (
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/receive"
)

// Kind is what "type:" says.
const Kind = "push"

// Config describes a source that is sent JSON.
type Config struct {
	// MaxBody is the largest body of one request, measured after unpacking. A
	// larger one is answered 413.
	MaxBody quantity.Bytes `yaml:"max_body"`
}

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config { return &Config{MaxBody: receive.DefaultMaxBody} }

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem { return receive.ValidateMaxBody(c.MaxBody) }

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) { return newSource(c, deps), nil }
