package sql

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// form is how :since is written, so that the database compares it with what the
// time column holds.
type form struct {
	dialect dialect
	loc     *time.Location // of times without a zone
	unit    int64          // of numbers, how many a second; 0: it is no number
	known   bool           // what follows has been found out
	naive   bool           // a DATETIME of MySQL, which has no zone
	text    bool
	sep     string // between date and time, of a text
	minutes bool   // such texts have no seconds
	wrong   error  // why PostgreSQL cannot have it in the type that it expects
}

var (
	errUnit     = errors.New(":since is compared with a number; say time_format: unix (seconds), unix_ms, unix_us or unix_ns")
	errInterval = errors.New("PostgreSQL takes :since for an interval; write :since::timestamptz")
	errNoTime   = errors.New("the query has :since, but its result no column with a time; call one time, or say time_column")
)

// settled reports whether value can be asked for.
func (f *form) settled() bool { return f.known || f.unit != 0 || f.dialect == postgres }

// value returns the argument that stands for a time in ms.
func (f *form) value(ms int64) any {
	at := time.UnixMilli(ms).UTC()
	switch {
	case f.dialect == postgres:
		return mark{at, f}
	case f.unit != 0:
		return f.number(at)
	case f.text:
		return f.layout(at)
	case f.naive:
		return f.face(at)
	}
	return at
}

// face returns what clocks show at a time, as if they were in UTC.
func (f *form) face(at time.Time) time.Time {
	_, offset := at.In(f.loc).Zone()
	return at.Add(time.Duration(offset) * time.Second)
}

// number and layout round down: what comes twice is noticed, what does not come
// is not.
func (f *form) number(at time.Time) int64 {
	return at.Unix()*f.unit + int64(at.Nanosecond())/1e6*f.unit/1e3
}

func (f *form) layout(at time.Time) string {
	if f.sep == "" { // days without an hour; a day with one is not before it
		return at.In(f.loc).Format(time.DateOnly)
	}
	clock := time.TimeOnly
	if f.minutes {
		clock = "15:04"
	}
	return at.In(f.loc).Format(time.DateOnly + f.sep + clock)
}

// learn finds out what SQLite has in its time column, by one value: its type and
// what it is as a text.
func (f *form) learn(kind, value string) error {
	switch kind {
	case "integer", "real":
		v, err := strconv.ParseFloat(value, 64)
		c := clock{}
		if _, ok := c.epoch(v); err != nil || !ok {
			return fmt.Errorf("the time column holds %.40s, which is no time; want a text such as 2006-01-02 15:04:05, or seconds or ms since 1970", value)
		}
		f.unit = 1
		for _, unit := range []int64{1e3, 1e6, 1e9} {
			if v >= 1e8*float64(unit) { // as in epoch: 1e11, 1e14, 1e17
				f.unit = unit
			}
		}
	case "text":
		c := clock{loc: f.loc}
		if _, err := strconv.ParseFloat(value, 64); err == nil {
			return errUnit
		}
		for _, layout := range layouts {
			t, err := time.ParseInLocation(layout, value, c.loc)
			if err != nil {
				continue
			}
			f.text, f.sep, f.loc = true, value[len(time.DateOnly):min(len(value), len(time.DateOnly)+1)], t.Location()
			f.minutes = strings.HasSuffix(layout, "15:04")
			f.known = true
			return nil
		}
		return fmt.Errorf("the time column holds %.40q, which is no time; want a text such as 2006-01-02 15:04:05, or seconds or ms since 1970", value)
	}
	return nil
}

// settle finds out how :since must be written, before the first fetch. It may
// still be open after it, if a table is empty.
func (s *Source) settle(ctx context.Context, tx *stdsql.Tx) error {
	// Nothing is newer than NULL: that costs nothing and tells the columns.
	rows, err := tx.QueryContext(ctx, s.query.text, s.arguments(nil)...)
	if err != nil {
		return err
	}
	types, err := rows.ColumnTypes()
	if err == nil {
		err = rows.Close()
	}
	if err != nil {
		_ = rows.Close()
		return err
	}
	p, err := s.newPlan(types)
	if err != nil {
		return err
	}
	if p.time < 0 {
		return errNoTime
	}
	if s.since.dialect == mysql {
		col := p.cols[p.time]
		switch {
		case col.kind == number:
			return errUnit
		case col.kind == words:
			s.since.text = true
		case col.dbType != "TIMESTAMP":
			s.since.naive = true
		}
		s.since.known = true
		return nil
	}
	// Any column may hold anything here. Numbers come before texts, so that all is
	// greater than the least number.
	name := `"` + strings.ReplaceAll(p.cols[p.time].name, `"`, `""`) + `"`
	one := "SELECT typeof(" + name + "), CAST(" + name + " AS TEXT) FROM (" + s.query.text + "\n) WHERE " + name + " IS NOT NULL LIMIT 1"
	var kind, value string
	err = tx.QueryRowContext(ctx, one, s.arguments(int64(-1<<63))...).Scan(&kind, &value)
	if errors.Is(err, stdsql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for what the time column holds (time_format says it, too): %w", err)
	}
	return s.since.learn(kind, value)
}

// arguments returns what stands for each :since.
func (s *Source) arguments(since any) []any {
	n := s.query.marks
	if s.dsn.dialect != mysql {
		n = min(n, 1) // one that is numbered
	}
	args := make([]any, n)
	for i := range args {
		args[i] = since
	}
	return args
}

// mark is a time for PostgreSQL, which says of each parameter what type it
// expects: pgx asks for that one. If there is an error it asks for a text, which
// is why the error is kept.
type mark struct {
	at   time.Time
	form *form
}

// TimestamptzValue implements pgtype.TimestamptzValuer.
func (m mark) TimestamptzValue() (pgtype.Timestamptz, error) {
	return pgtype.Timestamptz{Time: m.at, Valid: true}, nil
}

// TimestampValue implements pgtype.TimestampValuer.
func (m mark) TimestampValue() (pgtype.Timestamp, error) {
	return pgtype.Timestamp{Time: m.form.face(m.at), Valid: true}, nil
}

// DateValue implements pgtype.DateValuer.
func (m mark) DateValue() (pgtype.Date, error) {
	return pgtype.Date{Time: m.form.face(m.at), Valid: true}, nil
}

// TextValue implements pgtype.TextValuer.
func (m mark) TextValue() (pgtype.Text, error) {
	return pgtype.Text{String: m.form.layout(m.at), Valid: true}, nil
}

// Int64Value implements pgtype.Int64Valuer.
func (m mark) Int64Value() (pgtype.Int8, error) {
	if m.form.unit == 0 {
		m.form.wrong = errUnit
		return pgtype.Int8{}, errUnit
	}
	return pgtype.Int8{Int64: m.form.number(m.at), Valid: true}, nil
}

// Float64Value implements pgtype.Float64Valuer.
func (m mark) Float64Value() (pgtype.Float8, error) {
	n, err := m.Int64Value()
	return pgtype.Float8{Float64: float64(n.Int64), Valid: n.Valid}, err
}

// IntervalValue implements pgtype.IntervalValuer, with an error that says more
// than that there is none.
func (m mark) IntervalValue() (pgtype.Interval, error) {
	m.form.wrong = errInterval
	return pgtype.Interval{}, errInterval
}
