package transform_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/transform"
)

// TestWhatIsWrong is about errors: each says where, what, and what would be right.
func TestWhatIsWrong(t *testing.T) {
	lookup := func(name string) (string, bool) {
		value, ok := map[string]string{"w": "1m", "bad": `x"} or {y="`, "m": "up"}[name]
		return value, ok
	}
	for text, want := range map[string]string{
		"rate(up)":                         "column 6: expected type range vector",
		"rate(up[1m]":                      "column 11: unclosed left parenthesis",
		"sum(topk(3, up))":                 "column 5: topk is not supported; one of: abs, avg, ",
		"1 +\n deriv(up[5m])":              "line 2, column 2: deriv is not supported; one of: ",
		"histogram_quantile(0.9, up)":      "column 1: histogram_quantile is not supported",
		"up and down":                      "column 1: and is not supported",
		"up offset 5m":                     "column 1: offset is not supported; the metric without it",
		"up @ 3":                           "column 1: @ is not supported",
		"max_over_time(rate(up[1m])[5m:])": "column 15: a subquery is not supported",
		`{__name__=~"up|down"}`:            "column 1: a choice of metrics is not supported",
		`sum({code="500"})`:                "column 5: the selector names no metric; a metric's name before it, or metric: beside the transform",
		"sum({})":                          "column 5: vector selector must contain at least one non-empty matcher; a metric's name before it",
		"1 + 2":                            "column 1: the expression is a number",
		"up[5m]":                           "column 1: a range is no series; a function of it",
		`"up"`:                             "column 1: a string is no series",
		"ema(up, 2)":                       "column 9: ema cannot take 2; a duration, such as 30s, or a weight",
		"ema(up, -5s)":                     "column 9: the time constant of ema is not above 0; such as 30s",
		"ema(up)":                          "column 1: expected 2 argument(s)",
		"clamp(up, 2, 1)":                  "column 1: clamp cannot work with that; a minimum",
		"quantile(scalar(up), up)":         "column 10: scalar is not supported",
		`up{a=~"("}`:                       "column 4: ",
		"rate(up[$w]) + $nope":             `column 16: there is no var "nope"; one of the chart's vars`,
		"rate(up[$__rate_interval])":       "column 9: $__rate_interval is known only to Grafana; a duration, such as 1m",
		"rate(up[$m])":                     `column 9: $m stands for "up", which is no duration`,
		"rate($bad[1m])":                   "column 6: $bad stands for",
		"$ + 1":                            `column 1: a "$" that no name follows`,
		strings.Repeat("(", 200) + "up" + strings.Repeat(")", 200): "nested too deep; at most 100",
		strings.Repeat("up+", 4000) + "up":                         "the expression is 12002 bytes long; at most 8192",
		"":                                                         "column 1: ",
	} {
		_, err := transform.Compile(text, transform.Options{Lookup: lookup})
		bad, ok := errors.AsType[*transform.Error](err)
		if !ok || !strings.Contains(bad.Error(), want) {
			t.Errorf("%.60s:\n %v\nwant\n %s", text, err, want)
		}
	}
	if _, err := transform.Compile("rate(up[1m])", transform.Options{Metric: "x"}); err == nil || !strings.Contains(err.Error(), `no use of the metric "x"`) {
		t.Errorf("a metric that is not used: %v", err)
	}
}

// TestNameless is about selectors that leave the metric to the series beside
// them, with its labels.
func TestNameless(t *testing.T) {
	st := newStore()
	for _, metric := range []string{"m", "some.metric", "up"} {
		for _, code := range []string{"200", "500"} {
			put(t, st, metric, map[string]string{"code": code, "job": "a"}, 0, 1)
			put(t, st, metric, map[string]string{"code": code, "job": "b"}, 0, 1)
		}
	}
	job, err := store.ParseMatcher("job", "a")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		metric, text string
		want         float64
	}{
		{"m", "count({})", 2},
		{"m", `count({code="500"})`, 1},
		{"m", `count ( { code = "500" , } )`, 1},
		{"some.metric", `count({code!="500"})`, 1},
		{"m", `count(up{code="500"}) + count({})`, 4},
		{"m", `count({__name__="up"}) + count({})`, 6},
		{"m", `count({"some.metric", code="500"}) * count({})`, 4},
		{"m", `count({"code"="500"}) # {}`, 1},
		{"m", `count({code=~"[}{]|500"})`, 1},
		{"m", `count(count_over_time({}[1m]))`, 2},
		{"m", `sum(up * on (code, job) {})`, 2},
		{"m", `sum({} > bool {})`, 0},
	} {
		e, err := transform.Compile(tc.text, transform.Options{Metric: tc.metric, Matchers: []store.Matcher{job}})
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		tr := transform.New(e, st, 10)
		defer tr.Close()
		if last, ok := follow(t, tr)[0].Last(); !ok || last.V != tc.want {
			t.Errorf("%s: %v, %v; want %v", tc.text, last.V, ok, tc.want)
		}
	}
}

// TestVarsStayValues fills in vars that try to be more than a value.
func TestVarsStayValues(t *testing.T) {
	st := newStore()
	attack := `x"} or up{a!="`
	put(t, st, "up", map[string]string{"a": "x"}, 0, 1)
	put(t, st, "up", map[string]string{"a": attack}, 0, 2)
	for value, want := range map[string]int{"x": 1, attack: 1, `\`: 0, "`": 0, "'": 0, "\n": 0} {
		for _, text := range []string{`up{a="$v"}`, `up{a='$v'}`, "up{a=`$v`}"} {
			e, err := transform.Compile(text, transform.Options{
				Lookup:    func(string) (string, bool) { return value, true },
				Condition: func(c string) string { return strings.ReplaceAll(c, "$v", value) },
			})
			if err != nil {
				t.Errorf("%s with %q: %v", text, value, err)
				continue
			}
			tr := transform.New(e, st, 10)
			defer tr.Close()
			if series := follow(t, tr); len(series) != want {
				t.Errorf("%s with %q: %v; want %d series", text, value, series, want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"rate(up[1m])":     "up",
		"up / sum(up)":     "up",
		"up  /\n down":     "up / down",
		`up{a="b"} + down`: `up{a="b"} + down`,
	} {
		e, err := transform.Compile(text, transform.Options{})
		if err != nil || e.Name() != want {
			t.Errorf("%s is called %v, %v; want %s", text, e.Name(), err, want)
		}
	}
	e, err := transform.Compile("a / b + a", transform.Options{})
	if got := e.Metrics(); err != nil || !slices.Equal(got, []string{"a", "b", "a"}) {
		t.Errorf("%v, %v", got, err)
	}
}

// FuzzCompile compiles anything, and evaluates what can be.
func FuzzCompile(f *testing.F) {
	for _, text := range slices.Concat(exact, own) {
		f.Add(text, "m", "v")
	}
	f.Add("rate({a=\"$v\"}[$v]) # $v", "some metric", "5m")
	f.Add("$v{}", "", "up")
	f.Fuzz(func(t *testing.T, text, metric, value string) {
		e, err := transform.Compile(text, transform.Options{
			Metric:    metric,
			Lookup:    func(string) (string, bool) { return value, true },
			Condition: func(c string) string { return strings.ReplaceAll(c, "$v", value) },
		})
		if err != nil {
			bad, ok := errors.AsType[*transform.Error](err)
			if !ok || bad.Error() == "" || bad.Pos < 0 || bad.Pos > len(text) {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		st := newStore()
		for _, m := range append(e.Metrics(), "g", "c") {
			for _, k := range []string{"x", "y"} {
				for i := range int64(5) { // a name that the store refuses has no samples
					_ = st.Append(m, store.LabelsOf(map[string]string{"a": k, "b": "1"}), start+i*1000, float64(i))
				}
			}
		}
		tr := transform.New(e, st, 10)
		defer tr.Close()
		if _, err := tr.Series(); err != nil {
			t.Fatal(err)
		}
		_ = tr.Follow(start, math.MaxInt64) // it may be ambiguous
	})
}
