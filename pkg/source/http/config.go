package http

import (
	"fmt"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
	"github.com/chartd/chartd/pkg/source/internal/jq"
	"github.com/chartd/chartd/pkg/source/lines"
)

// Kind is what "type:" says.
const Kind = "http"

// Lines and Client give the embedded settings names of their own.
type (
	// Lines says how rows become samples.
	Lines = lines.Config
	// Client says how the server is reached.
	Client = httpx.Config
)

// Config describes a source that asks a URL for JSON, CSV or other lines, again
// and again.
type Config struct {
	// URL is what is asked, as "https://example.com/data.json". It is needed. A
	// password and parameters in it are never shown.
	URL secret.URL `yaml:"url"`
	// Interval is the time between two requests.
	Interval quantity.Duration `yaml:"interval"`
	// Query is a jq expression that makes rows of a JSON answer: objects, whose
	// fields are the columns, or bare numbers. Without it, the answer is a row, or
	// a list of rows. As '.data[] | {time: .ts, temp: .value, room: .name}'.
	Query string `yaml:"query"`
	Lines
	Client
}

const (
	minInterval = quantity.Duration(100 * time.Millisecond)
	maxInterval = quantity.Duration(24 * time.Hour)
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{Interval: quantity.Duration(10 * time.Second), Lines: lines.DefaultConfig(), Client: httpx.DefaultConfig()}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	ps := httpx.ValidateURL(c.URL, "https://example.com/data.json")
	if c.Interval < minInterval || c.Interval > maxInterval {
		ps = append(ps, problem.Problem{
			Path: "interval", What: fmt.Sprintf("%v is out of range", c.Interval),
			Want: fmt.Sprintf("a duration from %v to %v", minInterval, maxInterval),
		})
	}
	ps = append(ps, jq.Validate(c.Query, c.Format)...)
	ps = append(ps, c.Lines.Validate()...)
	return append(ps, c.Client.Validate()...)
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	query, err := jq.Compile(c.Query)
	if err != nil {
		return nil, err
	}
	return &Source{cfg: c, deps: deps, query: query, last: map[string]int64{}}, nil
}
