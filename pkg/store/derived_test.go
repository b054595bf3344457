package store

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestDerivedIsItsModel drives a derived series and a plain slice with the same
// appends, truncations and expiries, while readers follow at their own pace, and
// one looks at it all the time.
func TestDerivedIsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := wide()
		cfg.MaxSamples = rapid.SampledFrom([]int{2, 50, 1500, 5000}).Draw(t, "max")
		s := New(cfg, nil)
		d, err := s.Derive("x", LabelsOf(map[string]string{"a": "b"}))
		if err != nil {
			t.Fatal(err)
		}
		sr := d.Series()
		var model []Sample
		var now int64
		followers := make([]follower, 2)
		check := func() {
			t.Helper()
			var all []Sample
			sr.Each(math.MinInt64, math.MaxInt64, func(b []Sample) { all = append(all, b...) })
			if !same(all, model) || sr.Len() != len(model) {
				t.Fatalf("holds %d samples (Len %d); want %d", len(all), sr.Len(), len(model))
			}
		}
		change := map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				for range rapid.IntRange(1, 2500).Draw(t, "n") {
					now++
					d.Append(now, float64(now))
					model = append(model, Sample{now, float64(now)})
				}
				d.Append(now, -1) // not newer
				model = model[max(0, len(model)-cfg.MaxSamples):]
			},
			"truncate": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				from := now - rapid.Int64Range(-2, int64(len(model))+1).Draw(t, "back")
				d.Truncate(from)
				i := search(model, from)
				model = model[:i]
				now = min(now, from)
			},
			"expire": func(t *rapid.T) {
				before := now - rapid.Int64Range(0, int64(len(model))+1).Draw(t, "before")
				d.Expire(before)
				model = model[search(model, before):]
			},
			"follow": func(t *rapid.T) {
				f := &followers[rapid.IntRange(0, 1).Draw(t, "follower")]
				f.catchUp(t, sr)
				if have := between(f.copy, first(model), math.MaxInt64); !same(have, model) {
					t.Fatalf("a follower has %d samples; want %d", len(have), len(model))
				}
			},
			"": func(*rapid.T) { check() },
		}
		names := []string{"append", "truncate", "expire", "follow"}
		for range 30 {
			what := change[rapid.SampledFrom(names).Draw(t, "what")]
			if rapid.Bool().Draw(t, "watched") {
				before := slices.Clone(model)
				var seen []Sample
				sr.Each(math.MinInt64, math.MaxInt64, func(b []Sample) {
					if seen == nil {
						what(t)
					}
					seen = append(seen, b...)
				})
				if len(before) > 0 && !same(seen, before) {
					t.Fatal("a reader saw a change")
				}
				if len(before) > 0 {
					continue
				}
			}
			what(t)
			check()
		}
		d.Close()
		d.Close()
		d.Append(now+1, 1)
		if s.budget.used.Load() != 0 || sr.Len() != 0 {
			t.Fatalf("closed, it holds room for %d samples, and %d", s.budget.used.Load(), sr.Len())
		}
	})
}

// first returns the time of the first sample; MaxInt64 if there is none.
func first(samples []Sample) int64 {
	if len(samples) == 0 {
		return math.MaxInt64
	}
	return samples[0].T
}

func TestDerivedIsFoundByNobody(t *testing.T) {
	s := New(wide(), nil)
	before := s.Generation()
	d, err := s.Derive("x", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.Append(1, math.Inf(1))
	if last, ok := d.Series().Last(); !ok || !math.IsNaN(last.V) {
		t.Errorf("an infinite value is held as %v, %v; want a gap", last, ok)
	}
	if len(s.Select("x", nil)) > 0 || s.Generation() != before {
		t.Error("the store found a derived series")
	}
}

func TestDerivedSharesTheRoom(t *testing.T) {
	cfg := wide()
	cfg.MaxTotal = minTotal
	s := New(cfg, nil)
	d, err := s.Derive("x", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(3000) {
		d.Append(i, 1)
	}
	if used := s.budget.used.Load(); used > minTotal || d.Series().Len() < minTotal/4 {
		t.Errorf("%d samples in room for %d; there is room for %d", d.Series().Len(), used, minTotal)
	}
	for s.budget.take(minBlock) {
	}
	if _, err := s.Derive("y", nil); !isLimit(err) {
		t.Errorf("without room: %v; want a LimitError", err)
	}
}

func isLimit(err error) bool {
	_, ok := errors.AsType[*LimitError](err)
	return ok
}
