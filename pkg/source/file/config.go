package file

import (
	"fmt"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/lines"
)

// Kind is what "type:" says.
const Kind = "file"

// From says where reading begins.
type From string

// The places to begin at.
const (
	Start From = "start"
	End   From = "end"
)

// Config describes a source that follows a file as it grows.
type Config struct {
	// Path is the file. It need not exist yet; a link is followed.
	Path string `yaml:"path"`
	// From is where reading begins: at the start of what is there, or at its end,
	// so that only new lines count. A file that takes its place later is read from
	// its start.
	From From `yaml:"from"`
	// Poll is how often the file is looked at when the system does not tell that
	// it changed, as on network file systems. After a rotation, the old file is
	// followed for as long, for a writer that has not noticed yet.
	Poll quantity.Duration `yaml:"poll"`
	lines.Config
}

const (
	minPoll = quantity.Duration(50 * time.Millisecond)
	maxPoll = quantity.Duration(time.Hour)
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{From: End, Poll: quantity.Duration(time.Second), Config: lines.DefaultConfig()}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	ps := c.Config.Validate()
	if c.Path == "" {
		ps = append(ps, problem.Problem{Path: "path", What: "is missing", Want: "the name of a file, such as /var/log/sensor.csv"})
	}
	if places := []From{Start, End}; c.From != Start && c.From != End {
		ps = append(ps, problem.Problem{Path: "from", What: fmt.Sprintf("there is no place %q", c.From), Want: problem.OneOf(c.From, places)})
	}
	if c.Poll < minPoll || c.Poll > maxPoll {
		ps = append(ps, problem.Problem{Path: "poll", What: fmt.Sprintf("%v is out of range", c.Poll), Want: fmt.Sprintf("a duration from %v to %v", minPoll, maxPoll)})
	}
	return ps
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	return &Source{cfg: *c, deps: deps, lines: lines.New(c.Config, deps.Name)}, nil
}
