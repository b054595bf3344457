package store

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quantity"
)

// checkBlocks reads a range and holds every block of it against a scan of its
// samples. It returns the samples, and how many blocks were summed.
func checkBlocks(t tester, sr *Series, from, to int64, between func()) (all []Sample, summed int) {
	t.Helper()
	sr.EachSummed(from, to, func(b Block) {
		seen := slices.Clone(b.Samples)
		between()
		if !same(seen, b.Samples) {
			t.Fatal("a block changed under its reader")
		}
		all = append(all, seen...)
		if !b.Summed {
			if b.Low != (Sample{}) || b.High != (Sample{}) {
				t.Fatalf("not summed, but %v to %v", b.Low, b.High)
			}
			return
		}
		summed++
		low, high := seen[0], seen[0]
		for _, s := range seen {
			if math.IsNaN(s.V) {
				t.Fatalf("summed, with a gap at %d", s.T)
			}
			if s.V < low.V {
				low = s
			}
			if s.V > high.V {
				high = s
			}
		}
		if !same([]Sample{b.Low, b.High}, []Sample{low, high}) {
			t.Fatalf("%d samples are said to be %v to %v; they are %v to %v", len(seen), b.Low, b.High, low, high)
		}
	})
	return all, summed
}

// mustSum returns how many blocks of a series have to be summed: all that are
// sealed and whole and have no gap.
func mustSum(sr *Series) (n int) {
	for i, b := range sr.w.sealed {
		gap := slices.ContainsFunc(b.Samples, func(s Sample) bool { return math.IsNaN(s.V) })
		if !gap && (i > 0 || sr.w.head == 0) {
			n++
		}
	}
	return n
}

// extremes returns what the summaries of a series name.
func extremes(sr *Series) (named []Sample) {
	sr.EachSummed(math.MinInt64, math.MaxInt64, func(b Block) {
		if b.Summed {
			named = append(named, b.Low, b.High)
		}
	})
	return named
}

// TestSummariesAreScans appends, inserts, replaces, makes and fills gaps and
// lets samples expire, at random and from few values, so that there are many
// equals, and compares each summary with a scan of the samples, while more
// samples come in between block and block and when none do.
func TestSummariesAreScans(t *testing.T) {
	var sums int
	rapid.Check(t, func(t *rapid.T) {
		cfg := wide()
		cfg.MaxAge = quantity.Duration(time.Hour)
		cfg.MaxSamples = rapid.SampledFrom([]int{1500, 5000, 20_000}).Draw(t, "max")
		cfg.MaxTotal = rapid.SampledFrom([]int{3 * blockSize, 1e6}).Draw(t, "total")
		s := New(cfg, nil)
		newest := time.Now().UnixMilli() - 600_000
		start := newest
		mustAppend(t, s, "m", nil, start, 0)
		sr := only(t, s, "m")
		value := func() float64 {
			v := rapid.Float64Range(-3, 3).Draw(t, "v")
			if rapid.IntRange(0, 3).Draw(t, "equal") > 0 {
				v = math.Round(v) // -0 is among them
			}
			return v
		}
		add := func(at int64, v float64) {
			if err := s.Append("m", nil, at, v); err != nil && !errors.Is(err, ErrTooOld) {
				t.Fatal(err)
			}
		}
		run := func(n int) {
			values := []float64{value(), value(), value(), value(), value()}
			for i := range n {
				newest += 2
				add(newest, values[i*i%len(values)])
			}
		}
		somewhere := func() int64 {
			return newest - rapid.Int64Range(0, min(newest-start, int64(2*cfg.MaxSamples))).Draw(t, "by")
		}
		late := func() {
			v := value()
			if rapid.IntRange(0, 9).Draw(t, "gap") == 0 {
				v = math.NaN()
			}
			add(somewhere(), v)
		}
		quiet := func() {}
		t.Repeat(map[string]func(*rapid.T){
			"run":  func(t *rapid.T) { run(rapid.IntRange(1, 4000).Draw(t, "n")) },
			"late": func(*rapid.T) { late() },
			"dense": func(t *rapid.T) { // splits blocks
				at := somewhere()
				for i := range int64(rapid.IntRange(1, 1500).Draw(t, "n")) {
					add(min(at+i, newest), float64(i%7))
				}
			},
			"fill gaps": func(t *rapid.T) {
				all, _ := collect(t, sr, math.MinInt64, math.MaxInt64)
				for _, sample := range all {
					if math.IsNaN(sample.V) {
						add(sample.T, value())
					}
				}
			},
			"level extremes": func(*rapid.T) {
				for _, sample := range extremes(sr) {
					add(sample.T, value())
				}
			},
			"earlier equals": func(*rapid.T) {
				for _, sample := range extremes(sr) {
					add(sample.T-1, sample.V)
				}
			},
			"expire": func(t *rapid.T) { sr.expire(somewhere()) },
			"range": func(t *rapid.T) {
				from, to := somewhere(), somewhere()
				want, _ := collect(t, sr, math.MinInt64, math.MaxInt64)
				got, _ := checkBlocks(t, sr, from, to, quiet)
				if want = between(want, from, to); !same(got, want) {
					t.Fatalf("%d..%d: %d samples, want %d", from-start, to-start, len(got), len(want))
				}
			},
			"read while writing": func(t *rapid.T) {
				want, _ := collect(t, sr, math.MinInt64, math.MaxInt64)
				n := mustSum(sr)
				got, summed := checkBlocks(t, sr, math.MinInt64, math.MaxInt64, func() {
					for range 3 {
						late()
					}
					run(rapid.IntRange(0, 1500).Draw(t, "n"))
					if rapid.IntRange(0, 3).Draw(t, "expire") == 0 {
						sr.expire(somewhere())
					}
				})
				if !same(got, want) || summed != n {
					t.Fatalf("saw %d samples in %d summed blocks, not of one moment: want %d in %d", len(got), summed, len(want), n)
				}
			},
			"": func(t *rapid.T) {
				_, summed := checkBlocks(t, sr, math.MinInt64, math.MaxInt64, quiet)
				if n := mustSum(sr); summed != n {
					t.Fatalf("%d blocks are summed, want %d", summed, n)
				}
				sums += summed
			},
		})
	})
	if sums == 0 {
		t.Fatal("no block was ever summed")
	}
}

// TestRereadSummed follows through a change of history by summaries.
func TestRereadSummed(t *testing.T) {
	s, sr, next := filled(t, 5*blockSize)
	c := sr.EachSummed(0, math.MaxInt64, func(Block) {})
	at := next - 3*blockSize
	mustAppend(t, s, "m", nil, at, -1)
	var samples, summed int
	low := math.Inf(1)
	c = sr.RereadSummed(c, func(from int64) int64 {
		if from > at {
			t.Fatalf("told %d, but %d changed", from, at)
		}
		return at
	}, func(b Block) {
		samples += len(b.Samples)
		if b.Summed {
			summed++
			low = min(low, b.Low.V)
		}
	})
	if samples != 3*blockSize || summed != 2 || low != -1 {
		t.Fatalf("%d samples, %d summed blocks, low %v", samples, summed, low)
	}
	if _, _, _, rewound := sr.Since(c, nil); rewound {
		t.Fatal("the cursor is not behind the change")
	}
}
