package config

import (
	"fmt"
	"slices"

	"github.com/chartd/chartd/pkg/problem"
)

// Log is the `log:` section: what is logged, and how it looks.
type Log struct {
	// Level is the least level that is written: debug, info, warn or error.
	Level LogLevel `yaml:"level"`
	// Format is console (for people), json (for machines), or auto: console on
	// a terminal, JSON otherwise.
	Format LogFormat `yaml:"format"`
}

// LogLevel is a level of the log, in the words that zap reads.
type LogLevel string

// LogLevels lists every LogLevel.
func LogLevels() []LogLevel { return []LogLevel{"debug", "info", "warn", "error"} }

// LogFormat says how a line of the log looks.
type LogFormat string

// The formats.
const (
	LogAuto    LogFormat = "auto"
	LogConsole LogFormat = "console"
	LogJSON    LogFormat = "json"
)

// LogFormats lists every LogFormat.
func LogFormats() []LogFormat { return []LogFormat{LogAuto, LogConsole, LogJSON} }

// DefaultLog returns the values that Log has where YAML is silent.
func DefaultLog() Log { return Log{Level: "info", Format: LogAuto} }

// Validate returns every problem of the section.
func (l Log) Validate() []problem.Problem {
	var ps []problem.Problem
	if !slices.Contains(LogLevels(), l.Level) {
		ps = append(ps, problem.Problem{Path: "level", What: fmt.Sprintf("no level %q", l.Level), Want: problem.OneOf(l.Level, LogLevels())})
	}
	if !slices.Contains(LogFormats(), l.Format) {
		ps = append(ps, problem.Problem{Path: "format", What: fmt.Sprintf("no format %q", l.Format), Want: problem.OneOf(l.Format, LogFormats())})
	}
	return ps
}
