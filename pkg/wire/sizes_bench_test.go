package wire

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// benchSizes are the numbers of samples of each series in the window. The
// largest takes 640 MB of memory, and is left out of short runs.
func benchSizes() []int {
	if testing.Short() {
		return []int{60, 1_000, 100_000}
	}
	return []int{60, 1_000, 100_000, 10_000_000}
}

// twoTicks returns the frames of a chart of four series with n samples each,
// before and after one more of each.
func twoTicks(b *testing.B, n int) (prev, next *plotting.Frame) {
	b.Helper()
	step := int64(1000)
	if n > 100_000 {
		step = 1
	}
	cfg := store.DefaultConfig()
	cfg.MaxAge, cfg.MaxSamples, cfg.MaxTotal = quantity.Duration(20*365*24*time.Hour), n+10, math.MaxInt32
	st := store.New(cfg, nil)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	spec := plotting.DefaultSpec()
	spec.Title, spec.Timezone, spec.Window = "Bench", "UTC", quantity.Duration(int64(n)*step*int64(time.Millisecond))
	spec.Series = []plotting.SeriesSpec{{Metric: "m", Name: "{k}"}}
	live, v := plotting.NewLive(&spec, st), spec.View("bench")
	for i := range int64(n + 1) {
		at := start + i*step
		if i == int64(n) {
			prev = drawn(b, live, v, at-step)
		}
		for k := range 4 {
			if err := st.Append("m", store.Labels{{Name: "k", Value: strconv.Itoa(k)}}, at, 50+40*math.Sin(float64(i)/50+float64(k))); err != nil {
				b.Fatal(err)
			}
		}
	}
	return prev, drawn(b, live, v, start+int64(n)*step)
}

func drawn(b *testing.B, live *plotting.Live, v plotting.View, now int64) *plotting.Frame {
	b.Helper()
	f, err := live.Render(v, now)
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// BenchmarkSizes encodes a tick, as the patch that it is, diff included, and as
// a full, at windows of very different numbers of samples.
func BenchmarkSizes(b *testing.B) {
	for _, n := range benchSizes() {
		prev, next := twoTicks(b, n)
		b.Run(fmt.Sprintf("patch/samples=%d", n), func(b *testing.B) {
			s := NewStream("bench~1f2k9x")
			s.full(prev)
			first := s.last
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				s.last, s.prev = first, prev
				p := s.Next(next).Patch()
				if p == nil {
					b.Fatal("a tick is no patch")
				}
				size = p.Len()
			}
			b.ReportMetric(float64(size), "bytes")
		})
		b.Run(fmt.Sprintf("full/samples=%d", n), func(b *testing.B) {
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				size = NewStream("bench~1f2k9x").Next(next).Full().Len()
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
