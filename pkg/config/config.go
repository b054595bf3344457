package config

import (
	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/handler"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/server"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

// Config is everything that chartd reads from YAML. Parse makes one; from
// then on it is read-only.
type Config struct {
	// Listen is the address of the HTTP server, as ":8080" for every address
	// of the machine or "127.0.0.1:8080" for itself alone.
	Listen string `yaml:"listen"`
	// Sources says where samples come from, by name. A receiver (push, influx,
	// remote_write, otlp) that the file does not mention is there with its
	// defaults.
	Sources map[string]source.Config `yaml:"-"`
	// Defaults are the values that every chart has where it is silent.
	Defaults ChartDefaults `yaml:"defaults"`
	// Charts are the charts in the order of the file.
	Charts []*Chart `yaml:"-"`
	// Store bounds how many samples are kept, and for how long.
	Store store.Config `yaml:"store"`
	// Session bounds how long sessions live and how much each may ask for.
	Session session.Config `yaml:"session"`
	// Server says who may connect, how many, and how long anything may take.
	Server server.Config `yaml:"server"`
	// Auth says who may see which charts, raise callbacks and send samples.
	// Without it, or empty, everybody may do everything; with it, nobody may do
	// what it does not say.
	Auth auth.Config `yaml:"auth"`
	// Log says what is logged and how.
	Log Log `yaml:"log"`
}

// Chart is one chart: what it shows, and how its callbacks are answered.
type Chart struct {
	// Name is its name in URLs and messages: [a-z0-9_-].
	Name string `yaml:"-"`
	plotting.Spec
	session.ChartConfig
	handler.Rules
}

// Chart returns the chart of that name.
func (c *Config) Chart(name string) (*Chart, bool) {
	for _, ch := range c.Charts {
		if ch.Name == name {
			return ch, true
		}
	}
	return nil, false
}

// WithListen returns a copy of c that listens on another address.
func (c *Config) WithListen(addr string) *Config {
	out := *c
	out.Listen = addr
	return &out
}

// defaults returns the configuration of an empty file, but for the receivers.
// The values are written down in each section's own package.
func defaults() Config {
	return Config{
		Listen:   ":8080",
		Sources:  map[string]source.Config{},
		Defaults: defaultChartDefaults(),
		Store:    store.DefaultConfig(),
		Session:  session.DefaultConfig(),
		Server:   server.DefaultConfig(),
		Auth:     auth.DefaultConfig(),
		Log:      DefaultLog(),
	}
}
