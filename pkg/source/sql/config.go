package sql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
)

// Kind is what "type:" says.
const Kind = "sql"

// Config describes a source that asks a database.
type Config struct {
	// DSN says where the database is: postgres://user:password@host/database,
	// mysql://user:password@host/database (MariaDB, too), or sqlite:/path/to/file.
	// Parameters of the driver follow a ?; a socket is ?host=/run/postgresql or
	// ?socket=/run/mysqld/mysqld.sock. It is needed, and never shown. A user who
	// may only read is the right one.
	DSN secret.Text `yaml:"dsn"`
	// Query is one statement whose rows become samples. It is needed. In it,
	// :since stands for the time from which on rows are new.
	Query string `yaml:"query"`
	// Interval is the time between two fetches.
	Interval quantity.Duration `yaml:"interval"`
	// Timeout is how long a fetch may take. The server is told, too.
	Timeout quantity.Duration `yaml:"timeout"`
	// Since is how far back :since reaches: at the first fetch, and after the
	// database was away for longer.
	Since quantity.Duration `yaml:"since"`
	// Overlap is how far behind the newest row :since stays, for rows that are
	// committed late. What comes again is not taken twice.
	Overlap quantity.Duration `yaml:"overlap"`
	// TimeColumn names the column that holds the time. Without it, one is looked
	// for by its name, such as time or ts, and by its type; "none" looks for none.
	// Without a time, a row is of when it was fetched.
	TimeColumn string `yaml:"time_column"`
	// TimeFormat says what numbers are that stand for a time: unix (seconds),
	// unix_ms, unix_us or unix_ns; :since is then such a number. It is needed where
	// PostgreSQL or MySQL compares :since with a number. Without it, numbers in
	// the time column are taken by their size.
	TimeFormat string `yaml:"time_format"`
	// TimeZone is where times without a zone are from, as "Europe/Berlin" or
	// "Local".
	TimeZone string `yaml:"time_zone"`
	// MetricColumn names the column whose text tells metrics apart. Without it,
	// that is a text column called metric.
	MetricColumn string `yaml:"metric_column"`
	// Labels names the columns that become labels; without it, all that hold text.
	Labels []string `yaml:"labels"`
	// Values names the columns that become samples; without it, all that hold
	// numbers.
	Values []string `yaml:"values"`
	// Metric is the name of a column's metric: {source} is replaced by the
	// source's name, {column} by the column's, in which all but letters and digits
	// became _ and % became percent. A column called "value" leaves _{column} out.
	// Where there is a metric column, its text stands before that of the column.
	Metric string `yaml:"metric"`
	// MaxRows is how many rows a fetch may give. More are an error.
	MaxRows int `yaml:"max_rows"`
}

// Limits of the settings.
const (
	minInterval = quantity.Duration(100 * time.Millisecond)
	minTimeout  = quantity.Duration(100 * time.Millisecond)
	maxTimeout  = quantity.Duration(10 * time.Minute)
	maxInterval = quantity.Duration(24 * time.Hour)
	maxSince    = quantity.Duration(3660 * 24 * time.Hour)
	maxMaxRows  = 10_000_000
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{
		Interval: quantity.Duration(5 * time.Second), Timeout: quantity.Duration(10 * time.Second),
		Since: quantity.Duration(time.Hour), Overlap: quantity.Duration(5 * time.Second),
		TimeZone: "UTC", Metric: "{source}_{column}", MaxRows: 200_000,
	}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, want, format string, args ...any) {
		ps = append(ps, problem.Problem{Path: path, What: fmt.Sprintf(format, args...), Want: want})
	}
	dsn, err := parseDSN(c.DSN.Reveal())
	switch {
	case c.DSN == "":
		add("dsn", dsnWant, "is missing")
	case err != nil:
		add("dsn", dsnWant, "%v", err)
	}
	if strings.TrimSpace(c.Query) == "" {
		add("query", "a query, as SELECT time, value FROM readings WHERE time > :since", "is missing")
	} else if _, err := bind(c.Query, dsn.dialect); err != nil && dsn.dialect != unknown {
		add("query", "one statement, as SELECT time, value FROM readings WHERE time > :since", "%v", err)
	}
	for _, d := range []struct {
		path        string
		v, min, max quantity.Duration
	}{
		{"interval", c.Interval, minInterval, maxInterval},
		{"timeout", c.Timeout, minTimeout, maxTimeout},
		{"since", c.Since, minInterval, maxSince},
		{"overlap", c.Overlap, 0, maxSince},
	} {
		if d.v < d.min || d.v > d.max {
			add(d.path, fmt.Sprintf("a duration from %v to %v", d.min, d.max), "%v is out of range", d.v)
		}
	}
	if _, ok := unitOf(c.TimeFormat); !ok {
		add("time_format", "unix, unix_ms, unix_us or unix_ns", "%q is no format of a time", c.TimeFormat)
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		add("time_zone", `a name such as "UTC", "Local" or "Europe/Berlin"`, "there is no time zone %q", c.TimeZone)
	}
	ps = append(ps, c.validateColumns()...)
	if c.MaxRows < 1 || c.MaxRows > maxMaxRows {
		add("max_rows", fmt.Sprintf("a number from 1 to %d", maxMaxRows), "%d is out of range", c.MaxRows)
	}
	return ps
}

// validateColumns looks at what columns are for.
func (c *Config) validateColumns() []problem.Problem {
	var ps []problem.Problem
	used := map[string]string{}
	use := func(path, name string) {
		switch prior, ok := used[name]; {
		case name == "":
			ps = append(ps, problem.Problem{Path: path, What: "is empty", Want: "the name of a column"})
		case ok:
			ps = append(ps, problem.Problem{Path: path, What: fmt.Sprintf("%q is named by %s, too", name, prior), Want: "each column once"})
		}
		used[name] = path
	}
	if c.TimeColumn != "" {
		use("time_column", c.TimeColumn)
	}
	if c.MetricColumn != "" {
		use("metric_column", c.MetricColumn)
	}
	for i, name := range c.Labels {
		use(fmt.Sprintf("labels[%d]", i), name)
	}
	for i, name := range c.Values {
		use(fmt.Sprintf("values[%d]", i), name)
	}
	if c.Metric == "" {
		ps = append(ps, problem.Problem{Path: "metric", What: "is empty", Want: `a text such as "{source}_{column}"`})
	} else if !strings.Contains(c.Metric, "{column}") && len(c.Values) > 1 {
		ps = append(ps, problem.Problem{Path: "metric", What: fmt.Sprintf("%q gives every column the same metric", c.Metric), Want: `a text with {column}, such as "{source}_{column}"`})
	}
	return ps
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	d, err := parseDSN(c.DSN.Reveal())
	if err != nil {
		return nil, fmt.Errorf("dsn: %w", err)
	}
	q, err := bind(c.Query, d.dialect)
	if err != nil && c.Query != "" {
		return nil, fmt.Errorf("query: %w", err)
	}
	loc, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time_zone: %w", err)
	}
	unit, _ := unitOf(c.TimeFormat)
	return &Source{
		cfg: c, deps: deps, dsn: d, query: q,
		clock: clock{loc: loc, unit: unit},
		since: form{dialect: d.dialect, unit: unit, loc: loc},
		seen:  newSeen(), now: map[uint64]*present{},
	}, nil
}

// isNamed reports whether the configuration names a column for anything.
func (c *Config) isNamed(column string) bool {
	return column == c.TimeColumn || column == c.MetricColumn || slices.Contains(c.Labels, column) || slices.Contains(c.Values, column)
}
