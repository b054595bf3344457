package http

import (
	"errors"
	"fmt"
	"time"

	"github.com/itchyny/gojq"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
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
	URL httpx.URL `yaml:"url"`
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
	ps := c.URL.Validate("https://example.com/data.json")
	if c.Interval < minInterval || c.Interval > maxInterval {
		ps = append(ps, problem.Problem{
			Path: "interval", What: fmt.Sprintf("%v is out of range", c.Interval),
			Want: fmt.Sprintf("a duration from %v to %v", minInterval, maxInterval),
		})
	}
	if _, err := compile(c.Query); err != nil {
		ps = append(ps, problem.Problem{Path: "query", What: err.Error(), Want: "an expression of jq, such as '.data[] | {time: .ts, temp: .value}'"})
	}
	if c.Query != "" && c.Format != lines.Auto && c.Format != lines.JSON {
		ps = append(ps, problem.Problem{Path: "query", What: fmt.Sprintf("format %s has no use for it", c.Format), Want: "format: json, or no query"})
	}
	ps = append(ps, c.Lines.Validate()...)
	return append(ps, c.Client.Validate()...)
}

// compile returns what runs a jq expression; it sees neither the environment nor
// files.
func compile(query string) (*gojq.Code, error) {
	if query == "" {
		query = "."
	}
	q, err := gojq.Parse(query)
	if err != nil {
		if p, ok := errors.AsType[*gojq.ParseError](err); ok {
			return nil, fmt.Errorf("at character %d: %w", p.Offset, err)
		}
		return nil, err
	}
	return gojq.Compile(q)
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	code, err := compile(c.Query)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return &Source{cfg: c, deps: deps, code: code, last: map[string]int64{}}, nil
}
