package plotting_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// benchSeries is how many series the benchmarks' chart has.
const benchSeries = 4

// world is a store with a chart's data, at a time that the test decides.
type world struct {
	t      testing.TB
	store  *store.Store
	labels [benchSeries]store.Labels
	now    int64 // ms
	step   int64 // ms between samples
}

// newWorld returns a store in which each of benchSeries series has n samples,
// step ms apart, up to now.
func newWorld(t testing.TB, n int, step int64) *world {
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(10 * 365 * 24 * time.Hour)
	cfg.MaxSamples, cfg.MaxTotal = n+1_000_000, benchSeries*(n+1_000_000)
	w := &world{t: t, store: store.New(cfg, prometheus.NewRegistry()), step: step}
	for i := range w.labels {
		w.labels[i] = store.LabelsOf(map[string]string{"mode": "mode" + strconv.Itoa(i)})
	}
	w.now = time.Now().Add(-9 * 365 * 24 * time.Hour).UnixMilli()
	for range n {
		w.tick()
	}
	return w
}

// tick appends a sample to each series, and moves the time on.
func (w *world) tick() {
	w.now += w.step
	for i, ls := range w.labels {
		x := float64(w.now) / 1000
		v := 20 + 15*float64(i) + 8*math.Sin(x/40+float64(i)) + 3*math.Sin(x*1.7)
		if err := w.store.Append("m", ls, w.now, v); err != nil {
			w.t.Fatal(err)
		}
	}
}

// chart returns a chart of the world's data with n samples in its window.
func (w *world) chart(kind plotting.Kind, n int) *plotting.Spec {
	spec := plotting.DefaultSpec()
	spec.Title, spec.Kind, spec.Timezone = "Bench", kind, "UTC"
	spec.Window = quantity.Duration(int64(n) * w.step * int64(time.Millisecond))
	spec.Series = []plotting.SeriesSpec{{Metric: "m", Name: "{mode}"}}
	spec.Y.Unit = plotting.Percent
	return &spec
}

// sizes are the numbers of samples of each series in the window. The largest
// takes 640 MB of memory, and is left out of short runs.
func sizes() []int {
	if testing.Short() {
		return []int{60, 1_000, 100_000}
	}
	return []int{60, 1_000, 100_000, 10_000_000}
}

// step is how far apart samples are for a window of n: the more, the denser.
func step(n int) int64 {
	if n > 100_000 {
		return 1
	}
	return 1000
}

func BenchmarkTick(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprintf("samples=%d", n), func(b *testing.B) {
			w := newWorld(b, n, step(n))
			spec := w.chart(plotting.Line, n)
			l, v := plotting.NewLive(spec, w.store), spec.View("bench")
			prev, err := l.Render(v, w.now)
			if err != nil {
				b.Fatal(err)
			}
			var ops []plotting.Op
			size, patches := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				w.tick()
				next, err := l.Render(v, w.now)
				if err != nil {
					b.Fatal(err)
				}
				var ok bool
				if ops, ok = plotting.Diff(prev, next, ops[:0]); ok {
					patches++
					for _, op := range ops {
						size += len(op.Text) + len(op.Key)
					}
				}
				prev = next
			}
			b.ReportMetric(float64(size)/float64(max(patches, 1)), "B/patch")
			b.ReportMetric(float64(b.N-patches), "fulls")
		})
	}
}

// BenchmarkDiff compares two frames that are one tick apart.
func BenchmarkDiff(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprintf("samples=%d", n), func(b *testing.B) {
			w := newWorld(b, n, step(n))
			spec := w.chart(plotting.Line, n)
			l, v := plotting.NewLive(spec, w.store), spec.View("bench")
			var frames [2]*plotting.Frame
			for i := range frames {
				w.tick()
				var err error
				if frames[i], err = l.Render(v, w.now); err != nil {
					b.Fatal(err)
				}
			}
			var ops []plotting.Op
			b.ReportAllocs()
			for b.Loop() {
				var ok bool
				if ops, ok = plotting.Diff(frames[0], frames[1], ops[:0]); !ok || len(ops) == 0 {
					b.Fatal("no patch leads from one to the other")
				}
			}
		})
	}
}

func BenchmarkFull(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprintf("samples=%d", n), func(b *testing.B) {
			w := newWorld(b, n, step(n))
			spec := w.chart(plotting.Line, n)
			l, v := plotting.NewLive(spec, w.store), spec.View("bench")
			var svg []byte
			b.ReportAllocs()
			for b.Loop() {
				w.tick()
				f, err := l.Render(v, w.now)
				if err != nil {
					b.Fatal(err)
				}
				svg = f.AppendSVG(svg[:0])
			}
			b.ReportMetric(float64(len(svg)), "B/full")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprintf("samples=%d", n), func(b *testing.B) {
			w := newWorld(b, n, step(n))
			spec := w.chart(plotting.Line, n)
			b.ReportAllocs()
			for b.Loop() {
				f, err := plotting.NewLive(spec, w.store).Render(spec.View("bench"), w.now)
				if err != nil {
					b.Fatal(err)
				}
				_ = f.AppendSVG(nil)
			}
		})
	}
}
