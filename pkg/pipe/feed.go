package pipe

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/lines"
	"github.com/chartd/chartd/pkg/store"
)

// feed is the source of a page: it reads the lines that it is sent and notes
// what columns there are.
type feed struct {
	lines  chan []byte   // closed at the end of the input
	broken error         // why the input broke off; may be read when all was
	ended  chan struct{} // closed when all was read

	reader *lines.Reader
	deps   source.Deps
	out    []lines.Sample

	mu      sync.Mutex
	tables  []*table
	changed time.Time // when something new came; zero if nothing did
	last    *layoutKey
	rows    int   // lines with samples
	barren  int   // lines without
	first   int64 // time of the earliest sample, in ms; 0 if there is none
	newest  int64
	pace    pace
	charts  []*config.Chart
}

// maxRows bounds the rows of a table that are known by name.
const maxRows = 100

// table is what is known of the columns under one header.
type table struct {
	id    int
	label string // what names its rows; may be empty
	rows  []string
	cols  []*column
}

// column is what is known of a column.
type column struct {
	metric string
	public *lines.Column
	size   float64 // the largest magnitude so far; frozen once it was laid out
	least  float64
	value  float64  // the last one
	rows   []string // those that have it
	laid   bool
}

func newFeed(format lines.Config) *feed {
	return &feed{lines: make(chan []byte, waiting), ended: make(chan struct{}), reader: lines.New(format, "pipe")}
}

// Kind implements source.Config.
func (f *feed) Kind() string { return "pipe" }

// Validate implements problem.Validator.
func (f *feed) Validate() []problem.Problem { return nil }

// New implements source.Config.
func (f *feed) New(deps source.Deps) (source.Source, error) {
	f.deps = deps
	return f, nil
}

// Run implements source.Source. After the end of the input it waits for ctx: the
// source is well, though it has nothing more to give.
func (f *feed) Run(ctx context.Context, app store.Appender) error {
	from := f.lines
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-from:
			if !ok {
				from = nil
				close(f.ended)
				continue
			}
			f.read(line, app)
		}
	}
}

// read reads a line.
func (f *feed) read(line []byte, app store.Appender) {
	now := time.Now().UnixMilli()
	skipped := f.reader.Skipped
	var err error
	f.out, err = f.reader.Line(f.out[:0], line, now)
	if err != nil {
		f.deps.Reject(1, err)
	}
	if n := f.reader.Skipped - skipped; n > 0 {
		f.deps.Skip(n)
	}
	f.mu.Lock()
	if len(f.out) == 0 {
		f.barren++
	} else {
		f.rows++
		f.pace.note(f.out[0])
	}
	for i := range f.out {
		f.note(&f.out[i])
	}
	f.mu.Unlock()
	for i := range f.out {
		s := &f.out[i]
		// What the store refuses is counted and shown by the manager.
		_ = app.Append(s.Metric, s.Labels, s.T, s.V)
	}
}

// note takes a sample into account and brings it into the unit of its column.
// f.mu is held.
func (f *feed) note(s *lines.Sample) {
	t := f.table(s.Column.Table)
	row := ""
	if len(s.Labels) > 0 {
		t.label, row = s.Labels[0].Name, s.Labels[0].Value
		if !slices.Contains(t.rows, row) && len(t.rows) < maxRows {
			t.rows = append(t.rows, row)
			f.changed = time.Now()
		}
	}
	at := slices.IndexFunc(t.cols, func(c *column) bool { return c.public.Name == s.Column.Name && c.public.Group == s.Column.Group })
	if at < 0 {
		c := &column{metric: f.unused(s.Metric), public: s.Column, least: math.Inf(1)}
		at, t.cols = len(t.cols), append(t.cols, c)
		f.changed = time.Now()
	}
	c := t.cols[at]
	if row != "" && len(c.rows) < maxRows && !slices.Contains(c.rows, row) {
		c.rows = append(c.rows, row)
	}
	if c.public != s.Column {
		if c.public.Unit != s.Column.Unit {
			f.changed = time.Now()
		}
		c.public = s.Column
	}
	s.Metric = c.metric
	s.V *= s.Column.Scale
	c.value, c.least = s.V, min(c.least, s.V)
	if !c.laid {
		c.size = max(c.size, math.Abs(s.V))
	}
	if f.first == 0 || s.T < f.first {
		f.first = s.T
	}
	f.newest = max(f.newest, s.T)
}

func (f *feed) table(id int) *table {
	for _, t := range f.tables {
		if t.id == id {
			return t
		}
	}
	f.tables = append(f.tables, &table{id: id})
	return f.tables[len(f.tables)-1]
}

// unused returns a metric's name that no other column has.
func (f *feed) unused(metric string) string {
	for {
		taken := slices.ContainsFunc(f.tables, func(t *table) bool {
			return slices.ContainsFunc(t.cols, func(c *column) bool { return c.metric == metric })
		})
		if !taken {
			return metric
		}
		metric += "_"
	}
}

// unread returns how many lines had no numbers.
func (f *feed) unread() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.barren
}

// span returns the times of the earliest sample and the newest, in ms; 0 if
// there is none.
func (f *feed) span() (from, to int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first, f.newest
}

// pace is how far samples are apart.
type pace struct {
	metric string
	row    string
	last   int64
	gap    int64 // ms; smoothed
}

// note takes the first sample of a line into account.
func (p *pace) note(s lines.Sample) {
	row := ""
	if len(s.Labels) > 0 {
		row = s.Labels[0].Value
	}
	if p.metric == "" {
		p.metric, p.row, p.last = s.Metric, row, s.T
		return
	}
	if s.Metric != p.metric || row != p.row || s.T <= p.last {
		return
	}
	if gap := s.T - p.last; p.gap == 0 {
		p.gap = gap
	} else {
		p.gap = (3*p.gap + gap) / 4
	}
	p.last = s.T
}
