package sql

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a source before a file that a test writes to, and a notebook instead of a store.
type rig struct {
	t       testing.TB
	writer  *stdsql.DB
	src     *Source
	db      *stdsql.DB
	got     []string // as "metric{labels} ms value", in order of their coming
	refused []string
	skipped int
}

func newRig(t testing.TB, setup string, change func(*Config)) *rig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	r := &rig{t: t}
	var err error
	if r.writer, err = stdsql.Open("sqlite", "file:"+path+"?_pragma=synchronous(0)&_pragma=journal_mode(MEMORY)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.writer.Close() })
	r.exec(setup)
	cfg := DefaultConfig()
	cfg.DSN = secret.Text("sqlite:" + path)
	change(cfg)
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	src, err := cfg.New(source.Deps{
		Name: "db", Logger: zap.NewNop(), Skip: func(n int) { r.skipped += n },
		Reject: func(_ int, err error) { r.refused = append(r.refused, err.Error()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.src = src.(*Source)
	if r.db, _, err = r.src.dsn.open(cfg.TimeZone); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.db.Close() })
	return r
}

func (r *rig) exec(query string, args ...any) {
	r.t.Helper()
	if _, err := r.writer.ExecContext(r.t.Context(), query, args...); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) Append(metric string, labels store.Labels, t int64, v float64) error {
	r.got = append(r.got, fmt.Sprintf("%s%s %d %v", metric, labels, t, v))
	return nil
}

// ask fetches once and returns what came.
func (r *rig) ask() []string {
	r.t.Helper()
	r.got = nil
	if err := r.src.ask(r.t.Context(), r.db, r); err != nil {
		r.t.Fatal(err)
	}
	return r.got
}

func (r *rig) fails(want string) {
	r.t.Helper()
	if err := r.src.ask(r.t.Context(), r.db, r); err == nil || !strings.Contains(err.Error(), want) {
		r.t.Errorf("got %v, want %s", err, want)
	}
}

func same(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestColumns asks for columns of each sort.
func TestColumns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		query  string
		change func(*Config)
		want   []string // with 0 for the time of now
		err    string
	}{
		{"SELECT 1700000000 AS time, 21.5 AS value, 'lab' AS room", nil, []string{`db{room="lab"} 1700000000000 21.5`}, ""},
		{"SELECT '2023-11-14 22:13:20.5' AS ts, 1 AS cpu, 2 AS \"disk %\"", nil, []string{"db_cpu{} 1700000000500 1", "db_disk_percent{} 1700000000500 2"}, ""},
		{"SELECT '2023-11-14T22:13:20+01:00' AS t, 1 AS value, 'load' AS metric", nil, []string{"db_load{} 1699996400000 1"}, ""},
		{"SELECT 1700000000123 AS t, 1 AS a, 2 AS b, 'load' AS metric", nil, []string{"db_load_a{} 1700000000123 1", "db_load_b{} 1700000000123 2"}, ""},
		{"SELECT '2023-11-14 23:13:20' AS at, '7' AS n, 3 AS id, 'x' AS note", func(c *Config) {
			c.TimeColumn, c.Values, c.Labels, c.TimeZone, c.Metric = "at", []string{"n"}, []string{"id"}, "Europe/Berlin", "n"
		}, []string{`n{id="3"} 1700000000000 7`}, ""},
		{"SELECT 5 AS t, 6 AS u", func(c *Config) { c.TimeColumn = "none" }, []string{"db_t{} 0 5", "db_u{} 0 6"}, ""},
		{"SELECT 1700000000.25 AS t, NULL AS value, NULL AS room UNION ALL SELECT 1700000001, 1e999, 'a'", nil, []string{`db{room="a"} 1700000001000 NaN`}, ""},
		{"SELECT 1 AS a, 2 AS a", nil, nil, `two columns "a"`},
		{"SELECT 1 AS a", func(c *Config) { c.Values = []string{"b"} }, nil, `no column "b": it has "a"`},
		{"SELECT CAST(x'00' AS TEXT) AS a, v FROM (SELECT 1 AS v) WHERE v > :since", nil, nil, "no column with a time"},
		{"SELECT * FROM missing", nil, nil, "no such table: missing"},
		{"SELECT 1 FRO m", nil, nil, `near "m": syntax error`},
	} {
		r := newRig(t, "CREATE TABLE t (a)", func(c *Config) {
			c.Query = tt.query
			if tt.change != nil {
				tt.change(c)
			}
		})
		if tt.err != "" {
			r.fails(tt.err)
			continue
		}
		got := r.ask()
		for i := range got {
			if f := strings.Fields(got[i]); strings.HasSuffix(strings.Join(tt.want, "|"), " 0 6") {
				got[i] = f[0] + " 0 " + f[2]
			}
		}
		same(t, got, tt.want...)
	}
}

// TestOnlyNew writes rows while they are asked for: late ones of the same moment, late ones within the overlap, and a changed one.
func TestOnlyNew(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(ms int64) any{
		"INTEGER":         func(ms int64) any { return ms / 1000 },
		"DATETIME":        func(ms int64) any { return ms },
		"REAL":            func(ms int64) any { return float64(ms) / 1000 },
		"TEXT":            func(ms int64) any { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05") },
		"TIMESTAMP":       func(ms int64) any { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") },
		"VARCHAR(40)":     func(ms int64) any { return time.UnixMilli(ms).In(time.FixedZone("", 7200)).Format(time.RFC3339) },
		"":                func(ms int64) any { return time.UnixMilli(ms).UTC().String() },
		"BIGINT UNSIGNED": func(ms int64) any { return ms * 1e6 },
	} {
		r := newRig(t, "CREATE TABLE m (time "+name+", value REAL, room TEXT)", func(c *Config) {
			c.Query = "SELECT time, value, room FROM m WHERE time > :since ORDER BY time"
			c.Overlap, c.Since = quantity.Duration(10*time.Second), quantity.Duration(time.Minute)
		})
		base := time.Now().UnixMilli()/1000*1000 - 30_000
		add := func(after int64, v float64, room string) string {
			r.exec("INSERT INTO m VALUES (?, ?, ?)", of(base+after), v, room)
			return fmt.Sprintf(`db{room=%q} %d %v`, room, base+after, v)
		}
		next := func(want string) {
			t.Helper()
			same(t, r.ask(), want)
		}
		same(t, r.ask()) // an empty table tells nothing of its times
		add(-60_000, 0, "old")
		want := []string{add(0, 1, "a"), add(5000, 2, "a")}
		same(t, r.ask(), want...)
		same(t, r.ask())
		next(add(5000, 3, "b")) // of the same moment, later
		next(add(9000, 4, "a"))
		next(add(4000, 5, "b")) // within the overlap
		same(t, r.ask())
		r.exec("UPDATE m SET value = 6 WHERE value = 4")
		same(t, r.ask(), fmt.Sprintf(`db{room="a"} %d 6`, base+9000))
		next(add(25_000, 7, "a"))
		add(12_000, 8, "a") // later than the overlap: that is the promise's end
		same(t, r.ask())
		next(add(3_600_000, 9, "a")) // an hour ahead: it does not hide what comes
		next(add(26_000, 10, "a"))
		same(t, r.ask())
		if t.Failed() {
			t.Fatalf("with %s; refused: %q", name, r.refused)
		}
	}
}

// TestNothingTwiceNothingLost writes at random, and compares with all rows that came within the overlap.
func TestNothingTwiceNothingLost(t *testing.T) {
	t.Parallel()
	r := newRig(t, "CREATE TABLE m (time INTEGER, value REAL)", func(c *Config) {
		c.Query = "SELECT time, value FROM m WHERE time > :since"
		c.Overlap, c.Since = quantity.Duration(3*time.Second), quantity.Duration(time.Hour)
	})
	rapid.Check(t, func(t *rapid.T) {
		r.exec("DELETE FROM m")
		r.src.newest, r.src.seen = 0, newSeen()
		newest := time.Now().Unix() - 600
		value := 0.0
		for range rapid.IntRange(1, 8).Draw(t, "fetches") {
			var want []string
			top := newest
			for _, back := range rapid.SliceOfN(rapid.IntRange(-5, 2), 0, 5).Draw(t, "rows") {
				at := newest - int64(back)
				value++
				r.exec("INSERT INTO m VALUES (?, ?)", at, value)
				want = append(want, fmt.Sprintf("db{} %d %v", at*1000, value))
				top = max(top, at)
			}
			newest = top
			got := r.ask()
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	})
}

func TestPresent(t *testing.T) {
	t.Parallel()
	r := newRig(t, "CREATE TABLE jobs (state TEXT); INSERT INTO jobs VALUES ('run'), ('run'), ('wait')", func(c *Config) {
		c.Query = "SELECT state, count(*) AS jobs FROM jobs GROUP BY state ORDER BY state"
	})
	bare := func(got []string) (out []string) {
		for _, g := range got {
			f := strings.Fields(g)
			out = append(out, f[0]+" "+f[2])
		}
		return out
	}
	same(t, bare(r.ask()), `db_jobs{state="run"} 2`, `db_jobs{state="wait"} 1`)
	same(t, bare(r.ask()), `db_jobs{state="run"} 2`, `db_jobs{state="wait"} 1`)
	r.exec("DELETE FROM jobs WHERE state = 'wait'")
	same(t, bare(r.ask()), `db_jobs{state="run"} 2`, `db_jobs{state="wait"} NaN`)
	same(t, bare(r.ask()), `db_jobs{state="run"} 2`)
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	r := newRig(t, `CREATE TABLE m (time INTEGER, value REAL, n INTEGER);
		INSERT INTO m VALUES (1700000000, 'abc', 1), ('soon', 2, 2), (NULL, 3, 3), (1700000001, 4, x'00'), (17, 5, 5)`, func(c *Config) {
		c.Query = "SELECT time, value, n FROM m"
	})
	same(t, r.ask(), "db_n{} 1700000000000 1", "db{} 1700000001000 4")
	for i, want := range []string{
		`column "value", row 1: "abc" is no number; cast it`, `column "time", row 2: "soon" is no time; want a timestamp`,
		`column "time", row 3: NULL is no time`, `column "n", row 4: "\x00" is no number`, `column "time", row 5: 17 is no time`,
	} {
		if i >= len(r.refused) || !strings.HasPrefix(r.refused[i], want) {
			t.Errorf("got %q, want %s", r.refused, want)
		}
	}
}

// TestOnlyRead tries what must not be possible, each on a fresh connection.
func TestOnlyRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for query, want := range map[string]string{
		"WITH x AS (SELECT 2) INSERT INTO m SELECT * FROM x RETURNING a":           "attempt to write a readonly database",
		"WITH x AS (SELECT 2) DELETE FROM m":                                       "attempt to write a readonly database",
		"WITH x AS (SELECT 3 AS a) UPDATE m SET a = (SELECT a FROM x) RETURNING a": "attempt to write a readonly database",
		"DROP TABLE m":                           "begins with \"DROP\"",
		"PRAGMA journal_mode = WAL":              "begins with \"PRAGMA\"",
		"ATTACH '" + dir + "/other.db' AS other": "",
		"VACUUM INTO '" + dir + "/copy.db'":      "begins with",
		"SELECT a FROM m; DELETE FROM m":         "more than one statement",
	} {
		if !strings.HasPrefix(query, "WITH") {
			if _, err := bind(query, sqlite); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", query, err)
			}
			continue
		}
		r := newRig(t, "CREATE TABLE m (a INTEGER); INSERT INTO m VALUES (1)", func(c *Config) { c.Query = query })
		err := r.src.ask(t.Context(), r.db, r)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", query, err)
		}
		var n int
		if err := r.writer.QueryRowContext(t.Context(), "SELECT sum(a) FROM m").Scan(&n); err != nil || n != 1 {
			t.Errorf("%s: %d %v", query, n, err)
		}
	}
	if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 {
		t.Errorf("files were written: %q", left)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	const endless = "WITH RECURSIVE n(time, value) AS (SELECT 1700000000, 1 UNION ALL SELECT time + 1, 2 FROM n) SELECT time, value FROM n"
	r := newRig(t, "CREATE TABLE m (a)", func(c *Config) { c.Query, c.MaxRows = endless, 1000 })
	r.fails("more than max_rows, 1000")
	if n := len(r.got); n != 1000 {
		t.Errorf("%d samples", n)
	}
	r = newRig(t, "CREATE TABLE m (a)", func(c *Config) {
		c.Query, c.Timeout = "WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT count(*) FROM n", minTimeout
	})
	r.fails("no answer within timeout, 100ms")
	// What is locked is waited for, and no longer than that.
	r = newRig(t, "CREATE TABLE m (a); INSERT INTO m VALUES (1)", func(c *Config) { c.Query, c.Timeout = "SELECT a FROM m", minTimeout })
	tx, err := r.writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Close() }()
	if _, err := tx.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	r.fails("no answer within timeout, 100ms")
	if _, err := tx.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if len(r.ask()) != 1 {
		t.Error("it does not recover")
	}
}

// TestRun has a source run before a file that is not there yet.
func TestRun(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.DSN, cfg.Query = secret.Text("sqlite:"+filepath.Join(t.TempDir(), "none.db")), "SELECT 1 AS value"
	src, err := cfg.New(source.Deps{Name: "db", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Run(t.Context(), &rig{t: t}); err == nil || !strings.Contains(err.Error(), "unable to open database file") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := src.Run(ctx, &rig{t: t}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSamples(t *testing.T) {
	t.Parallel()
	for in, want := range map[any]float64{
		int64(-3): -3, uint64(math.MaxUint64): math.MaxUint64, float32(1.1): 1.1, true: 1, false: 0, " 12.50 ": 12.5, "1e3": 1000,
	} {
		if got, err := sample(in); err != nil || got != want {
			t.Errorf("%v: %v %v", in, got, err)
		}
	}
	for _, in := range []any{nil, "NaN", "Infinity", math.Inf(-1)} {
		if got, err := sample(in); err != nil || !math.IsNaN(got) {
			t.Errorf("%v: %v %v", in, got, err)
		}
	}
	for _, in := range []any{"", "12,5", "$3", time.Now(), []any{1}} {
		if got, err := sample(in); err == nil {
			t.Errorf("%v is %v", in, got)
		}
	}
}

// FuzzTime holds that what a column of times holds is a time of this world or an error.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2023-11-14 22:13:20", "2023-11-14T22:13:20.5+01:00", "1700000000", "1e300", "-1", "NaN", "2023-11-14 22:13:20.1 +0000 UTC"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := clock{loc: time.UTC}
		ms, err := c.read(s, false)
		if err == nil && (ms <= -maxMillis || ms >= maxMillis) {
			t.Fatalf("%q is %d", s, ms)
		}
		form := form{dialect: sqlite, loc: time.UTC}
		if form.learn("text", s) == nil && form.text {
			if at, ok := form.value(ms).(string); !ok || at > s {
				t.Fatalf("%q is not from %q on", s, at)
			}
		}
	})
}
