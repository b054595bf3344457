// Package sql asks a database, again and again, and turns the rows of the answer
// into samples. PostgreSQL, MySQL, MariaDB and SQLite are understood.
//
// # Columns
//
// One column may hold the time: the one that is named by time_column, or called
// time, timestamp, ts, datetime, t, date, epoch or created_at, or the first whose
// type is a time. Columns of numbers make samples, a metric each; columns of text
// make labels, which tell series apart; text in a column called metric names the
// metric, as it does in Grafana. What is none of this, such as JSON, is left out.
// NULL, NaN and what is infinite are a gap in the line; NULL in a label leaves
// that label out. A value that is no number, and a row without a time, are counted
// and shown as rejected, and the rest of the row or of the answer is kept.
//
// Where there is no time column, rows say how it is now. A series that an answer
// has no more ends in a gap, and all do while the database is away.
//
// # Only what is new
//
// :since in the query is the time of the newest row that has come, less overlap:
// "WHERE time > :since". At first it is the present less since, and it is never
// further back than that, nor ahead of the present, wherever a row claims to be.
// At least the rows of the newest moment thus come again, and with them those that
// were committed after it but are of the same time or, within overlap, of an
// earlier one. A sample that has come before is not taken again; one whose value
// has changed is, and replaces the old one. So nothing is lost that arrives no
// later than overlap after newer rows, and nothing comes twice. What arrives later
// than that is not seen; a LIMIT in the query must be above the rows that an
// overlap has.
//
// It is passed as what the time is compared with: PostgreSQL says itself which
// type it expects; in MySQL and SQLite it is what the time column of the result
// is. A number needs time_format, but in SQLite, which is asked for a row to see
// what it has: seconds, ms, or texts as 2006-01-02 15:04:05, with a T too.
//
// A query without :since is answered whole each time; rows that have a time count
// once.
//
// # Safety
//
// There is one connection at most. Each query runs in a transaction that is
// declared read only, which PostgreSQL and MySQL enforce; a SQLite file is opened
// for reading. It ends after timeout, on the server too. Only one statement is
// sent. Rows are taken one by one, and more than max_rows are an error, so that
// memory stays bounded.
package sql

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

// grace is how much longer than the server the client waits, so that the server
// says that the time is over.
const grace = 500 * time.Millisecond

// noOperator is what PostgreSQL says of types that cannot be compared.
const noOperator = "42883"

// Source asks one database.
type Source struct {
	cfg   *Config
	deps  source.Deps
	dsn   dsn
	query bound
	clock clock

	since  form
	newest int64 // time of the newest row, in ms; 0 before the first
	seen   *seen
	now    map[uint64]*present // series of rows without a time, by hash
	fetch  uint64              // counts fetches

	plan *plan
	row  []any
	keys store.Labels
}

// present is a series whose rows have no time.
type present struct {
	metric string
	labels store.Labels
	fetch  uint64 // that had it last
}

// Run implements source.Source.
func (s *Source) Run(ctx context.Context, app store.Appender) error {
	db, secrets, err := s.dsn.open(s.cfg.TimeZone)
	if err != nil {
		return scrub(err, secrets)
	}
	defer func() { _ = db.Close() }()
	tick := time.NewTicker(s.cfg.Interval.Std())
	defer tick.Stop()
	for {
		if err := s.ask(ctx, db, app); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			s.absent(app, time.Now().UnixMilli(), true)
			return scrub(err, secrets)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// ask asks once and takes what is new.
func (s *Source) ask(ctx context.Context, db *stdsql.DB, app store.Appender) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.Timeout.Std()+grace, fmt.Errorf("no answer within timeout, %v", s.cfg.Timeout))
	defer cancel()
	err := s.askIn(ctx, db, app)
	if errors.Is(err, context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}

func (s *Source) askIn(ctx context.Context, db *stdsql.DB, app store.Appender) error {
	tx, err := db.BeginTx(ctx, &stdsql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if limit := s.limit(); limit != "" {
		if _, err := tx.ExecContext(ctx, limit); err != nil {
			return fmt.Errorf("setting the timeout: %w", err)
		}
	}
	now := time.Now().UnixMilli()
	var args []any
	if s.query.marks > 0 {
		if !s.since.settled() {
			if err := s.settle(ctx, tx); err != nil {
				return s.explain(err)
			}
		}
		s.since.wrong = nil
		args = s.arguments(s.since.value(s.from(now)))
	}
	rows, err := tx.QueryContext(ctx, s.query.text, args...)
	if err != nil {
		return s.explain(err)
	}
	defer func() { _ = rows.Close() }()
	newest, err := s.take(rows, now, app)
	if err == nil {
		err = rows.Err()
	}
	if err != nil {
		s.seen.done(false, 0)
		return s.explain(err)
	}
	s.newest = newest
	oldest := int64(-maxMillis)
	if s.query.marks > 0 {
		// A second less: a time may have been rounded down on its way.
		oldest = s.from(now) - 1000
	}
	s.seen.done(true, oldest)
	s.absent(app, now, false)
	return nil
}

// limit returns the statement that tells the server how long a query may take.
func (s *Source) limit() string {
	ms := s.cfg.Timeout.Millis()
	switch s.dsn.dialect {
	case postgres:
		return fmt.Sprintf("SET LOCAL statement_timeout = %d", ms)
	case mysql:
		// Each server reads one of the two comments. DROP and its like end a
		// transaction before they begin, so that the session must be read only, too.
		// Without a zone of its own, it would read TIMESTAMPs in the server's.
		return fmt.Sprintf("SET SESSION /*M!100101 max_statement_time = %d.%03d, tx_read_only = 1, */ /*!50720 max_execution_time = %d, transaction_read_only = 1, */ time_zone = '+00:00'", ms/1000, ms%1000, ms)
	}
	return ""
}

// from returns the time, in ms, from which on rows are asked for.
func (s *Source) from(now int64) int64 {
	from := now - s.cfg.Since.Millis()
	if s.newest == 0 {
		return from
	}
	return max(from, min(s.newest, now)-max(s.cfg.Overlap.Millis(), 1))
}

// take reads the rows of an answer. It returns the time of the newest row that
// there ever was, in ms.
func (s *Source) take(rows *stdsql.Rows, now int64, app store.Appender) (newest int64, err error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return 0, err
	}
	if s.plan, err = s.newPlan(types); err != nil {
		return 0, err
	}
	if s.plan.time < 0 && s.query.marks > 0 {
		return 0, errNoTime
	}
	s.fetch++
	s.row = make([]any, len(types))
	into := make([]any, len(types))
	for i := range into {
		into[i] = &s.row[i]
	}
	t := taker{Source: s, app: app, now: now, newest: s.newest}
	for rows.Next() {
		if t.rows++; t.rows > s.cfg.MaxRows {
			return 0, fmt.Errorf("the result has more than max_rows, %d; add a LIMIT or a condition, ask for a shorter time with since, or raise max_rows", s.cfg.MaxRows)
		}
		if err := rows.Scan(into...); err != nil {
			return 0, err
		}
		t.take()
	}
	if t.skipped > 0 {
		s.deps.Skip(t.skipped)
	}
	s.deps.Logger.Debug("fetched", zap.Int("rows", t.rows), zap.Int("samples", t.samples))
	return t.newest, nil
}

// explain says what an error of a query is about.
func (s *Source) explain(err error) error {
	if s.since.wrong != nil {
		return s.since.wrong // what the server said is about what was sent instead
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		if s.query.marks > 0 && pg.Code == noOperator && strings.Contains(pg.Message, "interval") {
			return fmt.Errorf("query: %w (%w)", errInterval, err)
		}
		if near := near(s.query.text, int(pg.Position)); near != "" {
			return fmt.Errorf("query: near %q: %w", near, err)
		}
	}
	return fmt.Errorf("query: %w", err)
}

// near returns what stands at a character of a query, counted from 1.
func near(query string, position int) string {
	runes := []rune(query)
	if position < 1 || position > len(runes) {
		return ""
	}
	rest := strings.Join(strings.Fields(string(runes[position-1:min(len(runes), position+29)])), " ")
	return strings.TrimSpace(rest)
}
