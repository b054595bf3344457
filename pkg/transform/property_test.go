package transform_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/transform"
)

// start is the time of the first sample of the tests, in ms.
const start = 1_760_000_000_000

func newStore() *store.Store {
	c := store.DefaultConfig()
	c.MaxAge = quantity.Duration(3000 * 24 * time.Hour)
	c.MaxSamples, c.MaxTotal = 20_000_000, 40_000_000
	return store.New(c, nil)
}

// close9 reports whether two values are equal to nine digits of the larger of
// them, or of scale.
func close9(a, b, scale float64) bool {
	if a == b || math.IsNaN(a) && math.IsNaN(b) {
		return true
	}
	return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b), scale)
}

// samplesOf returns all samples of a series from a time on.
func samplesOf(s *store.Series, from int64) []store.Sample {
	var out []store.Sample
	s.Each(from, math.MaxInt64, func(b []store.Sample) { out = append(out, b...) })
	return out
}

// exact are expressions of which each series is compared with Prometheus' own
// engine at each of its samples. The metric c is a counter, g a gauge; labels
// are a and b.
var exact = []string{
	"g", "-g", "abs(g)", "g * 2 + 1", "1 / (g + 1000)", "g ^ 2 % 7", "round(g, 0.5)", "ceil(g)", "floor(g)", "clamp(g, -1, 5)", "clamp_min(g, 0)",
	"clamp_max(g, 3)", "sqrt(abs(g))", "sgn(g)", "ln(abs(g) + 1)",
	"rate(c[1m])", "rate(c[10s])", "irate(c[1m])", "increase(c[37s])", "delta(g[1m])", "idelta(g[1m])", "resets(c[2m])", "changes(g[1m])",
	"avg_over_time(g[1m])", "min_over_time(g[30s])", "max_over_time(g[30s])", "sum_over_time(g[45s])", "count_over_time(g[1m])",
	"last_over_time(g[20s])", "quantile_over_time(0.9, g[1m])", "quantile_over_time(0.5, g[15s])",
	"sum(g)", "sum by (a) (rate(c[1m]))", "sum without (a) (g)", "avg by (b) (g)", "min(g)", "max by (a) (g)", "count(g)", "quantile(0.75, g)", "quantile by (a) (0.3, g)",
	"g + c", "g - on (a, b) c", "rate(c[1m]) / rate(c[2m])", "sum(rate(c[1m])) / count(c)", "g / on () group_left sum(g)",
	"g * on (a) group_left sum by (a) (c)", "sum by (a) (c) + on (a) group_right g", "100 * g / ignoring (a, b) group_left max(g)",
	"g > 2", "2 < g", "g >= bool c", "sum(g > 0)", "max(max_over_time(g[1m]) - min_over_time(g[1m]))",
	`g{a="x"}`, `sum(g{b!="1"})`, `rate(c{a=~"x|y"}[1m])`, "avg(avg_over_time(g[30s]) > 0)",
}

// own are expressions that Prometheus has no word for.
var own = []string{"ema(g, 0.2)", "ema(rate(c[30s]), 20s)", "sum(ema(g, 10s))", "ema(ema(sum by (a) (g), 0.5), 5s)", "g - ema(g, 1m)"}

// world is random samples that come in, late and in order.
type world struct {
	st    *store.Store
	value map[string]float64
	now   int64
}

var names = []string{"x1", "x2", "y1", "z2"}

// change appends some samples.
func (w *world) change(t *rapid.T) {
	for range rapid.IntRange(1, 25).Draw(t, "samples") {
		name := rapid.SampledFrom(names).Draw(t, "series")
		ls := store.LabelsOf(map[string]string{"a": name[:1], "b": name[1:]})
		if rapid.Bool().Draw(t, "on") {
			w.now += rapid.SampledFrom([]int64{1, 500, 1000, 1000, 5000, 15_007, 70_001}).Draw(t, "step")
		}
		at := w.now
		kind := rapid.IntRange(0, 20).Draw(t, "kind")
		if kind == 0 {
			at -= rapid.Int64Range(1, 100_000).Draw(t, "late")
		}
		for _, metric := range []string{"c", "g"} {
			v := w.value[metric+name]
			switch {
			case metric == "g":
				v = rapid.Float64Range(-10, 10).Draw(t, "v")
			case rapid.IntRange(0, 15).Draw(t, "reset") == 0:
				v = rapid.Float64Range(0, 3).Draw(t, "v")
			default:
				v += rapid.Float64Range(0, 5).Draw(t, "v")
			}
			w.value[metric+name] = v
			if kind == 1 {
				v = math.NaN()
			}
			if err := w.st.Append(metric, ls, at, v); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (w *world) oracle() *oracle {
	return newOracle(append(slices.Clone(w.st.Select("c", nil)), w.st.Select("g", nil)...)...)
}

// inputs returns all times at which there is a sample, in order.
func (w *world) inputs() []int64 {
	at := map[int64]bool{}
	for _, metric := range []string{"c", "g"} {
		for _, s := range w.st.Select(metric, nil) {
			for _, x := range samplesOf(s, math.MinInt64) {
				at[x.T] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(at))
}

// TestIncrementalIsRecomputed lets samples come in at random, late ones and new
// series among them, while transforms follow over ranges that move, and compares
// each with one that begins at the end, and with Prometheus' own engine.
func TestIncrementalIsRecomputed(t *testing.T) {
	compared := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{st: newStore(), value: map[string]float64{}, now: start}
		text := rapid.SampledFrom(append(slices.Clone(exact), own...)).Draw(rt, "expression")
		e, err := transform.Compile(text, transform.Options{})
		if err != nil {
			rt.Fatalf("%s: %v", text, err)
		}
		tr := transform.New(e, w.st, 100)
		defer tr.Close()
		from, limit := int64(start), int64(math.MaxInt64)
		follow := func(meanwhile func()) {
			if _, err := tr.Series(); err != nil {
				rt.Fatal(err)
			}
			meanwhile()
			if err := tr.Follow(from, limit); err != nil {
				rt.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 12).Draw(rt, "rounds") {
			w.change(rt)
			if rapid.IntRange(0, 3).Draw(rt, "move") == 0 {
				from = w.now - rapid.Int64Range(0, 400_000).Draw(rt, "window")
				limit = rapid.SampledFrom([]int64{w.now - 20_000, w.now, math.MaxInt64}).Draw(rt, "limit")
			}
			follow(func() {
				if rapid.IntRange(0, 3).Draw(rt, "meanwhile") == 0 {
					w.change(rt)
				}
			})
		}
		limit = math.MaxInt64
		follow(func() {})
		have, _ := tr.Series()
		fresh := transform.New(e, w.st, 100)
		defer fresh.Close()
		want, err := fresh.Series()
		if err != nil {
			rt.Fatal(err)
		}
		if err := fresh.Follow(from, math.MaxInt64); err != nil {
			rt.Fatal(err)
		}
		if len(have) != len(want) {
			rt.Fatalf("%s: %d series; recomputed %d", text, len(have), len(want))
		}
		for i := range want {
			same(rt, text, have[i], want[i], from)
		}
		if slices.Contains(exact, text) {
			compared += agree(t, rt, w, text, have, from)
		}
	})
	if compared == 0 {
		t.Error("nothing was compared with the engine")
	}
	t.Logf("%d values compared with the engine", compared)
}

// same compares a series with its like; gaps at the beginning do not count.
func same(t *rapid.T, text string, have, want *store.Series, from int64) {
	t.Helper()
	gap := func(s store.Sample) bool { return math.IsNaN(s.V) }
	trim := func(all []store.Sample) []store.Sample {
		for len(all) > 0 && gap(all[0]) {
			all = all[1:]
		}
		return all
	}
	a, b := trim(samplesOf(have, from)), trim(samplesOf(want, from))
	if have.String() != want.String() {
		t.Fatalf("%s: is called %v; recomputed %v", text, have, want)
	}
	if !slices.EqualFunc(a, b, func(a, b store.Sample) bool { return a.T == b.T && close9(a.V, b.V, 1e-3) }) {
		t.Fatalf("%s: %v has\n%v\nrecomputed\n%v", text, have, rel(a), rel(b))
	}
}

// rel writes samples with times from the beginning.
func rel(all []store.Sample) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "%d:%v ", s.T-start, s.V)
	}
	return b.String()
}

// agree compares series with what the engine says at each time at which there
// is any sample, and returns how many values it compared.
func agree(t *testing.T, rt *rapid.T, w *world, text string, series []*store.Series, from int64) (n int) {
	t.Helper()
	o := w.oracle()
	times := w.inputs()
	byTime := map[int64]map[string]float64{}
	for _, s := range series {
		for _, x := range samplesOf(s, from) {
			if byTime[x.T] == nil {
				byTime[x.T] = map[string]float64{}
			}
			byTime[x.T][s.Labels().String()] = x.V
		}
	}
	one := slices.Contains([]string{"sum(g)", "count(g)", "min(g)", "quantile(0.75, g)"}, text)
	for _, at := range times[max(0, len(times)-8):] {
		if at < from {
			continue
		}
		want, err := o.at(t, text, at)
		if err != nil {
			rt.Fatalf("%s: %v", text, err)
		}
		for key, v := range byTime[at] {
			x, ok := want[key]
			if !ok || math.IsInf(x, 0) {
				x = math.NaN()
			}
			if !close9(v, x, 1e-3) {
				rt.Fatalf("%s: %s at %d is %v; Prometheus says %v\n%v", text, key, at-start, v, x, w.st.Select("c", nil))
			}
			n++
		}
		// What is made of everything has a value whenever there is one.
		if v, ok := want["{}"]; one && ok && !math.IsNaN(v) {
			if _, ok := byTime[at]["{}"]; !ok {
				rt.Fatalf("%s has nothing at %d; Prometheus says %v", text, at-start, v)
			}
		}
	}
	return n
}
