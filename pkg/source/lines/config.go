package lines

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/problem"
)

// Format says how lines are laid out.
type Format string

// The formats.
const (
	Auto    Format = "auto"    // found by itself
	CSV     Format = "csv"     // fields that a separator divides, with or without a header
	JSON    Format = "json"    // one object a line
	Regexp  Format = "regexp"  // the groups of a regular expression
	Columns Format = "columns" // columns that blanks divide, as vmstat and free print them
	Logfmt  Format = "logfmt"  // key=value
)

// Formats lists every Format, in the order in which documents name them.
func Formats() []Format { return []Format{Auto, CSV, JSON, Regexp, Columns, Logfmt} }

// Config says how lines become samples. It stands inside the configuration of
// the sources that read lines.
type Config struct {
	// Format is how the lines are laid out: auto finds out, csv, json (an object
	// a line), regexp (with match), columns (as vmstat and free print them), or
	// logfmt (key=value).
	Format Format `yaml:"format"`
	// Match is a regular expression (RE2). Its groups are the columns: a named
	// one, (?P<ms>[0-9.]+), by its name, a single unnamed one as "value". Lines
	// that do not match are passed over.
	Match string `yaml:"match"`
	// Separator divides the fields of csv: one character, or "tab". Without it,
	// the first line decides among comma, semicolon, tab and |.
	Separator string `yaml:"separator"`
	// Header names the columns of csv and columns whose lines have no header.
	Header []string `yaml:"header"`
	// Time names the column that holds the time. Without it, one is looked for by
	// its name and by what it holds; "none" looks for none. Without a time, a
	// sample is of when it was read.
	Time string `yaml:"time"`
	// TimeFormat is how the time is written: unix, unix_ms, unix_us, unix_ns, or a
	// layout of Go's package time, as "2006-01-02 15:04:05". Without it the usual
	// forms are understood. A time without a zone is local.
	TimeFormat string `yaml:"time_format"`
	// Labels names the columns that become labels. Without it, that is the first
	// column that holds text, if the lines are csv or columns, and every named
	// group that matches text.
	Labels []string `yaml:"labels"`
	// Values names the columns that become samples; without it, all that hold
	// numbers.
	Values []string `yaml:"values"`
	// Metric is the name of a column's metric: {source} is replaced by the
	// source's name, {column} by the column's, in which all but letters and digits
	// became _ and % became percent. A column called "value" leaves _{column} out.
	Metric string `yaml:"metric"`
}

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() Config { return Config{Format: Auto, Metric: "{source}_{column}"} }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, want, format string, args ...any) {
		ps = append(ps, problem.Problem{Path: path, What: fmt.Sprintf(format, args...), Want: want})
	}
	if !slices.Contains(Formats(), c.Format) {
		add("format", problem.OneOf(c.Format, Formats()), "there is no format %q", c.Format)
	}
	re, err := regexp.Compile(c.Match)
	switch {
	case err != nil:
		add("match", "a regular expression as RE2 has it", "%v", err)
	case c.Match == "" && c.Format == Regexp:
		add("match", `a regular expression such as "took (?P<ms>[0-9.]+) ms"`, "is missing")
	case c.Match != "" && c.Format != Regexp && c.Format != Auto:
		add("match", "format: regexp, or no match", "format %s has no use for it", c.Format)
	case c.Match != "" && re.NumSubexp() == 0:
		add("match", `parentheses around the number: "took ([0-9.]+) ms"`, "the regular expression has no group")
	}
	if _, ok := separator(c.Separator); !ok {
		add("separator", `one character such as ";", or "tab"`, "%q is not one character", c.Separator)
	} else if c.Separator != "" && c.Format != CSV {
		add("separator", "format: csv, or no separator", "format %s has no use for it", c.Format)
	}
	if len(c.Header) > 0 && c.Format != CSV && c.Format != Columns {
		add("header", "format: csv or columns, or no header", "format %s has no use for it", c.Format)
	}
	for i, name := range c.Header {
		if strings.TrimSpace(name) == "" || slices.Contains(c.Header[:i], name) {
			add(fmt.Sprintf("header[%d]", i), "a name of its own for each column", "%q is empty or stands there twice", name)
		}
	}
	if !strings.Contains(c.Metric, "{column}") && len(c.Values) != 1 && c.Match == "" {
		add("metric", `a text with {column}, such as "{source}_{column}"`, "%q gives every column the same metric", c.Metric)
	}
	switch c.TimeFormat {
	case "", unixSec, unixMilli, unixMicro, unixNano:
	default:
		sample := time.Date(2001, 11, 23, 14, 15, 16, 0, time.UTC).Format(c.TimeFormat)
		if _, err := time.Parse(c.TimeFormat, sample); err != nil || sample == c.TimeFormat {
			add("time_format", `unix, unix_ms, unix_us, unix_ns, or a layout such as "2006-01-02 15:04:05"`, "%q is no layout of a time", c.TimeFormat)
		}
	}
	return ps
}

// MetricOf returns the name of a column's metric; source is what {source} stands
// for.
func (c *Config) MetricOf(source, column string) string {
	m := c.Metric
	if column == "value" {
		m = strings.ReplaceAll(m, "_{column}", "")
	}
	return strings.NewReplacer("{source}", source, "{column}", column).Replace(m)
}

// separator returns the byte that a setting stands for; 0 for none.
func separator(s string) (byte, bool) {
	switch {
	case s == "":
		return 0, true
	case s == "tab" || s == `\t`:
		return '\t', true
	case len(s) == 1 && s != `"` && s != "\n" && s != "\r":
		return s[0], true
	}
	return 0, false
}
