package sql

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestBind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		d        dialect
		in, want string
		marks    int
		err      string
	}{
		{postgres, "SELECT * FROM t WHERE a > :since", "SELECT * FROM t WHERE a > $1", 1, ""},
		{mysql, "SELECT a FROM t WHERE a > :since OR b > :since ;", "SELECT a FROM t WHERE a > ? OR b > ?", 2, ""},
		{sqlite, "SELECT a FROM t WHERE a > :since OR b > :since", "SELECT a FROM t WHERE a > ?1 OR b > ?1", 2, ""},
		{postgres, "SELECT ':since', a::since, \":since\" -- :since\n/* :since /* ; */ :since */ WHERE :since::timestamptz < b", "SELECT ':since', a::since, \":since\" -- :since\n/* :since /* ; */ :since */ WHERE $1::timestamptz < b", 1, ""},
		{postgres, "SELECT $$ ; :since $$, $x$ :since $$ ; $x$, a[1:since], E'it\\'s :since', '\\', :since", "SELECT $$ ; :since $$, $x$ :since $$ ; $x$, a[1:since], E'it\\'s :since', '\\', $1", 1, ""},
		{mysql, "SELECT 'it\\'s :since; ', \"\\\":since\", `:since` # :since ;\n, :since", "SELECT 'it\\'s :since; ', \"\\\":since\", `:since` # :since ;\n, ?", 1, ""},
		{mysql, "SELECT 5--:since", "SELECT 5--?", 1, ""},
		{mysql, "SELECT @a := :since", "SELECT @a := ?", 1, ""},
		{sqlite, "SELECT [a:since;], `x`, 'it''s ;', strftime('%H:%M', t) WHERE t>:since", "SELECT [a:since;], `x`, 'it''s ;', strftime('%H:%M', t) WHERE t>?1", 1, ""},
		{postgres, "SELECT data #> '{a;b}', j ? 'x', jsonb '{\"a\":1}' FROM t;; -- done", "SELECT data #> '{a;b}', j ? 'x', jsonb '{\"a\":1}' FROM t -- done", 0, ""},
		{sqlite, "SELECT 1; DELETE FROM t", "", 0, "more than one statement"},
		{sqlite, "SELECT 1; /* x */ ; SELECT 2", "", 0, "more than one statement"},
		{mysql, "SELECT 'a;b\\'; c", "", 0, "the ' at character 8 is never closed"},
		{postgres, "SELECT 1 /* /* */", "", 0, "the /* at character 10 is never closed"},
		{postgres, "SELECT $a$ b", "", 0, "the $a$ at character 8 is never closed"},
		{postgres, "SELECT * FROM t WHERE t > :since_ms", "", 0, ":since_ms at character 27 stands for nothing; only :since does"},
		{mysql, " ; -- nothing", "", 0, "there is no statement"},
	} {
		got, err := bind(tt.in, tt.d)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: %v, want %s", tt.in, err, tt.err)
			}
			continue
		}
		if err != nil || got.text != tt.want || got.marks != tt.marks {
			t.Errorf("%q:\ngot  %q %d %v\nwant %q %d", tt.in, got.text, got.marks, err, tt.want, tt.marks)
		}
	}
}

// TestBindLeavesTheRest writes queries of parts whose meaning is known, in any order.
func TestBindLeavesTheRest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SampledFrom([]dialect{postgres, mysql, sqlite}).Draw(t, "dialect")
		mark := map[dialect]string{postgres: "$1", mysql: "?", sqlite: "?1"}[d]
		var in, want strings.Builder
		marks := 0
		for _, part := range rapid.SliceOfN(rapid.SampledFrom([]string{
			"SELECT a", ", b", "':since;'", "'it''s'", `":since;"`, "/* :since; */", "-- :since;\n", "x::text", "'%H:%M'", ":since", "(", ")", "12.5",
		}), 1, 20).Draw(t, "parts") {
			in.WriteString(part + " ")
			if part == ":since" {
				part = mark
				marks++
			}
			want.WriteString(part + " ")
		}
		got, err := bind("SELECT "+in.String(), d)
		if err != nil || got.text != strings.TrimSpace("SELECT "+want.String()) || got.marks != marks {
			t.Fatalf("got %q %d %v, want %q %d", got.text, got.marks, err, want.String(), marks)
		}
	})
}

// FuzzBind holds that bind ends, keeps all but placeholders and semicolons, and that what it made is one statement.
func FuzzBind(f *testing.F) {
	for _, s := range []string{"SELECT 1", "SELECT ':since' WHERE a > :since;", "$$;$$ /* -- */ E'\\''", "[a] `b` \"c\" # d", "a[1:since] :=::"} {
		f.Add(s, uint8(1))
		f.Add(s, uint8(2))
		f.Add(s, uint8(3))
	}
	f.Fuzz(func(t *testing.T, in string, d uint8) {
		dialect := dialect(d%3) + postgres
		got, err := bind(in, dialect)
		if err != nil {
			return
		}
		if got.marks == 0 {
			bare := func(s string) string { return strings.ReplaceAll(strings.Join(strings.Fields(s), ""), ";", "") }
			if bare(got.text) != bare(in) {
				t.Fatalf("%q became %q", in, got.text)
			}
		}
		if got.marks > strings.Count(in, ":since") {
			t.Fatalf("%q has %d marks", in, got.marks)
		}
	})
}
