package sources

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
)

// TestPostgres asks a real PostgreSQL, TestMariaDB a real MariaDB: the same of both.
func TestPostgres(t *testing.T) {
	t.Parallel()
	askSQL(t, newPostgres(t))
}

func TestMariaDB(t *testing.T) {
	t.Parallel()
	askSQL(t, newMariaDB(t))
}

func askSQL(t *testing.T, s *sqlServer) {
	r := start(t, fmt.Sprintf(`
store: {max_age: 2h}
sources:
  live: {type: sql, dsn: %q, interval: 100ms, overlap: 1s, query: "SELECT time, value, room FROM readings WHERE time > :since ORDER BY time"}
`, s.dsn("reader", "hunter2", "")))
	livetest.Eventually(t, "the source says that the server is down", func() bool {
		return strings.Contains(r.status("live").Error, "connect: connection refused")
	})
	s.start()
	setUp(s)
	onlyNew(t, s, r)
	parts := map[string]func(*testing.T, *sqlServer){"types": types, "refused": refused, "rubbish": rubbish}
	if s.scheme == "postgres" {
		parts["pooled"] = pooled
	}
	for name, part := range parts {
		t.Run(name, func(t *testing.T) { part(t, s) })
	}
	comesBack(t, s, r)
	r.holdsNoSecret("hunter2", "swordfish")
}

// pooled asks through a PgBouncer that gives away a connection after each
// transaction: what one leaves behind in it, another finds.
func pooled(t *testing.T, s *sqlServer) {
	b := newPgBouncer(t, s)
	var sources strings.Builder
	for i := range 4 { // two connections are there for them, and all ask the same
		fmt.Fprintf(&sources, "  p%d: {type: sql, dsn: %q, interval: 100ms, query: \"SELECT time, value, room FROM pooled WHERE time > :since ORDER BY time\"}\n", i, strings.Replace(s.dsn("reader", "hunter2", ""), s.addr, b, 1))
	}
	s.exec("CREATE TABLE pooled (time TIMESTAMPTZ, value INT, room TEXT)")
	r := start(t, "sources:\n"+sources.String())
	at := time.Now().Truncate(time.Second).Add(-time.Minute)
	for n := range 8 {
		s.exec("INSERT INTO pooled VALUES ($1, $2, 'a')", at.Add(time.Duration(n)*time.Second), n)
		for i := range 4 {
			name := fmt.Sprintf("p%d", i)
			livetest.Eventually(t, "it is read", func() bool { return len(r.one(name)) == n+1 || r.status(name).Errors > 0 })
			if st := r.status(name); st.Errors > 0 {
				t.Fatalf("through the pool: %+v", st)
			}
		}
	}
	r.holdsNoSecret("hunter2")
}

// base is when the history of a test begins.
func base() time.Time { return time.Now().Add(-30 * time.Minute).Truncate(time.Second).UTC() }

// setUp makes tables, with a history of 1000 rows, and a user who may do anything to them: that nothing is written is not left to the rights.
func setUp(s *sqlServer) {
	s.t.Helper()
	if s.scheme == "postgres" {
		s.exec("CREATE USER reader SUPERUSER PASSWORD 'hunter2'")
		s.exec("CREATE DATABASE charts")
		s.open("pgx", "postgres://admin@"+s.addr+"/charts")
		s.exec("CREATE EXTENSION pg_stat_statements")
	} else {
		s.exec("CREATE DATABASE charts")
		s.exec("GRANT ALL ON *.* TO 'reader'@'127.0.0.1' IDENTIFIED BY 'hunter2'")
		s.open("mysql", "root@tcp("+s.addr+")/charts?parseTime=true&time_zone=%27%2B00:00%27")
	}
	s.exec(s.isPostgres("CREATE TABLE readings (time TIMESTAMPTZ, value NUMERIC(9,2), room TEXT)", "CREATE TABLE readings (time TIMESTAMP(6), value DECIMAL(9,2), room VARCHAR(20))"))
	var rows []string
	for i := range 1000 {
		rows = append(rows, fmt.Sprintf("('%s', %d.25, 'old')", base().Add(time.Duration(i)*time.Second).Format("2006-01-02 15:04:05"+s.isPostgres("Z", "")), i))
	}
	s.exec("INSERT INTO readings VALUES " + strings.Join(rows, ", "))
}

// insert adds a reading.
func (s *sqlServer) insert(at time.Time, v float64, room string) {
	s.t.Helper()
	s.exec(s.isPostgres("INSERT INTO readings VALUES ($1, $2, $3)", "INSERT INTO readings VALUES (?, ?, ?)"), at, v, room)
}

// sent returns how many times the server was asked for readings, and how many rows it sent in all.
func (s *sqlServer) sent() (asked, rows int) {
	s.t.Helper()
	query := s.isPostgres("SELECT coalesce(sum(calls), 0), coalesce(sum(rows), 0) FROM pg_stat_statements WHERE query LIKE 'SELECT time, value, room FROM readings WHERE%'",
		"SELECT count(*), coalesce(sum(rows_sent), 0) FROM mysql.slow_log WHERE sql_text LIKE 'SELECT time, value, room FROM readings WHERE%' AND sql_text NOT LIKE '%NULL%'")
	if err := s.admin.QueryRowContext(s.t.Context(), query).Scan(&asked, &rows); err != nil {
		s.t.Fatal(err)
	}
	return asked, rows
}

// onlyNew counts at the server what is asked for, while rows come late.
func onlyNew(t *testing.T, s *sqlServer, r *rig) {
	t.Helper()
	livetest.Eventually(t, "the history comes", func() bool { return len(r.one("live", "room=old")) == 1000 })
	if got := r.one("live", "room=old")[17].V; got != 17.25 {
		t.Errorf("got %v", got)
	}
	var asked, rows int // a server counts a query when it is over, which its rows may precede
	livetest.Eventually(t, "the history is counted", func() bool { asked, rows = s.sent(); return rows >= 1000 })
	now := time.Now().Truncate(time.Millisecond)
	s.insert(now, 1, "a")
	livetest.Eventually(t, "a row comes", func() bool { return len(r.one("live", "room=a")) == 1 })
	s.insert(now, 2, "b")                             // of the same moment, later
	s.insert(now.Add(-500*time.Millisecond), 3, "b")  // of an earlier one, later
	s.insert(now.Add(300*time.Microsecond), 4.5, "c") // in the same millisecond
	livetest.Eventually(t, "late rows come", func() bool { return len(r.one("live", "room=b")) == 2 && len(r.one("live", "room=c")) == 1 })
	later, _ := s.sent()
	livetest.Eventually(t, "it goes on asking", func() bool { n, _ := s.sent(); return n >= later+5 })
	n, sent := s.sent()
	if n -= asked; sent-rows > 4*n {
		t.Errorf("%d queries for what is new sent %d rows, of 4 that there are", n, sent-rows)
	}
	if st := r.status("live"); st.Samples != 1004 || st.Rejected != 0 || st.Error != "" {
		t.Errorf("%+v", st)
	}
	if b := r.one("live", "room=b"); b[0] != (store.Sample{T: now.UnixMilli() - 500, V: 3}) || b[1] != (store.Sample{T: now.UnixMilli(), V: 2}) {
		t.Errorf("got %v, want a sample at %d", b, now.UnixMilli())
	}
	t.Logf("history: %d rows in %d queries; after that: %d rows in %d queries", rows, asked, sent-rows, n)
	if n := s.connections(); n != 1 {
		t.Errorf("there are %d connections", n)
	}
	// A connection that the server closes is made again, and nobody hears of it.
	before := r.status("live").Errors
	if s.scheme == "postgres" {
		s.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'")
	} else {
		s.exec("KILL USER 'reader'@'127.0.0.1'")
	}
	s.insert(time.Now(), 5, "d")
	livetest.Eventually(t, "rows come over another connection", func() bool { return len(r.one("live", "room=d")) == 1 })
	if st := r.status("live"); st.Errors > before+1 || st.Samples != 1005 {
		t.Errorf("%+v", st)
	}
}

// connections returns how many the sources have.
func (s *sqlServer) connections() int {
	return s.count(s.isPostgres("SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader'", "SELECT count(*) FROM information_schema.processlist WHERE user = 'reader'"))
}

// types asks for times and values of many types.
func types(t *testing.T, s *sqlServer) {
	if s.scheme == "postgres" {
		s.exec("CREATE TYPE state AS ENUM ('on', 'off')")
	}
	s.exec(s.isPostgres(
		"CREATE TABLE naive (at TIMESTAMP, day DATE, ms BIGINT, sec DOUBLE PRECISION, txt TEXT, f REAL, up BOOLEAN, note JSONB, gone INT, state state)",
		"CREATE TABLE naive (at DATETIME(3), day DATE, ms BIGINT, sec DOUBLE, txt TEXT, f FLOAT, up BIT(1), note JSON, gone INT, state ENUM('on', 'off'))"))
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	s.exec(fmt.Sprintf("INSERT INTO naive VALUES ('%s', '%s', %d, %d.5, '%s', 1.1, %s, '{}', NULL, 'on')",
		now.In(berlin).Format(time.DateTime), now.UTC().Format(time.DateOnly), now.UnixMilli(), now.Unix(), now.UTC().Format("2006-01-02T15:04:05Z"), s.isPostgres("true", "b'1'")))
	yaml := "store: {max_age: 30h}\nsources:\n"
	for name, rest := range map[string]string{
		"naive": `time_zone: Europe/Berlin, query: "SELECT at AS time, f, up, note, gone FROM naive WHERE at > :since"`,
		"day":   `since: 25h, query: "SELECT day, f AS value FROM naive WHERE day > :since"`,
		"milli": `time_format: unix_ms, query: "SELECT ms AS t, f AS value, 'x' AS metric FROM naive WHERE ms > :since"`,
		"secs":  `time_format: unix, query: "SELECT sec AS t, f AS value FROM naive WHERE sec > :since AND :since < sec"`,
		"texts": `time_column: txt, query: "SELECT txt, f AS value FROM naive WHERE txt > :since"`,
		"sized": `query: "SELECT ms AS t, f AS value FROM naive"`,
		"enum":  `query: "SELECT ms AS t, f AS value, state FROM naive"`,
		"char":  fmt.Sprintf(`query: "SELECT ms AS t, f AS value, CAST('a' AS CHAR(9)) AS c, %s AS left_out FROM naive"`, s.isPostgres("5::money", "CURTIME()")),
		"now":   `query: "SELECT count(*) AS n, 'all' AS what FROM naive"`,
	} {
		yaml += fmt.Sprintf("  %s: {type: sql, dsn: %q, interval: 100ms, %s}\n", name, s.dsn("reader", "hunter2", ""), rest)
	}
	r := start(t, yaml)
	for metric, want := range map[string]store.Sample{
		"naive_f": {T: now.UnixMilli(), V: 1.1}, "naive_up": {T: now.UnixMilli(), V: 1}, "milli_x": {T: now.UnixMilli(), V: 1.1}, "secs": {T: now.UnixMilli() + 500, V: 1.1},
		"texts": {T: now.UnixMilli(), V: 1.1}, "sized": {T: now.UnixMilli(), V: 1.1}, "day": {T: now.UTC().Truncate(24 * time.Hour).UnixMilli(), V: 1.1},
	} {
		livetest.Eventually(t, metric+" comes", func() bool { return len(r.one(metric)) > 0 })
		if got := r.one(metric); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %v, want %v", metric, got, want)
		}
	}
	if got := r.one("naive_gone"); len(got) != 1 || !math.IsNaN(got[0].V) {
		t.Errorf("NULL is %v", got)
	}
	livetest.Eventually(t, "an enumeration is a label", func() bool { return len(r.one("enum", "state=on")) == 1 })
	livetest.Eventually(t, "a CHAR is a label without the blanks at its end, and money and hours are none", func() bool {
		all := r.store.Select("char", nil)
		return len(all) == 1 && all[0].Labels().String() == `{c="a"}`
	})
	livetest.Eventually(t, "what has no time goes on", func() bool { return len(r.one("now_n", "what=all")) >= 3 })
	livetest.Eventually(t, "they go on asking", func() bool { return s.connections() == 10 })
	for _, st := range r.manager.Status() {
		if st.Kind == "sql" && (st.Error != "" || st.Rejected > 0 || st.Name != "now" && st.Name != "naive" && st.Samples != 1) {
			t.Errorf("%+v", st)
		}
	}
}

// refused holds that nothing is written, by a user who may, and that errors say why.
func refused(t *testing.T, s *sqlServer) {
	readOnly := s.isPostgres("in a read-only transaction", "in a READ ONLY transaction")
	wants := map[string]string{
		"INSERT INTO readings (value) VALUES (1)":                               readOnly,
		"DELETE FROM readings":                                                  readOnly,
		"UPDATE readings SET value = 1":                                         readOnly,
		"DROP TABLE readings":                                                   readOnly,
		"CREATE TABLE other (a INT)":                                            readOnly,
		"SELECT nope AS value FROM readings":                                    s.isPostgres(`near "nope AS value FROM readings": ERROR: column "nope" does not exist`, "Unknown column 'nope'"),
		"SELECT value FRO readings":                                             s.isPostgres(`near "readings": ERROR: syntax error`, "error in your SQL syntax"),
		"SELECT 1 AS value, %s(30) AS nap":                                      s.isPostgres("canceling statement due to statement timeout", "max_statement_time exceeded"),
		"SELECT room FROM readings":                                             `the result has no column of numbers: it has "room" `,
		"SELECT value FROM readings WHERE time > :since":                        "but its result no column with a time",
		"SELECT 1700000000 AS t, value FROM readings WHERE 1700000000 > :since": "say time_format: unix (seconds)",
		"SELECT * FROM readings ORDER BY time":                                  "more than max_rows, 100",
	}
	if s.scheme == "postgres" {
		wants["WITH gone AS (DELETE FROM readings RETURNING value) SELECT value FROM gone"] = readOnly
		wants["SELECT value, time FROM readings WHERE time > :since - interval '1 minute'"] = "write :since::timestamptz"
		wants["COPY readings TO STDOUT"] = ""
	}
	yaml, names := "sources:\n", map[string]string{}
	for query := range wants {
		name := fmt.Sprintf("s%d", len(names))
		names[name] = query
		if strings.Contains(query, "%s") {
			query = fmt.Sprintf(query, s.isPostgres("pg_sleep", "sleep"))
		}
		yaml += fmt.Sprintf("  %s: {type: sql, dsn: %q, interval: 1s, timeout: 500ms, max_rows: 100, query: %q}\n", name, s.dsn("reader", "hunter2", ""), query)
	}
	yaml += fmt.Sprintf("  wrong: {type: sql, dsn: %q, query: SELECT 1 AS a}\n", s.dsn("reader", "swordfish", ""))
	yaml += fmt.Sprintf("  nowhere: {type: sql, dsn: %q, query: SELECT 1 AS a}\n", strings.Replace(s.dsn("reader", "hunter2", ""), "/charts", "/nowhere", 1))
	before := s.count("SELECT count(*) FROM readings")
	r := start(t, yaml)
	for name, query := range names {
		// On a busy machine a connection may take all of the timeout at first.
		livetest.Eventually(t, query+" is refused: "+wants[query], func() bool { st := r.status(name); return st.Errors > 0 && strings.Contains(st.Error, wants[query]) })
	}
	livetest.Eventually(t, "a wrong password is told", func() bool {
		return strings.Contains(r.status("wrong").Error, s.isPostgres("password authentication failed", "Access denied for user"))
	})
	livetest.Eventually(t, "a wrong database is told", func() bool {
		return strings.Contains(r.status("nowhere").Error, s.isPostgres(`database "nowhere" does not exist`, "Unknown database 'nowhere'"))
	})
	if after := s.count("SELECT count(*) FROM readings"); after != before {
		t.Errorf("there were %d rows, there are %d", before, after)
	}
	r.holdsNoSecret("hunter2", "swordfish")
}

// rubbish has texts where numbers and times belong, between good rows.
func rubbish(t *testing.T, s *sqlServer) {
	s.exec("CREATE TABLE rubbish (id INT, at VARCHAR(40), v VARCHAR(40))")
	now := time.Now().Truncate(time.Second).UTC()
	good := func(i int) string { return now.Add(time.Duration(i-10) * time.Second).Format(time.DateTime) }
	s.exec(fmt.Sprintf("INSERT INTO rubbish VALUES (1, '%s', '1'), (2, '%s', 'about two'), (3, 'soon', '3'), (4, NULL, '4'), (5, '%s', NULL), (6, '%s', '6e0')", good(1), good(2), good(5), good(6)))
	r := start(t, fmt.Sprintf(`
sources:
  rubbish: {type: sql, dsn: %q, interval: 100ms, query: "SELECT at, v FROM rubbish ORDER BY id", time_column: at, values: [v]}
`, s.dsn("reader", "hunter2", "")))
	livetest.Eventually(t, "the good rows come", func() bool { return len(r.one("rubbish_v")) == 3 })
	got := r.one("rubbish_v")
	if got[0].V != 1 || !math.IsNaN(got[1].V) || got[2].V != 6 || got[2].T != now.UnixMilli()-4000 {
		t.Errorf("got %v", got)
	}
	if st := r.status("rubbish"); st.Samples != 3 || st.Rejected < 3 || !strings.Contains(st.Reject, `column "at", row 4: NULL is no time`) && !strings.Contains(st.Reject, `is no`) {
		t.Errorf("%+v", st)
	}
	s.exec(fmt.Sprintf("INSERT INTO rubbish VALUES (7, '%s', '7')", good(7)))
	livetest.Eventually(t, "further rows come", func() bool { return len(r.one("rubbish_v")) == 4 })
	if st := r.status("rubbish"); st.Samples != 4 {
		t.Errorf("%+v", st)
	}
}

// comesBack ends the server under a source, and starts it again.
func comesBack(t *testing.T, s *sqlServer, r *rig) {
	t.Helper()
	before := r.status("live")
	s.crash()
	livetest.Eventually(t, "it is missed", func() bool { return r.status("live").Error != "" })
	s.start()
	at := time.Now().Truncate(time.Millisecond)
	s.insert(at, 6, "e")
	s.insert(at.Add(time.Millisecond), 7, "e")
	livetest.Eventually(t, "rows come again", func() bool { return len(r.one("live", "room=e")) == 2 })
	s.insert(at.Add(2*time.Millisecond), 8, "e")
	livetest.Eventually(t, "and again", func() bool { return len(r.one("live", "room=e")) == 3 })
	st := r.status("live")
	if st.Samples != before.Samples+3 || st.Rejected != 0 || st.Error != "" || st.Errors <= before.Errors {
		t.Errorf("%+v", st)
	}
	if n := len(r.one("live", "room=old")); n != 1000 {
		t.Errorf("%d of the old rows", n)
	}
}
