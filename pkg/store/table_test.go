package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTableIsAMap drives a table and a map with the same changes. The hashes are
// so few that series often stand in each other's places.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tab table
		tab.init()
		model := map[string]*Series{}
		var gone uint64
		hashes := rapid.Uint64Range(40, 300).Draw(t, "hashes")
		number := rapid.IntRange(0, 400)
		// some are names that follow one another.
		some := func(t *rapid.T) (names []string) {
			first := number.Draw(t, "first")
			for i := range rapid.IntRange(1, 100).Draw(t, "n") {
				names = append(names, fmt.Sprint((first+i)%400))
			}
			return names
		}
		hash := func(name string) (h uint64) {
			for _, c := range []byte(name) {
				h = h*10 + uint64(c-'0')
			}
			return h % hashes * 0x9e3779b9
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for _, n := range some(t) {
					sr := &Series{key: n, hash: hash(n), appended: 1}
					want := sr
					if old := model[n]; old != nil {
						want = old
					}
					if got := tab.add(sr); got != want {
						t.Fatalf("adding %s gave %v", n, got)
					}
					model[n] = want
				}
			},
			"remove": func(t *rapid.T) {
				for _, n := range some(t) {
					sr := model[n]
					if sr == nil {
						sr = &Series{key: n, hash: hash(n), appended: 1}
					} else {
						gone++
					}
					tab.remove(sr)
					delete(model, n)
				}
			},
			"": func(t *rapid.T) {
				n := fmt.Sprint(number.Draw(t, "name"))
				if got := tab.find(hash(n), []byte(n), 0); got != model[n] {
					t.Fatalf("%s is %v, want %v", n, got, model[n])
				}
				all, appended := tab.all()
				if len(all) != len(model) || appended != gone {
					t.Fatalf("%d series, %d samples of others; want %d, %d", len(all), appended, len(model), gone)
				}
				for _, sr := range all {
					if model[sr.key] != sr {
						t.Fatalf("%s is there", sr.key)
					}
				}
				slots, used := *tab.slots.Load(), 0
				for i := range slots {
					if slots[i].series.Load() != nil {
						used++
					}
				}
				if 2*used > len(slots) || len(slots) > max(minSlots, 16*(len(model)+100)) {
					t.Fatalf("%d of %d slots are used for %d series", used, len(slots), len(model))
				}
			},
		})
	})
}

// TestTableIsFoundWhileItGrows looks for series that are there all the time while
// others come and go. It is meant for the race detector.
func TestTableIsFoundWhileItGrows(t *testing.T) {
	var tab table
	tab.init()
	const stay, rounds = 50, 4
	for i := range uint64(stay) {
		tab.add(&Series{key: fmt.Sprint("stay", i), hash: i * 7})
	}
	var done atomic.Bool
	var changers, finders sync.WaitGroup
	for w := range uint64(2) {
		changers.Go(func() {
			for range rounds {
				var mine []*Series
				for i := range uint64(500) {
					sr := &Series{key: fmt.Sprint("w", w, "-", i), hash: (500*w + i) * 0x9e3779b9}
					if tab.add(sr) != sr {
						t.Error("it is somebody else's")
					}
					mine = append(mine, sr)
				}
				for _, sr := range mine {
					if tab.find(sr.hash, []byte(sr.key), 0) != sr {
						t.Errorf("%s was added, but is not there", sr.key)
					}
					tab.remove(sr)
				}
			}
		})
		finders.Go(func() {
			for i := uint64(0); !done.Load(); i = (i + 1) % stay {
				if name := fmt.Sprint("stay", i); tab.find(i*7, []byte(name), 0) == nil {
					t.Errorf("%s is gone", name)
				}
			}
		})
	}
	changers.Wait()
	done.Store(true)
	finders.Wait()
	if all, _ := tab.all(); len(all) != stay {
		t.Errorf("%d series are left, want %d", len(all), stay)
	}
}

// TestZeroBytesAreNoSeparators sends names whose bytes, one after another, are those
// of a series that exists.
func TestZeroBytesAreNoSeparators(t *testing.T) {
	s := New(wide(), nil)
	now := time.Now().UnixMilli()
	mustAppend(t, s, "m", Labels{{"a", "b"}, {"c", "d"}}, now, 1)
	for _, p := range []Point{
		{Metric: "a\x00b\x00c\x00d\x00m"},
		{Metric: "c\x00d\x00m", Labels: Labels{{"a", "b"}}},
		{Metric: "m", Labels: Labels{{"a\x00b", "c\x00d"}}},
		{Metric: "m", Labels: Labels{{"a", "b\x00c\x00d"}}},
		{Metric: "d\x00m", Labels: Labels{{"a", "b"}, {"c", ""}}},
	} {
		p.Sample = Sample{now + 1, 2}
		refused := s.AppendAll(now, []Point{p})
		if len(refused) != 1 {
			t.Errorf("%q %q was taken", p.Metric, p.Labels)
		} else if _, ok := errors.AsType[*NameError](refused[0].Err); !ok {
			t.Errorf("%q %q: %v", p.Metric, p.Labels, refused[0].Err)
		}
	}
	if got := s.Select("m", nil); len(got) != 1 || got[0].Len() != 1 || s.table.series != 1 {
		t.Errorf("the store has %v", got)
	}
}

// TestAppendAllIsAppend appends the same points one by one and together: the same
// are refused, for the same reasons, and the same is held.
func TestAppendAllIsAppend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := wide()
		cfg.MaxSeries = 6
		one, all := New(cfg, nil), New(cfg, nil)
		now := time.Now().UnixMilli()
		labels := []Labels{nil, {{"a", "x"}}, {{"a", "y"}}, {{"a", "x"}, {"b", "y"}}, {{"b", ""}}, {{"b", "1"}, {"a", "1"}}}
		point := rapid.Custom(func(t *rapid.T) Point {
			return Point{
				rapid.SampledFrom([]string{"m", "n", "mn", "\x00"}).Draw(t, "metric"),
				rapid.SampledFrom(labels).Draw(t, "labels"),
				Sample{now + rapid.Int64Range(-2, 2).Draw(t, "t")*rapid.SampledFrom([]int64{1, 1, 1 << 40}).Draw(t, "unit"), rapid.Float64().Draw(t, "v")},
			}
		})
		for range rapid.IntRange(1, 5).Draw(t, "batches") {
			points := rapid.SliceOfN(point, 0, 20).Draw(t, "points")
			var want []string
			for i, p := range points {
				if err := one.AppendAll(now, []Point{p}); err != nil {
					want = append(want, fmt.Sprint(i, err[0].Err))
				}
			}
			var got []string
			for _, r := range all.AppendAll(now, points) {
				got = append(got, fmt.Sprint(r.Index, r.Err))
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("refused %q, want %q", got, want)
			}
		}
		for _, metric := range []string{"m", "n", "mn"} {
			a, b := one.Select(metric, nil), all.Select(metric, nil)
			if len(a) != len(b) {
				t.Fatalf("%v, want %v", b, a)
			}
			for i := range a {
				x, _ := collect(t, a[i], now-10, now+10)
				y, _ := collect(t, b[i], now-10, now+10)
				if a[i].String() != b[i].String() || !same(x, y) {
					t.Fatalf("%v %v, want %v %v", b[i], y, a[i], x)
				}
			}
		}
	})
}
