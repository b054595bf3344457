package lines

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/store"
)

// Column is what is known of a column of numbers. It is never changed.
type Column struct {
	// Name is what the line or its header calls it: "%user".
	Name string
	// Group is the heading that it stands under: "cpu"; may be empty.
	Group string
	// Table tells columns of different headers, or kinds of lines, apart.
	Table int
	// Unit is what the values are, as far as that shows; Scale is what a value is
	// to be multiplied by for that.
	Unit  Unit
	Scale float64
	// Rows says that the rows have names that no header speaks of, as free's Mem
	// and Swap: they are things of their own.
	Rows bool
}

// Sample is one number of a line.
type Sample struct {
	Metric string
	Labels store.Labels
	T      int64 // ms since the Unix epoch
	V      float64
	Column *Column
	// Timed says that the line gave the time.
	Timed bool
}

// role is what a column is for.
type role uint8

const (
	undecided role = iota
	measure
	label
	instant
	day  // one without an hour, which a column beside it may hold
	hour // a time without a day, which says nothing that the arrival does not
	unused
)

// column is a column of a schema.
type column struct {
	name   string
	role   role
	asked  bool // a number, because the configuration says so
	public *Column
	id     string // of the metric, which is its own among the columns
	metric string
	label  string
	clock  clock
	known  map[string]*named // the values of a label
	second *column           // of "a / b"
}

// schema is the columns that lines of one kind have.
type schema struct {
	id     int
	key    string
	group  string
	cols   []*column
	byName map[string]*column // if cells come by name

	labels   []*column // sorted by label's name
	instant  *column
	day      *column
	guess    bool  // text may be a label without being asked for
	nameless bool  // there was no header
	newest   int64 // time of the last line that said none itself, in ms, if there are no labels

	wide     bool // two blanks divide
	rowFirst bool // the first cell has no header: it names the row
}

// named is a label's value, and when it came last, in ms, without a time of its
// own.
type named struct {
	text   string
	newest int64
}

// ahead is how far into the future lines that come all at once may reach, in
// ms.
const ahead = 5000

// entry is a cell of a line, and where it belongs.
type entry struct {
	col  *column
	text []byte
	unit Unit // that stands behind the cell
}

// maxColumns bounds the columns of all schemas together, and maxGuessed the
// values of a label that nobody asked for.
const (
	maxColumns = 2048
	maxGuessed = 200
	maxAsked   = 10_000
)

// newSchema returns a schema without columns.
func (r *Reader) newSchema(key string) *schema {
	r.tables++
	return &schema{id: r.tables, key: key, byName: map[string]*column{}}
}

// add adds a column to a schema.
func (r *Reader) add(s *schema, name, group string) (*column, error) {
	if r.columns >= maxColumns {
		return nil, fmt.Errorf("the lines have more than %d different columns", maxColumns)
	}
	r.columns++
	c := &column{name: name, clock: clock{format: r.cfg.TimeFormat}}
	c.public = &Column{Name: name, Group: group, Table: s.id, Scale: 1, Rows: s.rowFirst}
	c.label = Identifier(strings.TrimSuffix(name, ":"))
	if !slices.Contains(r.cfg.Labels, name) {
		c.label = strings.ToLower(c.label)
	}
	id := Identifier(name)
	for n := 2; slices.ContainsFunc(s.cols, func(o *column) bool { return o.id == id }); n++ {
		id = fmt.Sprintf("%s_%d", Identifier(name), n)
	}
	c.id, c.metric = id, r.cfg.MetricOf(r.source, id)
	switch {
	case slices.Contains(r.cfg.Labels, name):
		c.role = label
	case r.cfg.Time == name:
		c.role = instant
	case slices.Contains(r.cfg.Values, name):
		c.role, c.asked = measure, true
	}
	s.cols = append(s.cols, c)
	s.byName[name] = c
	s.enlist(c)
	return c, nil
}

// enlist notes what a column's role asks for.
func (s *schema) enlist(c *column) {
	switch c.role {
	case label:
		c.known = map[string]*named{}
		s.labels = append(s.labels, c)
		slices.SortFunc(s.labels, func(a, b *column) int { return strings.Compare(a.label, b.label) })
	case instant:
		if s.instant == nil {
			s.instant = c
		}
	case day:
		s.day = c
	}
}

// decide finds out what a column is for by the first thing it holds.
func (r *Reader) decide(s *schema, c *column, text []byte) {
	_, unit, isNumber := r.value(text)
	timely := r.cfg.Time == "" && s.instant == nil
	switch {
	case missing(text):
		return
	case timely && IsTimeName(c.name) && r.isTime(c, text, false):
		c.role = instant
	case timely && s.day == nil && r.cfg.TimeFormat == "" && date(text) && (IsTimeName(c.name) || s.nameless && c == s.cols[0]):
		c.role = day
	case timeOfDay(text):
		c.role = hour
	case timely && s.nameless && len(s.cols) > 1 && c == s.cols[0] && isNumber && r.nearby(text):
		c.role = instant
	case isNumber && len(r.cfg.Values) > 0:
		c.role = unused // others were asked for
	case isNumber && (!s.guess || !isIDName(c.name) || slices.Index(s.cols, c) >= 2):
		c.role = measure
		r.name(c, unit)
	case timely && r.isTime(c, text, true):
		c.role = instant
	case s.guess && len(r.cfg.Labels) == 0 && len(s.labels) == 0 || s.byNameLabel(c) && len(r.cfg.Labels) == 0:
		c.role = label
	default:
		c.role = unused
	}
	s.enlist(c)
}

// byNameLabel reports whether a cell that came with its name is a label by it.
func (s *schema) byNameLabel(c *column) bool {
	return !s.guess && len(s.labels) == 0 && isNameName(c.name)
}

// name gives a column of numbers the unit that it shows.
func (r *Reader) name(c *column, shown Unit) {
	pub := *c.public
	if pub.Unit = shown; shown == None {
		pub.Unit, pub.Scale = unitByName(c.name)
	}
	c.public = &pub
}

// value reads a number as the lines write them.
func (r *Reader) value(b []byte) (v float64, u Unit, ok bool) {
	if r.comma {
		if v, ok := decimalComma(b, r.scratch[:]); ok {
			return v, None, true
		}
	}
	return value(b)
}

// nearby reports whether a number may be a time of these years.
func (r *Reader) nearby(text []byte) bool {
	const years = 5 * 365 * 24 * 3600 * 1000
	v, ok := number(text)
	if !ok || v < 1e9 {
		return false
	}
	return max(epoch(v)-r.now, r.now-epoch(v)) < years
}

func (r *Reader) isTime(c *column, text []byte, strict bool) bool {
	ms, ok := c.clock.read(text, r.now, strict)
	return ok && ms > 0
}

// emit appends the samples of a line.
func (r *Reader) emit(s *schema, row []entry) error {
	t, timed := r.now, false
	for i := range row {
		if row[i].col.role == undecided {
			r.decide(s, row[i].col, row[i].text)
		}
		if c := row[i].col; c.role == hour && !timeOfDay(row[i].text) {
			return nil // such as sar's last line, "Average:"
		}
	}
	if said, ok, err := r.when(s, row); err != nil {
		return err
	} else if ok {
		t, timed = said, true
	}
	labels, newest, err := r.labelsOf(s, row)
	if err != nil {
		return err
	}
	if !timed {
		// Of lines of one moment, each shows.
		if *newest >= t && *newest < t+ahead {
			t = *newest + 1
		}
		*newest = t
	}
	before := len(r.out)
	for i := range row {
		c := row[i].col
		if c.role == unused {
			r.Skipped++
			continue
		}
		if c.role != measure || missing(row[i].text) {
			continue
		}
		v, unit, ok := r.value(row[i].text)
		if !ok {
			r.out = r.out[:before]
			return fmt.Errorf("column %q: %.40q is no number", c.name, row[i].text)
		}
		if c.public.Unit == None && (unit != None || row[i].unit != None) {
			r.name(c, cmp.Or(unit, row[i].unit)) // a zero may have come without
		}
		r.out = append(r.out, Sample{c.metric, labels, t, v, c.public, timed})
	}
	return nil
}

// when returns the time that a line says, in ms; ok is false if it says none.
func (r *Reader) when(s *schema, row []entry) (ms int64, ok bool, err error) {
	c := cmp.Or(s.instant, s.day)
	if c == nil {
		return 0, false, nil
	}
	for i := range row {
		if row[i].col != c {
			continue
		}
		text := row[i].text
		if c == s.day {
			ms, ok = dayAt(text, hourIn(row))
		}
		if !ok {
			ms, ok = c.clock.read(text, r.now, false)
		}
		if !ok {
			return 0, false, fmt.Errorf("column %q: %.40q is no time that is understood; see time_format", c.name, text)
		}
	}
	return ms, ok, nil
}

// hourIn returns the time without a day that stands in a line.
func hourIn(row []entry) []byte {
	for i := range row {
		if row[i].col.role == hour {
			return row[i].text
		}
	}
	return []byte("00:00")
}

// labelsOf returns the labels of a line, which are valid until the next one, and
// when one of the first label came last.
func (r *Reader) labelsOf(s *schema, row []entry) (labels store.Labels, newest *int64, err error) {
	newest = &s.newest
	if len(s.labels) == 0 {
		return nil, newest, nil
	}
	r.labels = r.labels[:0]
	for _, c := range s.labels {
		for i := range row {
			if row[i].col != c || len(row[i].text) == 0 {
				continue
			}
			text := row[i].text
			if s.rowFirst && len(text) > 1 && text[len(text)-1] == ':' {
				text = text[:len(text)-1]
			}
			v, ok := c.known[string(text)]
			if !ok {
				limit := maxAsked
				if !slices.Contains(r.cfg.Labels, c.name) {
					limit = maxGuessed
				}
				if len(c.known) >= limit {
					return nil, nil, fmt.Errorf("column %q is taken for a label and has more than %d different values; name the columns that are labels", c.name, limit)
				}
				v = &named{text: strings.ToValidUTF8(string(text), "\uFFFD")}
				c.known[string(text)] = v
			}
			if len(r.labels) == 0 {
				newest = &v.newest
			}
			r.labels = append(r.labels, store.Label{Name: c.label, Value: v.text})
			break
		}
	}
	return r.labels, newest, nil
}
