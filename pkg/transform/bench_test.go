package transform_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/transform"
)

// feed is a number of series that get a sample each, a second after the last.
type feed struct {
	st     *store.Store
	labels []store.Labels
	now    int64
	apart  int64 // ms between two series; 0: all at the same time
}

func newFeed(n int, apart int64) *feed {
	f := &feed{st: newStore(), now: start, apart: apart}
	for i := range n {
		f.labels = append(f.labels, store.LabelsOf(map[string]string{"i": fmt.Sprint(i), "mode": fmt.Sprint(i % 4)}))
	}
	return f
}

func (f *feed) tick(t testing.TB) {
	f.now += 1000
	for i, ls := range f.labels {
		if err := f.st.Append("x", ls, f.now+int64(i)*f.apart, float64(f.now-start)*float64(i+1)); err != nil {
			t.Fatal(err)
		}
	}
}

// follower returns what brings a transform up to date that has some ticks behind
// it.
func (f *feed) follower(t testing.TB, text string, history int) func() {
	t.Helper()
	for range history {
		f.tick(t)
	}
	e, err := transform.Compile(text, transform.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tr := transform.New(e, f.st, 64)
	t.Cleanup(tr.Close)
	if _, err := tr.Series(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tr.Follow(f.now-600_000, math.MaxInt64); err != nil {
			t.Fatal(err)
		}
	}
}

var costs = []struct {
	name, text string
	series     int
	apart      int64
}{
	{"rate", "rate(x[1m])", 1, 0},
	{"max_over_time", "max_over_time(x[5m])", 1, 0},
	{"quantile_over_time", "quantile_over_time(0.9, x[5m])", 1, 0},
	{"ema", "ema(x, 30s)", 1, 0},
	{"sum by, 100 together", "sum by (mode) (x)", 100, 0},
	{"sum by, 100 apart", "sum by (mode) (x)", 100, 1},
	{"sum by rate, 100 together", "sum by (mode) (rate(x[1m]))", 100, 0},
	{"sum by rate, 100 apart", "sum by (mode) (rate(x[1m]))", 100, 1},
	{"quantile, 100 together", "quantile(0.9, x)", 100, 0},
	{"ratio, 60 together", "x / on () group_left sum(x)", 60, 0},
}

// BenchmarkSample is the cost of one new sample of one series.
func BenchmarkSample(b *testing.B) {
	for _, tc := range costs {
		b.Run(tc.name, func(b *testing.B) {
			f := newFeed(tc.series, tc.apart)
			follow := f.follower(b, tc.text, 600)
			follow()
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				f.tick(b)
				b.StartTimer()
				follow()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*tc.series), "ns/sample")
		})
	}
}

// BenchmarkBegin is a view of 10 minutes being opened: so many samples at once.
func BenchmarkBegin(b *testing.B) {
	for _, tc := range costs {
		b.Run(tc.name, func(b *testing.B) {
			f := newFeed(tc.series, tc.apart)
			f.follower(b, tc.text, 600)
			for b.Loop() {
				f.begin(b, tc.text)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*tc.series*600), "ns/sample")
		})
	}
}

func (f *feed) begin(t testing.TB, text string) {
	e, err := transform.Compile(text, transform.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tr := transform.New(e, f.st, 64)
	defer tr.Close()
	if _, err := tr.Series(); err != nil {
		t.Fatal(err)
	}
	if err := tr.Follow(start, math.MaxInt64); err != nil {
		t.Fatal(err)
	}
}

// TestSamplesAllocateNothing: in the steady state only the blocks that samples
// are held in are made, each for a thousand of them.
func TestSamplesAllocateNothing(t *testing.T) {
	for _, tc := range costs {
		tc.series = min(tc.series, 20)
		f := newFeed(tc.series, tc.apart)
		follow := f.follower(t, tc.text, 540) // within the second half of a block, to its end
		follow()
		for range 20 {
			f.tick(t)
			follow()
		}
		perTick := testing.AllocsPerRun(1, func() {
			for range 100 {
				f.tick(t)
			}
		}) / 100
		both := testing.AllocsPerRun(1, func() {
			for range 100 {
				f.tick(t)
				follow()
			}
		}) / 100
		if both > perTick+0.1 {
			t.Errorf("%s: %.3f allocations a tick of %d samples; %.3f without the transform", tc.name, both, tc.series, perTick)
		}
	}
}
