package config_test

import (
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
)

type hostConfig struct {
	// Interval is how often.
	Interval quantity.Duration `yaml:"interval"`
}

func (hostConfig) Kind() string                           { return "host" }
func (hostConfig) New(source.Deps) (source.Source, error) { return nil, nil }
func (c *hostConfig) Validate() []problem.Problem {
	if c.Interval <= 0 {
		return []problem.Problem{{Path: "interval", What: "is not above 0"}}
	}
	return nil
}

type pushConfig struct{ hostConfig }

func kinds() source.Registry {
	return source.Registry{
		"host":   func() source.Config { return &hostConfig{Interval: 1e9} },
		"push":   func() source.Config { return &pushConfig{hostConfig{1e9}} },
		"influx": func() source.Config { return &pushConfig{hostConfig{1e9}} },
	}
}
