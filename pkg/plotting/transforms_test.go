package plotting_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// TestTransformIsDrawn holds a chart of a transform against a chart of samples
// that have the transform's values, while samples come in, late ones and new
// series among them: the pictures are the same, patch by patch.
func TestTransformIsDrawn(t *testing.T) {
	for _, kind := range []plotting.Kind{plotting.Line, plotting.Scatter, plotting.Step, plotting.Stat} {
		t.Run(string(kind), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { transformed(t, kind) })
		})
	}
}

func transformed(t *rapid.T, kind plotting.Kind) {
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	reg := prometheus.NewRegistry()
	st := store.New(cfg, reg)
	charts := make([]*plotting.Spec, 2)
	for i, series := range []plotting.SeriesSpec{{Metric: "plain", Name: "{mode}"}, {Metric: "m", Transform: "3 * {} - 1", Name: "{mode}"}} {
		spec := plotting.DefaultSpec()
		spec.Kind, spec.Timezone, spec.Window, spec.Series = kind, "UTC", quantity.Duration(time.Minute), []plotting.SeriesSpec{series}
		if ps := spec.Validate(); len(ps) > 0 {
			t.Fatal(ps)
		}
		charts[i] = &spec
	}
	plain, derived := plotting.NewLive(charts[0], st), plotting.NewLive(charts[1], st)
	view := charts[0].View("t")
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	var c client
	for range rapid.IntRange(1, 15).Draw(t, "ticks") {
		now += rapid.SampledFrom([]int64{100, 1000, 3000}).Draw(t, "step")
		for range rapid.IntRange(0, 6).Draw(t, "samples") {
			at := now - rapid.SampledFrom([]int64{0, 0, 0, 50, 3000}).Draw(t, "late")
			v := rapid.SampledFrom([]float64{0, 1, 2.5, -7}).Draw(t, "v")
			ls := store.LabelsOf(map[string]string{"mode": rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "mode")})
			_, _ = st.Append("m", ls, at, v), st.Append("plain", ls, at, 3*v-1)
		}
		want, err := plain.Render(view, now)
		if err != nil {
			t.Fatal(err)
		}
		have, err := derived.Render(view, now)
		if err != nil {
			t.Fatal(err)
		}
		c.see(t, have)
		if a, b := svg(have), svg(want); a != b {
			i := 0
			for i < min(len(a), len(b)) && a[i] == b[i] {
				i++
			}
			t.Fatalf("the transform is drawn as\n%.300s\nnot\n%.300s", a[max(0, i-100):], b[max(0, i-100):])
		}
	}
	derived.Close()
	if room, samples := gathered(t, reg, "chartd_store_room_samples"), gathered(t, reg, "chartd_store_series"); room > samples*32 {
		t.Fatalf("closed, there is room for %v samples in %v series", room, samples)
	}
}

// gathered returns the value of a metric.
func gathered(t *rapid.T, reg *prometheus.Registry, name string) float64 {
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
	return families[i].GetMetric()[0].GetGauge().GetValue()
}

// TestTransformIsChecked is about what the configuration says of a transform.
func TestTransformIsChecked(t *testing.T) {
	for _, tc := range []struct {
		series plotting.SeriesSpec
		want   string // "" is right
	}{
		{plotting.SeriesSpec{Transform: "rate(up[1m])"}, ""},
		{plotting.SeriesSpec{Metric: "up", Labels: map[string]string{"job": "a"}, Transform: "rate({}[$range])"}, ""},
		{plotting.SeriesSpec{Transform: `up{job="$job", x=~"a|b$"}`}, ""},
		{plotting.SeriesSpec{}, "series[0].metric: is empty; the metric's name, such as host_load, or a transform"},
		{plotting.SeriesSpec{Transform: "rate(up)"}, "series[0].transform: column 6: expected type range vector"},
		{plotting.SeriesSpec{Metric: "m", Transform: "rate(up[1m])"}, `series[0].transform: column 1: the expression makes no use of the metric "m"`},
		{plotting.SeriesSpec{Transform: "topk(1, up)"}, "series[0].transform: column 1: topk is not supported; one of: abs"},
		{plotting.SeriesSpec{Transform: "up", Labels: map[string]string{"job": "a"}}, "series[0].labels: the labels are those of the metric that {} stands for"},
		{plotting.SeriesSpec{Transform: `up{job="$jov"}`}, `series[0].transform: there is no var "jov"; did you mean "job"?`},
		{plotting.SeriesSpec{Transform: "rate(up[$__interval])"}, "series[0].transform: column 9: $__interval is known only to Grafana"},
		{plotting.SeriesSpec{Transform: "rate(up[$job])"}, `series[0].transform: column 9: $job stands for "web", which is no duration`},
		{plotting.SeriesSpec{Transform: "rate(up[$wrong])"}, `series[0].transform: column 9: $wrong stands for "oops"`},
	} {
		spec := plotting.DefaultSpec()
		spec.Series = []plotting.SeriesSpec{tc.series}
		spec.Vars = map[string]plotting.Var{
			"job": {Default: "web"}, "range": {Values: []string{"1m", "5m"}}, "wrong": {Values: []string{"1m", "oops"}},
		}
		var have []string
		for _, p := range spec.Validate() {
			have = append(have, p.Error())
		}
		if got := strings.Join(have, "\n"); tc.want == "" && got != "" || !strings.HasPrefix(got, tc.want) || len(have) > 1 {
			t.Errorf("%+v:\n%s\nwant\n%s", tc.series, got, tc.want)
		}
	}
}

// TestTransformFollowsVars picks other values of vars that stand in a transform:
// as a label's value, a duration, and a metric.
func TestTransformFollowsVars(t *testing.T) {
	st := filled(t)
	now := time.Now().UnixMilli()
	for _, job := range []string{"web", "db", `x"} or up{a!="`} {
		for i := range int64(10) {
			if err := st.Append("hits", store.LabelsOf(map[string]string{"job": job}), now-10_000+i*1000, float64(i*i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	spec := plotting.DefaultSpec()
	spec.Kind = plotting.Stat
	spec.Vars = map[string]plotting.Var{"job": {Default: "web", All: true, From: plotting.VarSource{Metric: "hits", Label: "job"}}, "range": {Default: "5s"}, "metric": {Default: "hits"}}
	spec.Series = []plotting.SeriesSpec{{Transform: `delta($metric{job="$job"}[$range])`, Name: "{job} {metric}"}}
	if ps := spec.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	live := plotting.NewLive(&spec, st)
	defer live.Close()
	for _, tc := range []struct {
		vars map[string]string
		want []string
	}{
		// Of (t-5s, t] five samples, 25 to 81; stretched by a second: 56·5/4.
		{nil, []string{"web hits 70.0."}},
		{map[string]string{"range": "3s"}, []string{"web hits 48.0."}},
		{map[string]string{"job": "*"}, []string{"web hits", "db hits", "or up"}},
		{map[string]string{"job": `x"} or up{a!="`}, []string{"or up"}},
		{map[string]string{"metric": "nothing"}, []string{"No data yet"}},
	} {
		v, err := spec.Change(spec.View("vars"), plotting.Change{Vars: tc.vars})
		if err != nil {
			t.Fatal(err)
		}
		f, err := live.Render(v, now)
		if err != nil {
			t.Fatalf("%v: %v", tc.vars, err)
		}
		for _, want := range tc.want {
			if !strings.Contains(svg(f), want) {
				t.Errorf("%v: no %q in %s", tc.vars, want, svg(f))
			}
		}
	}
	v, err := spec.Change(spec.View("vars"), plotting.Change{Vars: map[string]string{"range": `1m]) or up[5m`}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := live.Render(v, now); err == nil || !strings.Contains(err.Error(), "which is no duration") {
		t.Errorf("a var broke out of a range: %v", err)
	}
}

func TestMetrics(t *testing.T) {
	spec := plotting.DefaultSpec()
	spec.Vars = map[string]plotting.Var{"m": {Default: "c"}}
	spec.Series = []plotting.SeriesSpec{{Metric: "$m"}, {Transform: "b / a + b"}, {Metric: "$m", Transform: "rate({}[1m])"}}
	if got := spec.Metrics(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%v", got)
	}
}
