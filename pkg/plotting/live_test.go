package plotting_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// client is what a page knows: the last full, and the patches since.
type client struct {
	frame *plotting.Frame // as parsed and patched
	last  *plotting.Frame // as rendered
}

// see takes the next frame in, and reports whether it came as a patch.
func (c *client) see(t interface{ Fatalf(string, ...any) }, next *plotting.Frame) (patched bool) {
	full := svg(next)
	if c.last != nil {
		if ops, ok := plotting.Diff(c.last, next, nil); ok {
			f, err := plotting.Apply(c.frame, ops)
			if err != nil {
				t.Fatalf("apply: %v", err)
			}
			c.frame, patched = f, true
		}
	}
	if !patched {
		f, err := plotting.Parse([]byte(full))
		if err != nil {
			t.Fatalf("parse: %v in %s", err, full)
		}
		c.frame = f
	}
	if got := svg(c.frame); got != full {
		t.Fatalf("patches give\n%s\nnot\n%s", got, full)
	}
	c.last = next
	return patched
}

// TestPatchesAreFull drives every kind of chart through all that can happen to
// its data and its view, and holds what a client has patched together against
// a fresh full at every step.
func TestPatchesAreFull(t *testing.T) {
	kinds := append(plotting.Kinds(), "stacked")
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { life(t, kind) })
		})
	}
}

func life(t *rapid.T, kind plotting.Kind) {
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	spec := plotting.DefaultSpec()
	spec.Title, spec.Timezone, spec.Kind = "Life of $who", "UTC", kind
	spec.Vars = map[string]plotting.Var{"who": {Default: "all"}}
	if kind == "stacked" {
		spec.Kind, spec.Stack = plotting.Area, true
	}
	spec.Window = quantity.Duration(rapid.SampledFrom([]int64{10e9, 60e9, 3600e9}).Draw(t, "window"))
	spec.Gap = quantity.Duration(rapid.SampledFrom([]int64{0, 5e9}).Draw(t, "gap"))
	spec.Missing = rapid.SampledFrom(plotting.Missings()).Draw(t, "missing")
	spec.Series = []plotting.SeriesSpec{{Metric: "m", Name: "{mode}"}}
	if rapid.Bool().Draw(t, "values") {
		spec.LegendValues = plotting.LegendValues()
	}
	if ps := spec.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	live, view := plotting.NewLive(&spec, st), spec.View("life")
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	step := spec.Window.Millis() / rapid.SampledFrom([]int64{20, 300, 3000}).Draw(t, "density")
	c, scale, paused := &client{}, 10.0, false
	modes := []string{"0", "1", "<g data-k='x'>&amp;\"", "\u202eשלום\uffff"}
	value := func() float64 { return scale * rapid.Float64Range(-1, 5).Draw(t, "v") }
	series := func() store.Labels {
		return store.LabelsOf(map[string]string{"mode": rapid.SampledFrom(modes).Draw(t, "series")})
	}
	add := func(at int64, v float64) {
		if err := st.Append("m", series(), at, v); err != nil {
			t.Fatal(err)
		}
	}
	change := func(ch plotting.Change) {
		v, err := spec.Change(view, ch)
		if err != nil {
			t.Fatal(err)
		}
		view = v
	}
	t.Repeat(map[string]func(*rapid.T){
		"append":  func(*rapid.T) { now += step; add(now, value()) },
		"append ": func(*rapid.T) { now += step; add(now, value()) },
		"burst": func(*rapid.T) {
			for range 40 {
				now += max(step/8, 1)
				add(now, value())
			}
		},
		"gap":    func(*rapid.T) { now += step; add(now, math.NaN()) },
		"late":   func(*rapid.T) { add(now-step*rapid.Int64Range(0, 50).Draw(t, "late"), value()) },
		"early":  func(*rapid.T) { add(now+step*3, value()) },
		"future": func(*rapid.T) { add(now+spec.Window.Millis()*rapid.Int64Range(1, 20).Draw(t, "windows"), value()) },
		"pause":  func(*rapid.T) { paused = true },
		"resume": func(*rapid.T) { paused = false },
		"jump": func(*rapid.T) { // of the wall clock, which the data follow
			now += rapid.SampledFrom([]int64{-10 * 86_400_000, -3_600_000, 3_600_000, 10 * 86_400_000}).Draw(t, "jump")
			add(now, value())
		},
		"silence": func(*rapid.T) { now += step * rapid.Int64Range(1, 400).Draw(t, "silence") },
		"rescale": func(*rapid.T) {
			scale = rapid.SampledFrom([]float64{5e-324, 1e-6, 0.1, 10, 1e9, math.MaxFloat64 / 5}).Draw(t, "scale")
		},
		"resize": func(*rapid.T) {
			change(plotting.Change{Size: &[2]int{rapid.IntRange(40, 900).Draw(t, "w"), rapid.IntRange(40, 500).Draw(t, "h")}})
		},
		"window": func(*rapid.T) {
			w := quantity.Duration(rapid.Int64Range(1e9, 7200e9).Draw(t, "w"))
			change(plotting.Change{Window: &w})
		},
		"hide": func(*rapid.T) {
			change(plotting.Change{Hidden: &[]string{rapid.SampledFrom(modes).Draw(t, "h")}})
		},
		"var": func(*rapid.T) {
			change(plotting.Change{Vars: map[string]string{"who": rapid.String().Filter(func(s string) bool { return len(s) < 50 }).Draw(t, "who")}})
		},
		"mark": func(*rapid.T) { change(plotting.Change{Marks: &[]plotting.Mark{{T: now, Text: "a<b>"}}}) },
		"band": func(*rapid.T) {
			change(plotting.Change{Marks: &[]plotting.Mark{{T: now - 9*step, To: now, Text: "a<b>"}}})
		},
		"threshold": func(*rapid.T) {
			change(plotting.Change{Thresholds: &[]plotting.Threshold{{At: value(), Text: "<t>"}, {At: 0, Level: plotting.Alarm, Below: true}}})
		},
		"zoom": func(*rapid.T) {
			from := now - rapid.Int64Range(0, 3).Draw(t, "ms before")
			to := from + rapid.Int64Range(1, 3).Draw(t, "ms")
			change(plotting.Change{From: &from, To: &to})
		},
		"freeze": func(*rapid.T) { from := now - 5*step; change(plotting.Change{From: &from, To: &now}) },
		"replay": func(*rapid.T) {
			change(plotting.Change{Replay: &plotting.Replay{
				At: now - step*rapid.Int64Range(-5, 200).Draw(t, "behind"), Since: now,
				Speed: rapid.SampledFrom([]float64{0, 0.5, 1, 10, 60}).Draw(t, "speed"),
			}})
		},
		"zone": func(*rapid.T) {
			change(plotting.Change{Timezone: new(rapid.SampledFrom([]string{"", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"}).Draw(t, "zone"))})
		},
		"present": func(*rapid.T) { change(plotting.Change{Replay: &plotting.Replay{}}) },
		"reset":   func(*rapid.T) { change(plotting.Change{Reset: true}) },
		"": func(t *rapid.T) {
			f, err := live.Render(view, now)
			if err != nil {
				t.Fatal(err)
			}
			if !paused { // then it takes all that it missed in one step
				c.see(t, f)
			}
			if again, _ := live.Render(view, now); again != f {
				ops, ok := plotting.Diff(f, again, nil)
				t.Fatalf("drawn twice at one moment, two frames that differ by %v (patch: %v)", ops, ok)
			}
		},
	})
}

// TestHourOfTicks watches a chart for a simulated hour at 1 s and asks for
// nearly all of it in patches, with no more nodes at the end than the window
// needs, and a picture that a fresh viewer would see as well.
func TestHourOfTicks(t *testing.T) {
	w := newWorld(t, 300, 1000)
	spec := w.chart(plotting.Line, 300)
	spec.Y.Min, spec.Y.Max = new(0.0), new(100.0)
	live, view := plotting.NewLive(spec, w.store), spec.View("hour")
	c, fulls, most := &client{}, 0, 0
	for range 3600 {
		w.tick()
		f, err := live.Render(view, w.now)
		if err != nil {
			t.Fatal(err)
		}
		if !c.see(t, f) {
			fulls++
		}
		most = max(most, strings.Count(svg(f), "data-k="))
	}
	if fulls > 1 {
		t.Errorf("%d fulls in an hour in which nothing but data came", fulls)
	}
	if most > 90 {
		t.Errorf("%d nodes; a window of 5 min needs some 60", most)
	}
	// The same data, drawn by one who was not there: the newest points lie at
	// the same places.
	fresh, err := plotting.NewLive(spec, w.store).Render(view, w.now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range benchSeries {
		a, b := lastPoint(t, c.frame, i), lastPoint(t, fresh, i)
		if math.Abs(a[0]-b[0]) > 1 || math.Abs(a[1]-b[1]) > 1 {
			t.Errorf("series %d ends at %v after an hour, and at %v when drawn afresh", i, a, b)
		}
	}
}

// attribute returns an attribute of the root element.
func attribute(t *testing.T, f *plotting.Frame, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(f.Root.Open, " "+name+"='")
	if !ok {
		t.Fatalf("no %s in %s", name, f.Root.Open)
	}
	value, _, _ := strings.Cut(rest, "'")
	return value
}

// TestNothingJumps makes a label of the axis a digit longer, and then shorter
// again: the data stay where they are on the picture.
func TestNothingJumps(t *testing.T) {
	for _, kind := range []plotting.Kind{plotting.Line, plotting.Area, plotting.Bar} {
		w := newWorld(t, 10, 1000)
		spec := w.chart(kind, 60)
		spec.Y.Unit = plotting.Short
		live, view := plotting.NewLive(spec, w.store), spec.View("jump")
		var rect string
		var epochs []string
		for _, v := range []float64{9, 90, 990, 9900, 99, 9} {
			for range 120 { // longer than the window, and than patience
				w.now += 1000
				if err := w.store.Append("m", w.labels[0], w.now, v); err != nil {
					t.Fatal(err)
				}
				f, err := live.Render(view, w.now)
				if err != nil {
					t.Fatal(err)
				}
				if got := attribute(t, f, "data-rect"); rect == "" {
					rect = got
				} else if got != rect {
					t.Fatalf("%s: at %v the data rectangle goes from %s to %s", kind, v, rect, got)
				}
				if n := len(epochs); n == 0 || epochs[n-1] != f.Epoch {
					epochs = append(epochs, f.Epoch)
				}
			}
		}
		if len(epochs) < 5 || len(epochs) > 20 {
			t.Errorf("%s: %d epochs for six ranges", kind, len(epochs))
		}
	}
}

// TestOnlyWhatChanged changes one of four values of the kinds without a time
// axis.
func TestOnlyWhatChanged(t *testing.T) {
	for kind, want := range map[plotting.Kind]string{
		plotting.Bar: "a g2, s v2", plotting.Gauge: "a g2, x v2", plotting.Stat: "x v2",
	} {
		w := newWorld(t, 10, 1000)
		spec := w.chart(kind, 60)
		spec.Y.Min, spec.Y.Max = new(0.0), new(100.0)
		live, view := plotting.NewLive(spec, w.store), spec.View("one")
		before, err := live.Render(view, w.now)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.store.Append("m", w.labels[2], w.now+1000, 77.7); err != nil {
			t.Fatal(err)
		}
		after, err := live.Render(view, w.now+1000)
		if err != nil {
			t.Fatal(err)
		}
		ops, ok := plotting.Diff(before, after, nil)
		var got []string
		for _, op := range ops {
			got = append(got, string(op.Code)+" "+op.Key)
		}
		slices.Sort(got)
		if s := strings.Join(got, ", "); !ok || s != want {
			t.Errorf("%s: %s, want %s", kind, s, want)
		}
		if same, _ := live.Render(view, w.now+2000); same != after {
			t.Errorf("%s: a tick without news made a new frame", kind)
		}
	}
}

// lastPoint returns where a line ends on the picture, in units.
func lastPoint(t *testing.T, f *plotting.Frame, series int) [2]float64 {
	t.Helper()
	var at [2]float64
	var walk func(n *plotting.Node, shift float64)
	walk = func(n *plotting.Node, shift float64) {
		if rest, ok := strings.CutPrefix(string(n.Live), "translate("); ok {
			x, _, _ := strings.Cut(rest, ")")
			d, err := strconv.ParseFloat(x, 64)
			if err != nil {
				t.Fatal(err)
			}
			shift += d
		}
		if strings.HasPrefix(n.Key, "s"+strconv.Itoa(series)+".") {
			// M x y l dx dy dx dy …
			text := strings.ReplaceAll(strings.ReplaceAll(string(n.Live), "-", " -"), "l", " ")
			fields := strings.Fields(strings.TrimPrefix(text, "M"))
			at = [2]float64{shift, 0}
			for i, s := range fields {
				d, err := strconv.ParseFloat(s, 64)
				if err != nil {
					t.Fatalf("%q: %v", n.Live, err)
				}
				at[i%2] += d
			}
		}
		for _, k := range n.Kids {
			walk(k, shift)
		}
	}
	walk(f.Root, 0)
	return at
}
