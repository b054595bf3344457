package plotting_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/store"
)

// varStore holds a series of "load" for each host, and others.
func varStore(t testing.TB, hosts ...string) *store.Store {
	t.Helper()
	st := store.New(store.DefaultConfig(), prometheus.NewRegistry())
	for _, host := range hosts {
		put(t, st, host)
	}
	return st
}

func put(t testing.TB, st *store.Store, host string) {
	t.Helper()
	now := time.Now().UnixMilli()
	for _, labels := range []map[string]string{{"host": host, "job": "node"}, {"host": host, "job": "node", "cpu": "0"}, {"job": "node"}, {"host": "db9", "job": "db"}} {
		if err := st.Append("load", store.LabelsOf(labels), now, 1); err != nil {
			t.Fatal(err)
		}
	}
}

func varSpec(x plotting.Var) *plotting.Spec {
	s := plotting.DefaultSpec()
	s.Title = "Load of $host"
	s.Series = []plotting.SeriesSpec{{Metric: "load", Labels: map[string]string{"host": "$host"}}}
	s.Vars = map[string]plotting.Var{"host": x}
	return &s
}

var fromStore = plotting.VarSource{Metric: "load", Labels: map[string]string{"job": "node"}, Label: "host"}

func pick(t testing.TB, s *plotting.Spec, value string) plotting.View {
	t.Helper()
	v, err := s.Change(s.View("c"), plotting.Change{Vars: map[string]string{"host": value}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestVarCondition holds what the value of a var means in a label, and what a
// viewer reads of it.
func TestVarCondition(t *testing.T) {
	free := plotting.Var{Default: "web1"}
	list := plotting.Var{Values: []string{"web1", "a.b", "=~web.*", "!=web1", "!~web.*"}, All: true}
	live := plotting.Var{From: fromStore, All: true}
	for _, tc := range []struct {
		name             string
		x                plotting.Var
		value, text      string
		want, wantInText string
	}{
		{"one", list, "web1", "$host", "web1", "web1"},
		{"one, not", list, "web1", "!=$host", "!=web1", "!=web1"},
		{"one in an expression", list, "web1", "=~$host:.*", "=~web1:.*", "=~web1:.*"},
		{"one that has a dot", live, "a.b", "=~$host:.*", `=~a\.b:.*`, "=~a.b:.*"},
		{"one alone in an expression", live, "a.b", "=~$host", `=~a\.b`, "=~a.b"},
		{"one alone in another", live, "a.b", "!~$host", `!~a\.b`, "!~a.b"},
		{"a part of an expression", free, "web.", "=~$host:.*", "=~web.:.*", "=~web.:.*"},
		{"a dot of the author's own", list, "a.b", "=~$host", "=~a.b", "=~a.b"},
		{"all", list, "*", "$host", "=~.*", "All"},
		{"all of the store's", live, "*", "$host", "=~.*", "All"},
		{"not all", list, "*", "!=$host", "!~.*", "!=All"},
		{"all in an expression", list, "*", "=~$host", "=~.*", "=~All"},
		{"all amid an expression", list, "*", "=~a|$host", "=~a|(?:.*)", "=~a|All"},
		{"all amid text", list, "*", "rack.1-$host", `=~rack\.1-(?:.*)`, "rack.1-All"},
		{"all but, amid text", list, "*", "!=rack-$host!", `!~rack-(?:.*)!`, "!=rack-All!"},
		{"a star where nothing is all", free, "*", "$host", "*", "*"},
		{"a pattern", free, "=~db.*", "$host", "=~db.*", "=~db.*"},
		{"a pattern, not", list, "=~web.*", "!=$host", "!~web.*", "!==~web.*"},
		{"a pattern in a pattern", list, "=~web.*", "=~$host", "=~web.*", "=~=~web.*"},
		{"a pattern amid text", list, "=~web.*", "a.$host", `=~a\.(?:web.*)`, "a.=~web.*"},
		{"not, not", list, "!=web1", "!=$host", "web1", "!=!=web1"},
		{"no pattern, not", list, "!~web.*", "!=$host", "=~web.*", "!=!~web.*"},
		{"other than", list, "!=web1", "$host", "!=web1", "!=web1"},
		{"twice", live, "a.b", "$host/$host", "a.b/a.b", "a.b/a.b"},
		{"dollars", free, "x", "5$ $5 $$host $other", "5$ $5 $x $other", "5$ $5 $x $other"},
		{"nothing yet", plotting.Var{From: fromStore}, "", "$host", `=~[^\x00-\x{10FFFF}]`, "…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := varSpec(tc.x)
			v := s.View("c")
			if tc.value != "" {
				v = pick(t, s, tc.value)
			}
			p := s.Picks(v, nil)
			if got := p.Condition(tc.text); got != tc.want {
				t.Errorf("the condition %q is %q; want %q", tc.text, got, tc.want)
			}
			if _, err := store.ParseMatcher("host", p.Condition(tc.text)); err != nil {
				t.Error(err)
			}
			if got := p.Text(tc.text); got != tc.wantInText {
				t.Errorf("the text %q is %q; want %q", tc.text, got, tc.wantInText)
			}
		})
	}
}

// TestVarMatchesItself holds that a value from the store finds its own series and
// no other, whatever it is made of, alone and within an expression.
func TestVarMatchesItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[a-z.*+?(|)\[\]\\^$é:{}]{1,8}`).Draw(t, "value")
		other := rapid.StringMatching(`[a-z.*+?(|)\[\]\\^$é:{}]{1,8}`).Draw(t, "other")
		s := varSpec(plotting.Var{From: fromStore, Default: "web1"})
		v, err := s.Change(s.View("c"), plotting.Change{Vars: map[string]string{"host": value}})
		if err != nil {
			t.Fatal(err)
		}
		for text, not := range map[string]bool{"$host": false, "=~$host": false, "=~(x|$host)": false, "!=$host": true, "!~$host": true} {
			condition := s.Picks(v, nil).Condition(text)
			m, err := store.ParseMatcher("host", condition)
			if err != nil {
				t.Fatalf("%q: %v", condition, err)
			}
			if m.Matches(store.LabelsOf(map[string]string{"host": value})) == not {
				t.Fatalf("%q of %q is %q, which is wrong about %[2]q", text, value, condition)
			}
			if other != value && other != "x" && m.Matches(store.LabelsOf(map[string]string{"host": other})) != not {
				t.Fatalf("%q of %q is %q, which is wrong about %q", text, value, condition, other)
			}
		}
	})
}

// TestVarDefault holds where the value comes from that nobody has picked, and
// that who picks it sees the same view.
func TestVarDefault(t *testing.T) {
	st := varStore(t, "web2", "web1")
	for _, tc := range []struct {
		name  string
		x     plotting.Var
		want  string
		title string
		own   bool // picked, it is a view of its own
	}{
		{"a text", plotting.Var{Default: "web1"}, "web1", "Load of web1", false},
		{"none", plotting.Var{}, "", "Load of ", false},
		{"of a list", plotting.Var{Values: []string{"b", "a"}}, "b", "Load of b", false},
		{"one of a list", plotting.Var{Values: []string{"b", "a"}, Default: "a"}, "a", "Load of a", false},
		{"all of a list", plotting.Var{Values: []string{"b", "a"}, All: true}, "*", "Load of All", false},
		{"one, though there is all", plotting.Var{Values: []string{"b", "a"}, All: true, Default: "a"}, "a", "Load of a", false},
		{"written, of the store's", plotting.Var{From: fromStore, Default: "web2"}, "web2", "Load of web2", false},
		{"all of the store's", plotting.Var{From: fromStore, All: true}, "*", "Load of All", false},
		// Who picked the first stays there when there is another first.
		{"the first of the store's", plotting.Var{From: fromStore}, "web1", "Load of web1", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := varSpec(tc.x)
			if ps := s.Validate(); len(ps) > 0 {
				t.Fatal(ps)
			}
			def := s.View("c")
			if got, known := s.Picks(def, st).Value("host"); got != tc.want || !known {
				t.Errorf("the value is %q, %v; want %q", got, known, tc.want)
			}
			if got := s.TitleOf(def, st); got != tc.title {
				t.Errorf("the title is %q; want %q", got, tc.title)
			}
			if same := pick(t, s, tc.want) == def; same == tc.own {
				t.Errorf("picked, it is the default view: %v", same)
			}
			if back, err := s.Change(pick(t, s, tc.want), plotting.Change{Reset: true}); err != nil || back != def {
				t.Errorf("a reset gives %+v, %v", back, err)
			}
			if tc.name != "none" && tc.name != "a text" && pick(t, s, "") != def {
				t.Error("an empty pick is not the default")
			}
		})
	}
}

func TestVarList(t *testing.T) {
	st := varStore(t, "web2", "web1")
	if err := st.Append("load", store.LabelsOf(map[string]string{"host": strings.Repeat("x", plotting.MaxText+1), "job": "node"}), time.Now().UnixMilli(), 1); err != nil {
		t.Fatal(err)
	}
	x := plotting.Var{From: fromStore}
	if got, n := x.List(st); !slices.Equal(got, []string{"web1", "web2"}) || n != 2 {
		t.Errorf("the list is %q, %d", got, n)
	}
	if got, n := x.List(nil); len(got) != 0 || n != 0 {
		t.Errorf("without a store it is %q, %d", got, n)
	}
	put(t, st, "web0")
	if got, _ := x.List(st); !slices.Equal(got, []string{"web0", "web1", "web2"}) {
		t.Errorf("with a new host it is %q", got)
	}
	for i := range plotting.MaxValues {
		put(t, st, fmt.Sprintf("zz%04d", i))
	}
	if got, n := x.List(st); len(got) != plotting.MaxValues || n != plotting.MaxValues+3 || got[0] != "web0" {
		t.Errorf("of many it lists %d of %d", len(got), n)
	}
}

func TestVarRefuses(t *testing.T) {
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("rack%02d", i))
	}
	for _, tc := range []struct {
		name  string
		x     plotting.Var
		value string
		want  string // "": it is taken
	}{
		{"in the list", plotting.Var{Values: []string{"web1", "web2"}}, "web2", ""},
		{"a slip", plotting.Var{Values: []string{"web1", "db"}}, "wep1", `vars: host cannot be "wep1"; did you mean "web1"? It is one of: web1, db`},
		{"a pattern", plotting.Var{Values: []string{"web1", "db"}}, "=~.*", `vars: host cannot be "=~.*"; one of: web1, db`},
		{"all, without all", plotting.Var{Values: []string{"web1"}}, "*", `vars: host cannot be "*"; one of: web1`},
		{"all", plotting.Var{Values: []string{"web1"}, All: true}, "*", ""},
		{"not even all", plotting.Var{Values: []string{"web1"}, All: true}, "x", `vars: host cannot be "x"; one of: *, web1`},
		{"of many", plotting.Var{Values: many}, "elsewhere", `rack08, rack09 and 30 more`},
		{"gone from the store", plotting.Var{From: fromStore}, "web77", ""},
		{"too long", plotting.Var{From: fromStore}, strings.Repeat("x", 257), "vars: host is 257 bytes; at most 256"},
		{"whatever", plotting.Var{}, "x", ""},
	} {
		s := varSpec(tc.x)
		_, err := s.Change(s.View("c"), plotting.Change{Vars: map[string]string{"host": tc.value}})
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v; want %q", tc.name, err, tc.want)
		}
	}
}

func TestVarValidate(t *testing.T) {
	long := strings.Repeat("x", plotting.MaxText+1)
	many := make([]string, plotting.MaxValues+1)
	for _, tc := range []struct {
		x    plotting.Var
		want string
	}{
		{plotting.Var{Values: []string{"a", "b"}, Default: "c"}, `vars.host.default: "c" is not in the list; one of: a, b`},
		{plotting.Var{Values: []string{"a", "b", "a"}}, `vars.host.values[2]: "a" stands in the list twice; each value once`},
		{plotting.Var{Values: []string{"a", ""}}, "vars.host.values[1]: the value is empty; a text"},
		{plotting.Var{Values: []string{"a", "*"}, All: true}, `vars.host.values[1]: "*" is what all: true adds`},
		{plotting.Var{Values: []string{"a", long}}, "vars.host.values[1]: the text has 257 bytes"},
		{plotting.Var{Values: many}, `vars.host.values: the list has 501 values; at most 500, or "from"`},
		{plotting.Var{Values: []string{"a", "=~("}}, "series[0].labels.host: the matcher of host is no regular expression"},
		{plotting.Var{Default: "=~("}, "series[0].labels.host: the matcher of host is no regular expression"},
		{plotting.Var{Default: long}, "vars.host.default: the text has 257 bytes"},
		{plotting.Var{Label: long}, "vars.host.label: the text has 257 bytes"},
		{plotting.Var{All: true}, `vars.host.all: there is nothing of which that could be all; a list as well: "values" or "from"`},
		{plotting.Var{Values: []string{"a"}, From: fromStore}, `vars.host.from: there is a list already, "values"; one of the two`},
		{plotting.Var{From: plotting.VarSource{Label: "host"}}, "vars.host.from.metric: is empty"},
		{plotting.Var{From: plotting.VarSource{Metric: "load"}}, "vars.host.from.label: is empty"},
		{plotting.Var{From: plotting.VarSource{Metric: "load", Label: strings.Repeat("x", 129)}}, "vars.host.from.label: "},
		{plotting.Var{From: plotting.VarSource{Metric: "load", Label: "host", Labels: map[string]string{"job": "=~("}}}, "vars.host.from.labels.job: the matcher of job is no regular expression"},
		{plotting.Var{From: plotting.VarSource{Metric: "load", Label: "host", Labels: map[string]string{"job": "$host"}}}, `vars.host.from.labels.job: no var can stand in what a list is made from: "$host"`},
	} {
		s := varSpec(tc.x)
		ps := s.Validate()
		if len(ps) != 1 || !strings.HasPrefix(ps[0].Error(), tc.want) {
			t.Errorf("%+.60v: %v, want %q", tc.x, ps, tc.want)
		}
	}
	s := varSpec(plotting.Var{Values: []string{"a"}, All: true})
	s.Series[0].Metric = "load_$host"
	if ps := s.Validate(); len(ps) != 1 || ps[0].Path != "series[0].metric" {
		t.Errorf("a metric that may be all: %v", ps)
	}
	s = varSpec(plotting.Var{})
	s.Y.Label = "load of $hots"
	if ps := s.Validate(); len(ps) != 1 || ps[0].Path != "y.label" {
		t.Errorf("an axis of no var: %v", ps)
	}
}

// TestVarsOnChart draws a chart of a host and of all, and of the first while
// there are more and more.
func TestVarsOnChart(t *testing.T) {
	st := varStore(t, "web2")
	s := varSpec(plotting.Var{From: fromStore})
	s.Description, s.Y.Label, s.Series[0].Name, s.Series[0].Labels["cpu"] = "How busy $host is.", "runs on $host", "{host} of $host", ""
	read := func(live *plotting.Live, v plotting.View) string {
		t.Helper()
		f, err := live.Render(v, time.Now().UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		return svg(f)
	}
	says := func(drawn string, want ...string) {
		t.Helper()
		for _, part := range want {
			if !strings.Contains(drawn, part) {
				t.Errorf("the chart does not say %q:\n%.800s", part, drawn)
			}
		}
	}
	live := plotting.NewLive(s, st)
	says(read(live, s.View("c")), ">Load of web2<", "How busy web2 is.", "runs on web2", "web2 of web2")
	put(t, st, "web1")
	says(read(live, s.View("c")), ">Load of web1<", "runs on web1", "web1 of web1")
	says(read(live, pick(t, s, "web2")), ">Load of web2<", "web2 of web2")
	says(read(live, pick(t, s, "gone")), ">Load of gone<", "No data yet.")

	s = varSpec(plotting.Var{From: fromStore, All: true})
	s.Series[0].Name = "<{host}>"
	drawn := read(plotting.NewLive(s, st), s.View("c"))
	says(drawn, ">Load of All<", "&lt;web1&gt;", "&lt;web2&gt;", "&lt;db9&gt;")
	if n := len(regexp.MustCompile(`&lt;web1&gt;`).FindAllString(drawn, -1)); n == 0 {
		t.Error("web1 is not there")
	}
}
