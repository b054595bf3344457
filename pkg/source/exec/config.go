package exec

import (
	"fmt"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/lines"
)

// Kind is what "type:" says.
const Kind = "exec"

// Config describes a source that runs a command and reads what it prints.
type Config struct {
	// Command is the program and its arguments, one an item: [vmstat, "1"]. No
	// shell is between.
	Command []string `yaml:"command"`
	// Shell is a line for /bin/sh instead of command: pipes and $VARIABLES work.
	Shell string `yaml:"shell"`
	// Interval is the time from one run to the next. 0 is for a command that keeps
	// printing; one that ends is started again, after a pause that grows.
	Interval quantity.Duration `yaml:"interval"`
	// Timeout is how long a run may take, if there is an interval.
	Timeout quantity.Duration `yaml:"timeout"`
	// MaxOutput is how much a run may print, if there is an interval.
	MaxOutput quantity.Bytes `yaml:"max_output"`
	// Env is added to chartd's own environment. The values are never shown: the
	// place for passwords.
	Env map[string]secret.Text `yaml:"env"`
	// Dir is the directory to run in; without it, chartd's own.
	Dir string `yaml:"dir"`
	lines.Config
}

const (
	minInterval = quantity.Duration(100 * time.Millisecond)
	maxInterval = quantity.Duration(24 * time.Hour)
	minTimeout  = quantity.Duration(10 * time.Millisecond)
	maxTimeout  = quantity.Duration(time.Hour)
	minOutput   = quantity.Bytes(64)
	maxOutput   = quantity.Bytes(256 << 20)
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{Timeout: quantity.Duration(10 * time.Second), MaxOutput: 1 << 20, Config: lines.DefaultConfig()}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	ps := c.Config.Validate()
	add := func(path, want, format string, args ...any) {
		ps = append(ps, problem.Problem{Path: path, What: fmt.Sprintf(format, args...), Want: want})
	}
	switch {
	case len(c.Command) == 0 && c.Shell == "":
		add("command", `a list such as [vmstat, "1"]; or shell`, "is missing")
	case len(c.Command) > 0 && c.Shell != "":
		add("shell", "one of command and shell", "is given beside command")
	case len(c.Command) > 0 && c.Command[0] == "":
		add("command[0]", "a program's name", "is empty")
	}
	if c.Interval != 0 && (c.Interval < minInterval || c.Interval > maxInterval) {
		add("interval", fmt.Sprintf("a duration from %v to %v, or 0 for a command that keeps printing", minInterval, maxInterval), "%v is out of range", c.Interval)
	}
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		add("timeout", fmt.Sprintf("a duration from %v to %v", minTimeout, maxTimeout), "%v is out of range", c.Timeout)
	}
	if c.MaxOutput < minOutput || c.MaxOutput > maxOutput {
		add("max_output", fmt.Sprintf("a size from %v to %v", minOutput, maxOutput), "%v is out of range", c.MaxOutput)
	}
	for name, value := range c.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value.Reveal(), "\x00") {
			add("env", "NAME: value", "%.40q cannot be the name of a variable, or its value holds a NUL", name)
		}
	}
	return ps
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	return &Source{cfg: c, deps: deps, lines: lines.New(c.Config, deps.Name)}, nil
}
