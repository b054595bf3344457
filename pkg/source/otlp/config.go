package otlp

import (
	"fmt"
	"slices"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/receive"
)

// Kind is what "type:" says.
const Kind = "otlp"

// Config describes a source that OpenTelemetry's SDKs and Collector export to.
type Config struct {
	// MaxBody is the largest body of one request, measured after unpacking. A
	// larger one is answered 413.
	MaxBody quantity.Bytes `yaml:"max_body"`
	// MaxInFlight is how many requests are read at the same time. One takes some
	// ten times its body of memory, and seventy times if it is made for that.
	// Further ones wait for a few seconds and are then answered 429, on which every
	// exporter tries again; so are, at once, those that find four times as many
	// waiting.
	MaxInFlight int `yaml:"max_in_flight"`
	// PromoteResourceAttributes are the attributes of a resource that become
	// labels; a series has room for 32 labels, and a resource may have more.
	PromoteResourceAttributes []string `yaml:"promote_resource_attributes"`
	// PromoteAllResourceAttributes makes labels of all attributes of a resource.
	PromoteAllResourceAttributes bool `yaml:"promote_all_resource_attributes"`
	// PromoteScopeMetadata makes labels of what made the measurement:
	// otel_scope_name, otel_scope_version, and otel_scope_ before each of its
	// attributes.
	PromoteScopeMetadata bool `yaml:"promote_scope_metadata"`
	// MaxStreams is how many series that are sent as deltas are added up at the
	// same time. Points of further ones are rejected.
	MaxStreams int `yaml:"max_streams"`
	// MaxStale is for how long such a series is remembered after its last point.
	// Then it begins at 0 again.
	MaxStale quantity.Duration `yaml:"max_stale"`
}

const (
	maxStreams = 10_000_000
	minStale   = quantity.Duration(time.Second)
	maxStale   = quantity.Duration(7 * 24 * time.Hour)
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{
		MaxBody: 2 << 20, MaxInFlight: 2,
		PromoteResourceAttributes: []string{
			"service.name", "service.namespace", "service.instance.id", "host.name", "deployment.environment.name",
			"container.name", "k8s.cluster.name", "k8s.namespace.name", "k8s.pod.name",
		},
		PromoteScopeMetadata: true, MaxStreams: 10_000, MaxStale: quantity.Duration(5 * time.Minute),
	}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	ps := append(receive.ValidateMaxBody(c.MaxBody), receive.ValidateMaxInFlight(c.MaxInFlight)...)
	add := func(path, want, format string, args ...any) {
		ps = append(ps, problem.Problem{Path: path, What: fmt.Sprintf(format, args...), Want: want})
	}
	for i, name := range c.PromoteResourceAttributes {
		path := fmt.Sprintf("promote_resource_attributes[%d]", i)
		switch {
		case name == "":
			add(path, `the name of an attribute, such as "service.name"`, "is empty")
		case slices.Contains(c.PromoteResourceAttributes[:i], name):
			add(path, "each one once", "%q is there already", name)
		}
	}
	if c.MaxStreams < 1 || c.MaxStreams > maxStreams {
		add("max_streams", fmt.Sprintf("a number from 1 to %d", maxStreams), "%d is out of range", c.MaxStreams)
	}
	if c.MaxStale < minStale || c.MaxStale > maxStale {
		add("max_stale", fmt.Sprintf("a duration from %v to %v", minStale, maxStale), "%v is out of range", c.MaxStale)
	}
	return ps
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) { return newSource(c, deps), nil }
