package plotting_test

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// stacked is a stack of "a", which has a sample each second from 0 to 300 s, and
// "b", which is silent from 100 s to 200 s.
func stacked(t *testing.T, missing plotting.Missing) (*plotting.Spec, *store.Store, int64) {
	t.Helper()
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 86400e9)
	st := store.New(cfg, prometheus.NewRegistry())
	spec := plotting.DefaultSpec()
	spec.Kind, spec.Stack, spec.Missing, spec.Gap = plotting.Area, true, missing, quantity.Duration(10e9)
	spec.Series = []plotting.SeriesSpec{{Metric: "m", Name: "{s}"}}
	spec.Y.Min, spec.Y.Max = new(0.0), new(4.0)
	if ps := spec.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	for i := int64(0); i <= 300; i++ {
		for _, s := range []string{"a", "b"} {
			if s == "b" && i > 100 && i < 200 {
				continue
			}
			if err := st.Append("m", store.LabelsOf(map[string]string{"s": s}), goldenNow+i*1000, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &spec, st, goldenNow
}

// sumPath finds the area of the sum.
var sumPath = regexp.MustCompile(`<g data-k='a1'[^>]*>(.*?)</g>`)

// TestMissing: what a stack shows where one of its series has no value.
func TestMissing(t *testing.T) {
	for _, c := range []struct {
		missing plotting.Missing
		levels  int  // different heights of the sum
		broken  bool // it is missing for a while
	}{
		{plotting.MissingSkip, 2, false}, // it falls to what is left
		{plotting.MissingLast, 1, false}, // it goes on as it was
		{plotting.MissingGap, 1, true},   // nobody knows it
	} {
		t.Run(string(c.missing), func(t *testing.T) {
			spec, st, t0 := stacked(t, c.missing)
			v, err := spec.Change(spec.View("c"), plotting.Change{From: new(t0), To: new(t0 + 300_000)})
			if err != nil {
				t.Fatal(err)
			}
			f, err := plotting.NewLive(spec, st).Render(v, t0+300_000)
			if err != nil {
				t.Fatal(err)
			}
			sum := sumPath.FindStringSubmatch(string(f.AppendSVG(nil)))
			if sum == nil {
				t.Fatal("there is no area of the sum")
			}
			levels := map[string]bool{}
			for _, d := range paths(sum[1]) {
				if d != "" && d[0] != 'M' {
					t.Errorf("a path begins %.20q", d)
				}
				for _, m := range regexp.MustCompile(`M-?\d+ \d+V(\d+)`).FindAllStringSubmatch(d, -1) {
					levels[m[1]] = true
				}
			}
			if len(levels) != c.levels {
				t.Errorf("the sum has the heights %v, want %d", levels, c.levels)
			}
			if broken := strings.Contains(sum[1], "d=''"); broken != c.broken {
				t.Errorf("broken %v, want %v", broken, c.broken)
			}
		})
	}
}

// TestStackFollowsAsItReads: a stack that saw its samples come shows what one
// shows that reads them all at once, whatever is missing.
func TestStackFollowsAsItReads(t *testing.T) {
	for _, missing := range plotting.Missings() {
		t.Run(string(missing), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				cfg := store.DefaultConfig()
				cfg.MaxAge = quantity.Duration(20 * 365 * 86400e9)
				st := store.New(cfg, prometheus.NewRegistry())
				spec := plotting.DefaultSpec()
				spec.Kind, spec.Stack, spec.Missing = plotting.Area, true, missing
				spec.Y.Min, spec.Y.Max = new(0.0), new(9.0)
				spec.Gap = quantity.Duration(rapid.SampledFrom([]int64{0, 3e9}).Draw(t, "gap"))
				spec.Series = []plotting.SeriesSpec{{Metric: "m", Name: "{s}"}}
				from, to := goldenNow, goldenNow+300_000
				v, err := spec.Change(spec.View("c"), plotting.Change{From: &from, To: &to})
				if err != nil {
					t.Fatal(err)
				}
				add := func(name string, at int64, value float64) {
					if err := st.Append("m", store.LabelsOf(map[string]string{"s": name}), at, value); err != nil {
						t.Fatal(err)
					}
				}
				// All series are there from the start, long before anything that is drawn.
				for _, name := range []string{"a", "b", "c"} {
					add(name, from-rapid.Int64Range(60_000, 500_000).Draw(t, "before"), 1)
				}
				live := plotting.NewLive(&spec, st)
				now := from
				for range rapid.IntRange(1, 60).Draw(t, "steps") {
					now += rapid.Int64Range(1, 9000).Draw(t, "step")
					at := max(from, now-rapid.SampledFrom([]int64{0, 0, 0, 1500, 20_000}).Draw(t, "late")) // what is left of the picture is nobody's business
					value := rapid.SampledFrom([]float64{1, 2, 3, math.NaN()}).Draw(t, "v")
					add(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "series"), at, value)
					if _, err := live.Render(v, now); err != nil {
						t.Fatal(err)
					}
				}
				// What waits for a slower series is added up when all have gone on.
				for _, name := range []string{"a", "b", "c"} {
					add(name, now+10_000, 1)
				}
				drawn := func(l *plotting.Live) string {
					f, err := l.Render(v, now+10_000)
					if err != nil {
						t.Fatal(err)
					}
					return strings.Join(paths(string(f.AppendSVG(nil))), "\n")
				}
				if got, want := drawn(live), drawn(plotting.NewLive(&spec, st)); got != want {
					t.Fatalf("followed:\n%s\nread:\n%s", got, want)
				}
			})
		})
	}
}

var pathData = regexp.MustCompile(` d='([^']*)'`)

// paths returns the data of all paths.
func paths(svg string) (out []string) {
	for _, m := range pathData.FindAllStringSubmatch(svg, -1) {
		out = append(out, m[1])
	}
	return out
}
