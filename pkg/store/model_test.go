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

// model is a series as the package's documentation describes it, with no
// thought of speed.
type model struct {
	samples    []Sample
	maxSamples int
	floor      int64
}

func (m *model) append(s Sample, now, maxAge int64) error {
	if s.T < now-maxAge {
		return ErrTooOld
	}
	if s.T > now+maxAge {
		return ErrTooNew
	}
	for len(m.samples) > 0 && m.samples[0].T < now-maxAge {
		m.drop()
	}
	if s.T <= m.floor || len(m.samples) == m.maxSamples && s.T < m.samples[0].T {
		return ErrTooOld
	}
	i, found := slices.BinarySearchFunc(m.samples, s.T, func(o Sample, t int64) int { return int(o.T - t) })
	if found {
		m.samples[i] = s
		return nil
	}
	m.samples = slices.Insert(m.samples, i, s)
	if len(m.samples) > m.maxSamples {
		m.drop()
	}
	return nil
}

func (m *model) drop() {
	m.floor = m.samples[0].T
	m.samples = m.samples[1:]
}

// follower is a reader that keeps a copy up to date the way a chart does.
type follower struct {
	cursor Cursor
	copy   []Sample
}

func (f *follower) catchUp(t tester, sr *Series) {
	samples, next, from, rewound := sr.Since(f.cursor, f.copy)
	if !rewound {
		f.copy, f.cursor = samples, next
		return
	}
	if len(samples) != len(f.copy) || next != f.cursor {
		t.Fatal("a rewind altered dst or the cursor")
	}
	f.cursor = sr.Reread(f.cursor, func(now int64) int64 {
		if now > from {
			t.Fatalf("history heals: %d is fine after %d was not", now, from)
		}
		i := search(f.copy, now)
		f.copy = f.copy[:i]
		return now
	}, func(block []Sample) { f.copy = append(f.copy, block...) })
}

func same(a, b []Sample) bool {
	return slices.EqualFunc(a, b, func(x, y Sample) bool {
		return x.T == y.T && math.Float64bits(x.V) == math.Float64bits(y.V)
	})
}

// between returns the samples of from <= T <= to.
func between(all []Sample, from, to int64) []Sample {
	var out []Sample
	for _, s := range all {
		if from <= s.T && s.T <= to {
			out = append(out, s)
		}
	}
	return out
}

// TestSeriesIsItsModel drives a series and the model with the same random
// samples (in order, late, doubled, too old, too new, NaN) while time passes,
// and compares what they hold, what ranges show, what readers that follow at
// their own pace have, and what a reader sees while samples come in.
func TestSeriesIsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			cfg := wide()
			cfg.MaxAge = quantity.Duration(time.Duration(rapid.SampledFrom([]int{1, 10, 3600}).Draw(t, "age")) * time.Second)
			cfg.MaxSamples = rapid.SampledFrom([]int{1, 2, 50, 1500, 5000}).Draw(t, "max")
			maxAge := cfg.MaxAge.Millis()
			s := New(cfg, nil)
			m := &model{maxSamples: cfg.MaxSamples, floor: math.MinInt64}
			start := time.Now().UnixMilli()
			mustAppend(t, s, "m", nil, start, 0)
			if err := m.append(Sample{start, 0}, start, maxAge); err != nil {
				t.Fatal(err)
			}
			sr := only(t, s, "m")
			followers := make([]follower, 3)
			next := 1.0
			add := func(at int64) {
				next++
				v := next
				if int(next)%5 == 0 {
					v = math.NaN()
				}
				got, want := s.Append("m", nil, at, v), m.append(Sample{at, v}, time.Now().UnixMilli(), maxAge)
				if !errors.Is(got, want) {
					t.Fatalf("append at %d: %v, want %v", at-start, got, want)
				}
				if all := s.Select("m", nil); len(all) > 0 {
					sr = all[0] // it may have been dropped and made anew
				}
			}
			// kept leaves out what a sweep may or may not have found yet.
			kept := func(all []Sample) []Sample {
				return between(all, time.Now().UnixMilli()-maxAge, math.MaxInt64)
			}
			newest := func() int64 {
				if len(m.samples) == 0 {
					return time.Now().UnixMilli()
				}
				return m.samples[len(m.samples)-1].T
			}
			t.Repeat(map[string]func(*rapid.T){
				"run": func(t *rapid.T) {
					step := rapid.Int64Range(1, 5).Draw(t, "step")
					for range rapid.IntRange(1, 1200).Draw(t, "n") {
						if newest()+step > time.Now().UnixMilli()+maxAge {
							break
						}
						add(newest() + step)
					}
				},
				"late": func(t *rapid.T) {
					span := rapid.Int64Range(1, 4000).Draw(t, "span")
					for range rapid.IntRange(1, 100).Draw(t, "n") {
						add(newest() - rapid.Int64Range(0, span).Draw(t, "by"))
					}
				},
				"anywhere": func(t *rapid.T) {
					add(time.Now().UnixMilli() + rapid.Int64Range(-maxAge-2, maxAge+2).Draw(t, "at"))
				},
				"same again": func(t *rapid.T) {
					last, ok := sr.Last()
					if !ok {
						t.Skip("no sample yet")
					}
					followers[0].catchUp(t, sr)
					if err := s.Append("m", nil, last.T, last.V); err != nil && !errors.Is(err, ErrTooOld) {
						t.Fatal(err)
					} else if err == nil {
						_ = m.append(last, time.Now().UnixMilli(), maxAge)
					}
					if _, _, _, rewound := sr.Since(followers[0].cursor, nil); rewound {
						t.Fatal("an identical sample changed history")
					}
				},
				"time passes": func(t *rapid.T) {
					time.Sleep(time.Duration(rapid.Int64Range(1, maxAge/2).Draw(t, "ms")) * time.Millisecond)
				},
				"follow": func(t *rapid.T) {
					followers[rapid.IntRange(0, 2).Draw(t, "who")].catchUp(t, sr)
				},
				"range": func(t *rapid.T) {
					from := newest() - rapid.Int64Range(-10, 10_000).Draw(t, "from")
					to := from + rapid.Int64Range(-10, 10_000).Draw(t, "len")
					got, _ := collect(t, sr, from, to)
					if want := between(m.samples, from, to); !same(kept(got), kept(want)) {
						t.Fatalf("%d..%d: %d samples, want %d", from-start, to-start, len(got), len(want))
					}
				},
				"append while reading": func(t *rapid.T) {
					want := kept(m.samples)
					var got []Sample
					sr.Each(math.MinInt64, math.MaxInt64, func(b []Sample) {
						seen := slices.Clone(b)
						for range 20 {
							add(newest() - rapid.Int64Range(0, 2000).Draw(t, "by"))
						}
						add(min(newest()+1, time.Now().UnixMilli()+maxAge))
						if !same(seen, b) {
							t.Fatal("a block changed under its reader")
						}
						got = append(got, b...)
					})
					if !same(kept(got), want) {
						t.Fatal("what a reader saw is not of one moment")
					}
				},
				"": func(t *rapid.T) {
					got, _ := collect(t, sr, math.MinInt64, math.MaxInt64)
					want := kept(m.samples)
					if !same(kept(got), want) || len(got) > len(m.samples) {
						t.Fatalf("holds %d samples, want %d to %d", len(got), len(want), len(m.samples))
					}
					if len(got) > 0 && sr.w.since > got[0].T {
						t.Fatalf("no sample is older than %d, but there is %d", sr.w.since, got[0].T)
					}
					last, ok := sr.Last()
					if len(got) != sr.Len() || ok != (len(got) > 0) || ok && last.T != got[len(got)-1].T {
						t.Fatalf("last %v %v, %d samples; Each shows %d", last, ok, sr.Len(), len(got))
					}
				},
			})
			for i := range followers {
				f := &followers[i]
				f.catchUp(t, sr)
				want := kept(m.samples)
				if len(want) == 0 {
					continue
				}
				// A follower does not hear of samples that made room for others.
				if got := between(f.copy, want[0].T, math.MaxInt64); !same(got, want) {
					t.Fatalf("follower %d has %d samples, want %d", i, len(got), len(want))
				}
			}
		})
	})
}
