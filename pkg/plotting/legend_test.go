package plotting_test

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// values returns what stands beside the first name of a legend.
func values(f *plotting.Frame) []string {
	var texts []string
	for _, m := range regexp.MustCompile(`<text data-k='n0\.\d'[^>]*>([^<]*)<`).FindAllStringSubmatch(svg(f), -1) {
		texts = append(texts, m[1])
	}
	return texts
}

// TestLegendValues holds what stands beside a name against all samples of the
// window, of which many share a pixel, while they come, late ones included, and
// for one who looks for the first time.
func TestLegendValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := store.DefaultConfig()
		cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
		st := store.New(cfg, prometheus.NewRegistry())
		spec := plotting.DefaultSpec()
		spec.Kind = rapid.SampledFrom([]plotting.Kind{plotting.Line, plotting.Area, plotting.Step}).Draw(t, "kind")
		spec.Stack = spec.Kind == plotting.Area
		spec.Window = quantity.Duration(10e9)
		spec.Y = plotting.Axis{Unit: plotting.Percent, Min: new(0.0), Max: new(100.0)}
		spec.Series, spec.LegendValues = []plotting.SeriesSpec{{Metric: "m"}}, plotting.LegendValues()
		live, view := plotting.NewLive(&spec, st), spec.View("c")
		now := int64(1_700_000_000_000)
		held := map[int64]float64{}
		add := func(at int64) {
			v := rapid.Float64Range(0, 100).Draw(t, "v")
			if err := st.Append("m", nil, at, v); err != nil {
				t.Fatal(err)
			}
			held[at] = v
		}
		bucket := spec.Window.Millis() / int64(view.Width-64)
		for range 6 {
			for range rapid.IntRange(1, 200).Draw(t, "n") {
				now += rapid.Int64Range(1, 30).Draw(t, "dt")
				add(now)
			}
			if rapid.Bool().Draw(t, "late") {
				add(now - rapid.Int64Range(1, 9_000).Draw(t, "how late"))
			}
			lo, hi, sum, n, last, newest := math.Inf(1), math.Inf(-1), 0.0, 0.0, 0.0, int64(0)
			for at, v := range held {
				// The window begins somewhere in a bucket, and all of that one counts.
				if at < (now-10_000)/bucket*bucket {
					continue
				}
				lo, hi, sum, n = min(lo, v), max(hi, v), sum+v, n+1
				if at > newest {
					newest, last = at, v
				}
			}
			u := spec.Y.Unit
			want := strings.Join([]string{u.Value(last), u.Value(lo), u.Value(hi), u.Value(sum / n)}, " ")
			for _, l := range []*plotting.Live{live, plotting.NewLive(&spec, st)} {
				f, err := l.Render(view, now)
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(values(f), " "); got != want {
					t.Fatalf("the legend says %s; it is %s of %v samples", got, want, n)
				}
			}
		}
	})
}

// TestLegendStands changes the values of a legend: nothing but their texts
// changes on the picture.
func TestLegendStands(t *testing.T) {
	w := newWorld(t, 300, 1000)
	spec := w.chart(plotting.Line, 300)
	spec.Y.Min, spec.Y.Max, spec.LegendValues = new(0.0), new(100.0), plotting.LegendValues()
	live, view := plotting.NewLive(spec, w.store), spec.View("c")
	before, err := live.Render(view, w.now)
	if err != nil {
		t.Fatal(err)
	}
	texts, size := 0, 0
	for range 100 {
		w.tick()
		after, err := live.Render(view, w.now)
		if err != nil {
			t.Fatal(err)
		}
		ops, ok := plotting.Diff(before, after, nil)
		if !ok {
			t.Fatal("a new epoch")
		}
		for _, op := range ops {
			switch {
			case !strings.HasPrefix(op.Key, "n"):
			case op.Code != 'x':
				t.Fatalf("%c %s: %q", op.Code, op.Key, op.Text)
			default:
				texts++
				size += len(op.Key) + len(op.Text) + len(`["x","",""],`)
			}
		}
		before = after
	}
	t.Logf("%d texts and %d bytes a tick for 4 series", texts/100, size/100)
	if texts == 0 {
		t.Error("no value has changed")
	}
}

// TestLegendNamesItsSeries: a page finds the series of an entry by its whole
// name, shortened and hidden or not.
func TestLegendNamesItsSeries(t *testing.T) {
	long := strings.Repeat("a very long name, ", 9) + "'<b>'"
	st := filled(t, long, "b")
	for _, some := range [][]plotting.LegendValue{nil, {plotting.LegendLast}, plotting.LegendValues()} {
		spec := specs()["line"]
		spec.LegendValues = some
		got := svg(render(t, st, &spec, plotting.Change{Hidden: &[]string{long}}))
		want := string(plotting.AppendEscaped([]byte("class='off' data-entry='"), []byte(long))) + "'"
		if !strings.Contains(got, want) {
			t.Errorf("%v: no %s", some, want)
		}
		if !strings.Contains(got, " data-entry='b'>") {
			t.Errorf("%v: b is not named", some)
		}
		key := regexp.MustCompile(`data-k='(n\d)' class='off'`).FindStringSubmatch(got)
		if key == nil || strings.Contains(got, key[1]+".0") {
			t.Errorf("%v: a hidden series has values", some)
		}
	}
}

// TestLegendKeepsNames draws a legend with values where there is room for the
// head and one row of them: names alone say which line is which.
func TestLegendKeepsNames(t *testing.T) {
	st, spec := filled(t), specs()["legend"]
	for _, tc := range []struct {
		height, names, values int
	}{{250, 4, 0}, {500, 4, 4}} {
		f := render(t, st, &spec, plotting.Change{Size: &[2]int{400, tc.height}})
		if names := strings.Count(svg(f), " data-entry='"); names != tc.names || len(values(f)) != tc.values {
			t.Errorf("%d px high: %d names and %q beside the first, want %d and %d", tc.height, names, values(f), tc.names, tc.values)
		}
	}
}

// TestNameOfNothing: a series without the label that its name is made of has the
// metric's.
func TestNameOfNothing(t *testing.T) {
	st, spec := filled(t, "north"), specs()["line"]
	spec.Series[0].Name = "{room}"
	if got := svg(render(t, st, &spec, plotting.Change{})); !strings.Contains(got, " data-entry='m'") {
		t.Error("a line has no name")
	}
}
