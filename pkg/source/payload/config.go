package payload

import (
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/jq"
	"github.com/chartd/chartd/pkg/source/lines"
)

// Config says how messages become samples. The configurations of sources that
// receive messages embed it.
type Config struct {
	// Query is a jq expression that makes rows of a message's JSON: objects, whose
	// fields are the columns, or bare numbers. Without it, a message is a row, or a
	// list of rows. As '{time: .ts, temp: .data.t}'.
	Query string `yaml:"query"`
	// Time names the field of JSON that holds the time. Without it, one is looked
	// for by its name and by what it holds; "none" looks for none. A message
	// without a time is of when it came.
	Time string `yaml:"time"`
	// TimeFormat is how the time is written: unix, unix_ms, unix_us, unix_ns, or a
	// layout of Go's package time, as "2006-01-02 15:04:05". Without it the usual
	// forms are understood. A time without a zone is local.
	TimeFormat string `yaml:"time_format"`
	// Labels names the fields of JSON that become labels; nested ones are written
	// with a dot. Without it, that is the first that is called as a name is: name,
	// host, device, sensor, room and the like.
	Labels []string `yaml:"labels"`
	// Values names the fields of JSON that become samples; without it, all that
	// hold numbers, true or false.
	Values []string `yaml:"values"`
	// Metric is the name of the metrics: {column} is replaced by the field's name,
	// and {source} by the {metric} of the subscription, or else by the source's
	// name. A bare number, and a field called "value", leave _{column} out.
	Metric string `yaml:"metric"`
}

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() Config { return Config{Metric: lines.DefaultConfig().Metric} }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	l := c.lines()
	return append(jq.Validate(c.Query, l.Format), l.Validate()...)
}

// New returns what reads the messages of one source that come by these patterns;
// the first that means a subject counts. c must be valid and is not changed.
func (c *Config) New(deps source.Deps, patterns ...Pattern) (*Reader, error) {
	query, err := jq.Compile(c.Query)
	if err != nil {
		return nil, err
	}
	return newReader(c, query, deps, patterns), nil
}

// lines returns how rows are read.
func (c *Config) lines() lines.Config {
	return lines.Config{Format: lines.JSON, Time: c.Time, TimeFormat: c.TimeFormat, Labels: c.Labels, Values: c.Values, Metric: c.Metric}
}
