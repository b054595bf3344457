package store

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"
)

// sizes are how many samples are in the series when the clock starts.
var sizes = []int{60, 1e3, 1e5, 1e7}

// filled returns a series of n samples, one a millisecond, and the time of the
// next.
func filled(b testing.TB, n int) (s *Store, sr *Series, next int64) {
	s = New(wide(), nil)
	start := time.Now().UnixMilli() - int64(n)
	for i := range n {
		mustAppend(b, s, "m", nil, start+int64(i), float64(i))
	}
	return s, only(b, s, "m"), start + int64(n)
}

func perSize(b *testing.B, f func(b *testing.B, n int)) {
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) { f(b, n) })
	}
}

func BenchmarkAppend(b *testing.B) {
	perSize(b, func(b *testing.B, n int) {
		s, _, next := filled(b, n)
		b.ReportAllocs()
		for b.Loop() {
			_ = s.Append("m", nil, next, 1)
			next++
		}
	})
}

func BenchmarkAppendLabelled(b *testing.B) {
	s := New(wide(), nil)
	labels := LabelsOf(map[string]string{"host": "web1.example.org", "mode": "user"})
	next := time.Now().UnixMilli()
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Append("host_cpu_percent", labels, next, 1)
		next++
	}
}

func BenchmarkAppendRolling(b *testing.B) {
	cfg := wide()
	cfg.MaxSamples = 10_000
	s := New(cfg, nil)
	next := time.Now().UnixMilli()
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Append("m", nil, next, 1)
		next++
	}
}

func BenchmarkAppendParallel(b *testing.B) {
	s := New(wide(), nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		labels := LabelsOf(map[string]string{"worker": fmt.Sprint(&pb)})
		next := time.Now().UnixMilli()
		for pb.Next() {
			_ = s.Append("m", labels, next, 1)
			next++
		}
	})
}

func BenchmarkAppendLate(b *testing.B) {
	perSize(b, func(b *testing.B, n int) {
		s := New(wide(), nil)
		start := time.Now().UnixMilli()
		for i := range n {
			mustAppend(b, s, "m", nil, start+3*int64(i), 1)
		}
		late := start + 3*int64(n)/2
		b.ReportAllocs()
		for b.Loop() {
			_ = s.Append("m", nil, late, 1) // the first is new, the others replace it
			_ = s.Append("m", nil, late, 2)
		}
	})
}

func BenchmarkCreate(b *testing.B) {
	cfg := wide()
	cfg.MaxSeries, cfg.MaxTotal = 1e9, 1e12
	s := New(cfg, nil)
	now := time.Now().UnixMilli()
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		_ = s.Append("m", Labels{{"i", strconv.Itoa(i % 10_000)}, {"j", strconv.Itoa(i / 10_000)}}, now, 1)
	}
}

// BenchmarkSince is a reader's part of a live tick: one sample came in.
func BenchmarkSince(b *testing.B) {
	perSize(b, func(b *testing.B, n int) {
		s, sr, next := filled(b, n)
		before := sr.Each(math.MaxInt64, math.MaxInt64, nil)
		mustAppend(b, s, "m", nil, next, 1)
		buf := make([]Sample, 0, 8)
		b.ReportAllocs()
		for b.Loop() {
			got, _, _, _ := sr.Since(before, buf[:0])
			if len(got) != 1 {
				b.Fatal(len(got))
			}
		}
	})
}

// BenchmarkEach reads everything; MB/s is over the samples' 16 bytes.
func BenchmarkEach(b *testing.B) {
	perSize(b, func(b *testing.B, n int) {
		_, sr, _ := filled(b, n)
		b.SetBytes(int64(16 * n))
		b.ReportAllocs()
		var low float64
		for b.Loop() {
			low = math.Inf(1)
			sr.Each(0, math.MaxInt64, func(block []Sample) {
				for i := range block {
					low = min(low, block[i].V)
				}
			})
		}
		if low != 0 {
			b.Fatal(low)
		}
	})
}

// BenchmarkEachSummed finds the least of everything, by summaries where it can.
func BenchmarkEachSummed(b *testing.B) {
	perSize(b, func(b *testing.B, n int) {
		_, sr, _ := filled(b, n)
		b.ReportAllocs()
		var low float64
		for b.Loop() {
			low = math.Inf(1)
			sr.EachSummed(0, math.MaxInt64, func(block Block) {
				if block.Summed {
					low = min(low, block.Low.V)
					return
				}
				for i := range block.Samples {
					low = min(low, block.Samples[i].V)
				}
			})
		}
		if low != 0 {
			b.Fatal(low)
		}
	})
}

// BenchmarkEachWindow reads the newest thousand, or all there are.
func BenchmarkEachWindow(b *testing.B) {
	perSize(b, func(b *testing.B, n int) {
		_, sr, next := filled(b, n)
		window := min(n, 1000)
		b.ReportAllocs()
		for b.Loop() {
			got := 0
			sr.Each(next-int64(window), next, func(block []Sample) { got += len(block) })
			if got != window {
				b.Fatal(got)
			}
		}
	})
}

func BenchmarkSelect(b *testing.B) {
	s := New(wide(), nil)
	for i := range 100 {
		mustAppend(b, s, "m", Labels{{"i", strconv.Itoa(i)}}, time.Now().UnixMilli(), 1)
	}
	m, err := ParseMatcher("i", "50")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			s.Select("m", nil)
		}
	})
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			s.Select("m", []Matcher{m})
		}
	})
}

// TestHotPathsDoNotAllocate holds what the benchmarks show.
func TestHotPathsDoNotAllocate(t *testing.T) {
	s, sr, next := filled(t, 5000)
	labels := LabelsOf(map[string]string{"host": "web1", "mode": "user"})
	mustAppend(t, s, "labelled", labels, next, 1)
	cursor := sr.Each(math.MaxInt64, math.MaxInt64, nil)
	buf := make([]Sample, 0, 64)
	for name, f := range map[string]func(){
		"append": func() {
			next++
			mustAppend(t, s, "m", nil, next, 1)
			mustAppend(t, s, "labelled", labels, next, 1)
		},
		"since": func() {
			if _, c, _, rewound := sr.Since(cursor, buf[:0]); rewound || c == (Cursor{}) {
				t.Fatal("no news")
			}
		},
		"last":   func() { sr.Last() },
		"select": func() { s.Select("m", nil) },
		"each":   func() { sr.Each(0, math.MaxInt64, func([]Sample) {}) },
		"summed": func() { sr.EachSummed(0, math.MaxInt64, func(Block) {}) },
	} {
		// A block of 1,024 samples is one allocation; AllocsPerRun rounds down.
		if n := testing.AllocsPerRun(50, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
