package source

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/store"
)

// TestMeterCountsWhatComesTogether holds that points are counted alike, together
// and one by one: of those that were refused as such, and of gaps, which are no
// news.
func TestMeterCountsWhatComesTogether(t *testing.T) {
	now := time.Now().UnixMilli()
	point := func(at int64, v float64) store.Point {
		return store.Point{Metric: "m", Sample: store.Sample{T: at, V: v}}
	}
	for name, c := range map[string]struct {
		points             []store.Point
		samples, rejected  uint64
		seen, stillTrouble bool
	}{
		"all":                {[]store.Point{point(now, 1), point(now+1, 2)}, 2, 0, true, false},
		"gaps":               {[]store.Point{point(now, math.NaN())}, 1, 0, false, true},
		"refused":            {[]store.Point{point(now, math.Inf(1))}, 0, 1, false, true},
		"refused and a gap":  {[]store.Point{point(now, math.Inf(1)), point(now, math.NaN()), point(0, 1)}, 1, 2, false, true},
		"refused and others": {[]store.Point{point(0, 1), point(now, math.NaN()), point(now+1, 1)}, 2, 1, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(t *testing.T, appendAll func(m *meter)) {
				m := newMeter(store.New(store.DefaultConfig(), nil))
				m.failed(errors.New("boom"))
				appendAll(m)
				st := m.status("a", "test")
				if st.Samples != c.samples || st.Rejected != c.rejected || !st.Last.IsZero() != c.seen || (st.Error != "") != c.stillTrouble {
					t.Errorf("got %+v", st)
				}
			}
			check(t, func(m *meter) {
				if refused := m.AppendAll(now, c.points); len(refused) != int(c.rejected) {
					t.Errorf("%v were refused", refused)
				}
			})
			check(t, func(m *meter) {
				for _, p := range c.points {
					_ = m.Append(p.Metric, p.Labels, p.Sample.T, p.Sample.V)
				}
			})
		})
	}
}

// TestMeterMakesNoGarbage holds that counting a sample costs no allocation.
func TestMeterMakesNoGarbage(t *testing.T) {
	m := newMeter(store.New(store.DefaultConfig(), nil))
	at := time.Now().UnixMilli()
	if n := testing.AllocsPerRun(50, func() {
		at++
		if err := m.Append("m", nil, at, 1); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a sample costs %v allocations", n)
	}
}
