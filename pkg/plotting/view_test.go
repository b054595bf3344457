package plotting_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
)

func viewSpec() *plotting.Spec {
	s := plotting.DefaultSpec()
	s.Series = []plotting.SeriesSpec{{Metric: "m"}}
	s.Vars = map[string]plotting.Var{"host": {Default: "all"}, "zone": {Default: ""}}
	return &s
}

func TestChangeRefuses(t *testing.T) {
	s := viewSpec()
	long := strings.Repeat("x", 300)
	for _, tc := range []struct {
		json, want string
	}{
		{`{"window":10}`, "window: 10ms is not between 1s and 3660d"},
		{`{"size":[10,400]}`, "size: 10 by 400 px; each side must be 40 to 4096"},
		{`{"size":[800,9999]}`, "size: 800 by 9999 px; each side must be 40 to 4096"},
		{`{"refresh":1}`, "refresh: 1ms; at least 50ms, or 0 for only on demand"},
		{`{"from":5,"to":1}`, "from, to: 5 to 1 is not a range"},
		{`{"from":5,"to":-9223372036854775808}`, "from, to: 5 to -9223372036854775808 is not a range"},
		{`{"from":9223372036854775807,"to":-9223372036854775808}`, "lies behind the year 9999"},
		{`{"from":9223372036851175807,"to":9223372036854775807}`, "lies behind the year 9999"},
		{`{"from":5}`, "from, to: 5 to 0 is not a range"},
		{`{"vars":{"hots":"a"}}`, `vars: the chart has no var "hots"; it has ["host" "zone"]`},
		{`{"vars":{"host":"` + long + `"}}`, "vars: host is 300 bytes; at most 256"},
		{`{"title":"` + long + `"}`, "title: 300 bytes; at most 256"},
		{`{"hidden":["` + long + `"]}`, "hidden: a name of 300 bytes; at most 256"},
		{`{"marks":[{"t":1,"text":"` + long + `"}]}`, "marks: a text of 300 bytes; at most 256"},
		{`{"replay":{"at":-1}}`, "replay: at -1, since 0; both are ms since 1970"},
		{`{"replay":{"at":5,"speed":61}}`, "replay: speed 61; 0 (stand still) to 60 times"},
		{`{"replay":{"at":5,"speed":-1}}`, "replay: speed -1"},
		{`{"from":1,"to":5,"replay":{"at":5}}`, "replay: a range of time stands still; give from and to, or replay"},
		{`{"timezone":"Mars/Olympus"}`, `timezone: there is no time zone "Mars/Olympus"; a name such as "Europe/Berlin" or "UTC" is right`},
		{`{"timezone":"Local"}`, `timezone: there is no time zone "Local"`},
		{`{"timezone":"../../etc/passwd"}`, "timezone: there is no time zone"},
		{`{"timezone":"` + long + `"}`, "timezone: a name of 300 bytes"},
		{`{"window":1,"refresh":1}`, "refresh: 1ms"}, // both are said
	} {
		var c plotting.Change
		if err := json.Unmarshal([]byte(tc.json), &c); err != nil {
			t.Fatal(err)
		}
		_, err := s.Change(s.View("c"), c)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.60s: %v, want %q", tc.json, err, tc.want)
		}
	}
}

// drawChange draws a change that is allowed.
func drawChange(t *rapid.T) plotting.Change {
	var c plotting.Change
	maybe := func(name string) bool { return rapid.Bool().Draw(t, name) }
	if maybe("window") {
		c.Window = new(quantity.Duration(rapid.Int64Range(1e9, 1e15).Draw(t, "w")))
	}
	if maybe("range") {
		from := rapid.Int64Range(1, 1e12).Draw(t, "from")
		c.From, c.To = new(from), new(from+rapid.Int64Range(1, 1e9).Draw(t, "span"))
	}
	if c.From == nil && maybe("replay") {
		c.Replay = &plotting.Replay{
			At: rapid.Int64Range(0, 1e13).Draw(t, "at"), Since: rapid.Int64Range(0, 1e13).Draw(t, "since"),
			Speed: rapid.SampledFrom([]float64{0, 0.5, 1, 60}).Draw(t, "speed"),
		}
	}
	if maybe("hidden") {
		c.Hidden = new(rapid.SliceOfN(rapid.StringN(0, 9, -1), 0, 4).Draw(t, "names"))
	}
	if maybe("size") {
		c.Size = &[2]int{rapid.IntRange(40, 4096).Draw(t, "width"), rapid.IntRange(40, 4096).Draw(t, "height")}
	}
	if maybe("refresh") {
		c.Refresh = new(quantity.Duration(rapid.SampledFrom([]int64{0, 50e6, 1e9}).Draw(t, "r")))
	}
	if maybe("vars") {
		c.Vars = map[string]string{"host": rapid.SampledFrom([]string{"all", "web1", "é<"}).Draw(t, "host")}
	}
	if maybe("title") {
		c.Title = new(rapid.StringN(0, 9, -1).Draw(t, "title text"))
	}
	if maybe("timezone") {
		c.Timezone = new(rapid.SampledFrom([]string{"", "UTC", "Asia/Kolkata"}).Draw(t, "zone"))
	}
	if maybe("marks") {
		c.Marks = &[]plotting.Mark{{T: rapid.Int64().Draw(t, "mark"), Text: rapid.StringN(0, 9, -1).Draw(t, "mark text")}}
	}
	if maybe("band") {
		from := rapid.Int64Range(0, 1e12).Draw(t, "band from")
		c.Marks = &[]plotting.Mark{{T: from, To: from + rapid.Int64Range(1, 1e9).Draw(t, "band span")}}
	}
	if maybe("thresholds") {
		c.Thresholds = new(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) plotting.Threshold {
			return plotting.Threshold{
				At: rapid.Float64Range(-1e9, 1e9).Draw(t, "at"), Below: rapid.Bool().Draw(t, "below"),
				Level: rapid.SampledFrom(append(plotting.Levels(), "")).Draw(t, "level"), Text: rapid.StringN(0, 9, -1).Draw(t, "threshold text"),
			}
		}), 0, 4).Draw(t, "list"))
	}
	return c
}

// TestDiffAsksForTheViewAgain: what a client is told about its view leads it
// back there from the chart's default, through JSON, under the same id.
func TestDiffAsksForTheViewAgain(t *testing.T) {
	s := viewSpec()
	rapid.Check(t, func(t *rapid.T) {
		v := s.View("c")
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			next, err := s.Change(v, drawChange(t))
			if err != nil {
				t.Fatal(err)
			}
			v = next
		}
		b, err := json.Marshal(s.Diff(v))
		if err != nil {
			t.Fatal(err)
		}
		var c plotting.Change
		if err := json.Unmarshal(b, &c); err != nil {
			t.Fatal(err)
		}
		again, err := s.Change(s.View("c"), c)
		if err != nil || again != v || again.ID() != v.ID() {
			t.Fatalf("%s leads to %+v, %v; want %+v", b, again, err, v)
		}
		if reset, err := s.Change(v, plotting.Change{Reset: true}); err != nil || reset != s.View("c") {
			t.Fatalf("reset leads to %+v, %v", reset, err)
		}
	})
}

func TestEqualViewsHoweverExpressed(t *testing.T) {
	s := viewSpec()
	s.Timezone = "Europe/Berlin"
	change := func(j string) plotting.View {
		var c plotting.Change
		if err := json.Unmarshal([]byte(j), &c); err != nil {
			t.Fatal(err)
		}
		v, err := s.Change(s.View("c"), c)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, pair := range [][2]string{
		{`{}`, `{"window":"5m"}`},
		{`{"window":60000}`, `{"window":"1m"}`},
		{`{"hidden":["b","a"]}`, `{"hidden":["a","b","a"]}`},
		{`{"vars":{"host":"all"}}`, `{}`},
		{`{"hidden":[]}`, `{}`},
		{`{"from":0,"to":0}`, `{}`},
		{`{"timezone":""}`, `{}`},
		{`{"timezone":"Europe/Berlin"}`, `{}`}, // the chart's own
	} {
		if a, b := change(pair[0]), change(pair[1]); a != b {
			t.Errorf("%s and %s are two views: %+v, %+v", pair[0], pair[1], a, b)
		}
	}
	v := change(`{"vars":{"host":"web1"},"hidden":["x"]}`)
	if !reflect.DeepEqual(v.Vars(), map[string]string{"host": "web1"}) || !reflect.DeepEqual(v.Hidden(), []string{"x"}) {
		t.Errorf("vars %v, hidden %v", v.Vars(), v.Hidden())
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		edit       func(*plotting.Spec)
	}{
		{"kind", `kind: there is no kind "lien"; did you mean "line"?`, func(s *plotting.Spec) { s.Kind = "lien" }},
		{"stack", "stack: a line chart cannot be stacked; kind: area", func(s *plotting.Spec) { s.Stack = true }},
		{"refresh", "refresh: 1ms is too short", func(s *plotting.Spec) { s.Refresh = 1e6 }},
		{"window", "window: 0 is out of range; 1s to 3660d", func(s *plotting.Spec) { s.Window = 0 }},
		{"gap", "gap: -1ns is negative", func(s *plotting.Spec) { s.Gap = -1 }},
		{"size", "size: [1, 400] is out of range", func(s *plotting.Spec) { s.Size[0] = 1 }},
		{"y", "y.max: 1 is not above", func(s *plotting.Spec) { s.Y.Min, s.Y.Max = new(2.0), new(1.0) }},
		{"legend", `legend: there is no place "botom" for a legend; did you mean "bottom"?`, func(s *plotting.Spec) { s.Legend = "botom" }},
		{"zone", `timezone: there is no time zone "Mars"`, func(s *plotting.Spec) { s.Timezone = "Mars" }},
		{"series", "series: the chart shows no series", func(s *plotting.Spec) { s.Series = nil }},
		{"metric", "series[0].metric: is empty", func(s *plotting.Spec) { s.Series[0].Metric = "" }},
		{"matcher", "series[0].labels.a: ", func(s *plotting.Spec) { s.Series[0].Labels = map[string]string{"a": "=~("} }},
		{"var", `vars.1x: "1x" cannot be the name of a var`, func(s *plotting.Spec) { s.Vars["1x"] = plotting.Var{} }},
		{"a var in the title", `title: there is no var "hots"; did you mean "host"? It is one of: host, zone; a "$" that no letter`, func(s *plotting.Spec) { s.Title = "CPU of $hots in $ or 5$" }},
		{"a var in a label", `series[0].labels.a: there is no var "b"`, func(s *plotting.Spec) { s.Series[0].Labels = map[string]string{"a": "=~^x$b"} }},
		{"a var in a name", `series[0].name: there is no var "b"`, func(s *plotting.Spec) { s.Series[0].Name = "{a} $b" }},
		{"title", "title: the text has 300 bytes", func(s *plotting.Spec) { s.Title = strings.Repeat("x", 300) }},
	} {
		s := viewSpec()
		if ps := s.Validate(); len(ps) > 0 {
			t.Fatal(ps)
		}
		tc.edit(s)
		ps := s.Validate()
		if len(ps) != 1 || !strings.HasPrefix(ps[0].Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, ps, tc.want)
		}
	}
}
