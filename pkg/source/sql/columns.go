package sql

import (
	"cmp"
	stdsql "database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/source/lines"
)

// kind is what a column holds.
type kind int

const (
	undecided kind = iota // SQLite only: the first value decides
	number                // a sample
	words                 // a label
	moment                // a time
	left                  // nothing that a chart can show
)

// column is one of a result.
type column struct {
	name   string
	dbType string
	kind   kind
	naive  bool   // a time without a zone comes as if it were in UTC
	label  string // its name as a label
	id     string // its name in metrics
	metric string // of its samples, where there is no metric column
}

// plan is what the columns of a result are for.
type plan struct {
	cols   []column
	time   int   // index, or -1
	metric int   // index, or -1
	labels []int // sorted by the names of the labels
	values []int
}

// timeNames are what columns are called that hold the time, the likeliest first.
var timeNames = [...]string{"time", "timestamp", "ts", "datetime", "t", "date", "epoch", "created_at"}

// newPlan finds out what columns are for.
func (s *Source) newPlan(types []*stdsql.ColumnType) (*plan, error) {
	p := &plan{time: -1, metric: -1}
	for _, t := range types {
		c := column{name: t.Name(), dbType: strings.ToUpper(t.DatabaseTypeName())}
		c.kind = kindOf(s.dsn.dialect, c.dbType)
		c.naive = s.dsn.dialect == postgres && c.dbType != "TIMESTAMPTZ" || s.dsn.dialect == mysql && c.dbType != "TIMESTAMP"
		c.label = lines.Identifier(c.name)
		c.id = c.label
		format := lines.Config{Metric: s.cfg.Metric}
		c.metric = format.MetricOf(s.deps.Name, c.id)
		p.cols = append(p.cols, c)
	}
	if err := p.check(s.cfg); err != nil {
		return nil, err
	}
	p.time = p.findTime(s.cfg.TimeColumn)
	p.metric = p.find(s.cfg.MetricColumn)
	if p.metric < 0 {
		p.metric = slices.IndexFunc(p.cols, func(c column) bool {
			return strings.EqualFold(c.name, "metric") && (c.kind == words || c.kind == undecided) && !s.cfg.isNamed(c.name)
		})
	}
	p.assign(s.cfg)
	if len(p.values) == 0 && !slices.ContainsFunc(p.cols, func(c column) bool { return c.kind == undecided }) {
		return nil, fmt.Errorf("the result has no column of numbers: it has %s; cast one, or say values", p.names())
	}
	return p, nil
}

// check holds that the columns that the configuration names are there, once.
func (p *plan) check(cfg *Config) error {
	named := slices.Concat(cfg.Labels, cfg.Values)
	if cfg.TimeColumn != "none" {
		named = append(named, cfg.TimeColumn)
	}
	for _, name := range append(named, cfg.MetricColumn) {
		if name != "" && p.find(name) < 0 {
			return fmt.Errorf("the result has no column %q: it has %s", name, p.names())
		}
	}
	for i, c := range p.cols {
		if j := p.find(c.name); j != i {
			return fmt.Errorf("the result has two columns %q; give one of them another name with AS", c.name)
		}
	}
	return nil
}

// assign makes labels and values of what is neither time nor metric.
func (p *plan) assign(cfg *Config) {
	p.labels, p.values = p.labels[:0], p.values[:0]
	for i, c := range p.cols {
		switch {
		case i == p.time || i == p.metric:
		case slices.Contains(cfg.Labels, c.name):
			p.labels = append(p.labels, i)
		case slices.Contains(cfg.Values, c.name):
			p.values = append(p.values, i)
		case c.kind == words && len(cfg.Labels) == 0:
			p.labels = append(p.labels, i)
		case c.kind == number && len(cfg.Values) == 0:
			p.values = append(p.values, i)
		}
	}
	slices.SortFunc(p.labels, func(a, b int) int { return cmp.Compare(p.cols[a].label, p.cols[b].label) })
	p.labels = slices.CompactFunc(p.labels, func(a, b int) bool { return p.cols[a].label == p.cols[b].label })
}

// decide lets the values of a row say what columns of SQLite hold whose type does
// not.
func (p *plan) decide(row []any, cfg *Config) {
	decided := false
	for i := range p.cols {
		c := &p.cols[i]
		if c.kind != undecided || row[i] == nil {
			continue
		}
		decided = true
		switch row[i].(type) {
		case int64, float64, bool:
			c.kind = number
		case string:
			c.kind = words
		default:
			c.kind = left
		}
	}
	if decided {
		p.assign(cfg)
	}
}

// find returns the index of a column, or -1.
func (p *plan) find(name string) int {
	return slices.IndexFunc(p.cols, func(c column) bool { return c.name == name })
}

func (p *plan) findTime(name string) int {
	if name == "none" {
		return -1
	}
	if name != "" {
		return p.find(name)
	}
	for _, want := range timeNames {
		if i := slices.IndexFunc(p.cols, func(c column) bool { return strings.EqualFold(c.name, want) && c.kind != left }); i >= 0 {
			return i
		}
	}
	return slices.IndexFunc(p.cols, func(c column) bool { return c.kind == moment })
}

// names lists the columns for an error.
func (p *plan) names() string {
	var list []string
	for _, c := range p.cols {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%q %s", c.name, strings.ToLower(c.dbType))))
	}
	return fmt.Sprintf("%.300s", strings.Join(list, ", "))
}

// Types of PostgreSQL for which pgx has no name but their number.
const (
	timetz = "1266"
	money  = "790"
)

// text returns the value of a row's cell as a label has it. PostgreSQL fills a
// CHAR(n) up with blanks, which to it mean nothing.
func (c *column) text(v any) string {
	if c.dbType == "BPCHAR" {
		return strings.TrimRight(text(v), " ")
	}
	return text(v)
}

// kindOf returns what a type of a database holds.
func kindOf(d dialect, dbType string) kind {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(dbType, part) })
	}
	switch {
	case d == sqlite && (dbType == "" || has("BLOB", "ANY")):
		return undecided
	case strings.HasPrefix(dbType, "_"), dbType == "NULL", dbType == "TIME", dbType == "TIMETZ", dbType == timetz, dbType == money,
		has("INTERVAL", "BYTEA", "BLOB", "BINARY", "JSON", "GEOM", "POINT", "RANGE", "VECTOR"):
		return left
	case strings.HasPrefix(dbType, "ENUM"): // which is no NUM
		return words
	case has("TIMESTAMP", "DATE"):
		return moment
	case has("INT", "NUM", "DEC", "FLOAT", "DOUBLE", "REAL", "BOOL", "SERIAL"), dbType == "YEAR", dbType == "OID", dbType == "BIT" && d == mysql:
		return number
	}
	return words
}
