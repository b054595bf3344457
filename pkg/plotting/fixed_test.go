package plotting

import (
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// TestFixedRange holds what a fixed range shows against a look at every sample,
// for one who was there while they came, late ones included, and for one who
// looks for the first time: a line comes from the last sample before it and goes
// on to the first one behind it, and no sample beyond it counts for anything.
func TestFixedRange(t *testing.T) {
	for _, stacked := range []bool{false, true} {
		t.Run(strconv.FormatBool(stacked), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { fixedRange(t, stacked) })
		})
	}
}

func fixedRange(t *rapid.T, stacked bool) {
	const begin = int64(1_700_000_000_000)
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	spec := DefaultSpec()
	spec.Kind, spec.Timezone, spec.Series, spec.LegendValues = Line, "UTC", []SeriesSpec{{Metric: "m"}}, LegendValues()
	if stacked {
		spec.Kind, spec.Stack = Area, true
	}
	length := rapid.SampledFrom([]int64{3_000, 50_001, 400_000}).Draw(t, "length")
	from := begin + rapid.Int64Range(0, 3*length).Draw(t, "from")
	to := from + length
	view, err := spec.Change(spec.View("c"), Change{From: &from, To: &to})
	if err != nil {
		t.Fatal(err)
	}
	held := map[int64]float64{}
	add := func(at int64) {
		held[at] = rapid.Float64Range(-5, 5).Draw(t, "v")
		if err := st.Append("m", nil, at, held[at]); err != nil {
			t.Fatal(err)
		}
	}
	followed, now := NewLive(&spec, st), begin
	for range rapid.IntRange(1, 6).Draw(t, "rounds") {
		for range rapid.IntRange(1, 60).Draw(t, "samples") {
			now += rapid.SampledFrom([]int64{1, length / 900, length / 100, length / 5}).Draw(t, "step")
			add(now)
		}
		if rapid.Bool().Draw(t, "late") {
			add(rapid.Int64Range(begin, now).Draw(t, "at"))
		}
		before, after := int64(math.MinInt64), int64(math.MaxInt64)
		lo, hi, n := math.Inf(1), math.Inf(-1), 0
		for at, v := range held {
			switch {
			case at < from:
				before = max(before, at)
			case at > to:
				after = min(after, at)
			default:
				lo, hi, n = min(lo, v), max(hi, v), n+1
			}
		}
		fresh := NewLive(&spec, st)
		for _, live := range []*Live{followed, fresh} {
			if _, err := live.Render(view, now); err != nil {
				t.Fatal(err)
			}
			l := live.lines[0]
			if a, b := l.trace.extent(); a != lo || b != hi {
				t.Fatalf("the values reach from %v to %v; want %v to %v", a, b, lo, hi)
			}
			if sum := l.tally.over(from, to); sum.n != n {
				t.Fatalf("%d samples are counted of %d", sum.n, n)
			}
			var pts []point
			for _, c := range l.trace.chunks {
				pts = append(pts, c.pts...)
			}
			if after != math.MaxInt64 && pts[len(pts)-1].t != after {
				t.Fatalf("the line ends at %v; want %d", pts[len(pts)-1].t, after)
			}
			if before != math.MinInt64 && !slices.ContainsFunc(pts, func(p point) bool { return p.t == before }) {
				t.Fatalf("the line does not come from %d: %v", before, pts)
			}
			if want := n > 0 || before != math.MinInt64 && after != math.MaxInt64; l.trace.shows() != want {
				t.Fatalf("something is seen: %v; want %v", !want, want)
			}
		}
		if a, b := seen(&followed.lines[0].trace, from), seen(&fresh.lines[0].trace, from); !slices.Equal(a, b) {
			t.Fatalf("followed %v, read %v", a, b)
		}
	}
}
