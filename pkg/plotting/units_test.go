package plotting

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestUnitValue(t *testing.T) {
	for _, tc := range []struct {
		u    Unit
		v    float64
		want string
	}{
		{Short, 0, "0"},
		{Short, 0.12345, "0.123"},
		{Short, 1, "1.00"},
		{Short, 12.345, "12.3"},
		{Short, 1234, "1.23k"},
		{Short, -1234567, "-1.23M"},
		{Short, 1e-9, "1e-09"},
		{Percent, 12.34, "12.3 %"},
		{Percent, 100, "100 %"},
		{PercentUnit, 0.1234, "12.3 %"},
		{Bytes, 1536, "1.50 KiB"},
		{Bytes, 3 << 30, "3.00 GiB"},
		{BytesPerSec, 1 << 20, "1.00 MiB/s"},
		{BitsPerSec, 2.5e6, "2.50 Mbit/s"},
		{Seconds, 0, "0 s"},
		{Seconds, 0.0123, "12.3 ms"},
		{Seconds, 90, "1.50 min"},
		{Millis, 1500, "1.50 s"},
		{Celsius, 21.46, "21.5 °C"},
		{PerSec, 4200, "4.20k/s"},
		{None, 12345.6, "12346"},
		{"rpm", 900, "900 rpm"},
		{Short, math.NaN(), "–"},
		{Short, math.Inf(1), "–"},
	} {
		if got := tc.u.Value(tc.v); got != tc.want {
			t.Errorf("%s of %v: %q, want %q", tc.u, tc.v, got, tc.want)
		}
	}
}

func TestAxisTicks(t *testing.T) {
	pin := func(v float64) *float64 { return &v }
	for _, tc := range []struct {
		name   string
		lo, hi float64
		a      Axis
		zero   bool
		want   string
	}{
		{"plain", 3, 97, Axis{Unit: Short}, false, "0 20 40 60 80 100"},
		{"percent pinned", 3, 20, Axis{Unit: Percent, Min: pin(0), Max: pin(100)}, true, "0 % 20 % 40 % 60 % 80 % 100 %"},
		{"bytes", 0, 5e9, Axis{Unit: Bytes}, true, "0 1 GiB 2 GiB 3 GiB 4 GiB 5 GiB"},
		{"small bytes", 0, 0.9, Axis{Unit: Bytes}, true, "0 0.2 B 0.4 B 0.6 B 0.8 B 1.0 B"},
		{"seconds", 0, 0.004, Axis{Unit: Seconds}, true, "0 1 ms 2 ms 3 ms 4 ms"},
		{"minutes", 0, 300, Axis{Unit: Seconds}, true, "0 1 min 2 min 3 min 4 min 5 min"},
		{"far from zero", 1000.2, 1000.9, Axis{Unit: None}, false, "1000.2 1000.4 1000.6 1000.8 1001.0"},
		{"one value", 5, 5, Axis{Unit: None}, false, "4.4 4.6 4.8 5.0 5.2 5.4 5.6"},
		{"all zero", 0, 0, Axis{Unit: None}, false, "-1.0 -0.5 0 0.5 1.0"},
		{"below zero", -30, -10, Axis{Unit: None}, true, "-30 -20 -10 0"},
		{"nothing", math.Inf(1), math.Inf(-1), Axis{Unit: Percent}, false, "0 % 20 % 40 % 60 % 80 % 100 %"},
		{"data beyond a pinned end", 50, 60, Axis{Unit: None, Max: pin(10)}, false, "9.0 9.2 9.4 9.6 9.8 10.0"},
	} {
		r := niceRange(tc.lo, tc.hi, tc.a, tc.zero, 5)
		var got []string
		for v := range r.ticks {
			got = append(got, tc.a.Unit.Tick(v, max(r.max, -r.min), r.step))
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%s: %s, want %s (%+v)", tc.name, s, tc.want, r)
		}
	}
}

func TestNiceRangeCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(-1e12, 1e12).Draw(t, "lo")
		hi := lo + math.Abs(rapid.Float64Range(-1e12, 1e12).Draw(t, "span"))
		a := Axis{Unit: rapid.SampledFrom(append(Units(), "rpm")).Draw(t, "unit")}
		r := niceRange(lo, hi, a, rapid.Bool().Draw(t, "zero"), rapid.IntRange(1, 20).Draw(t, "count"))
		hair := r.step * 1e-6
		if r.min > lo+hair || r.max < hi-hair || !(r.step > 0) {
			t.Fatalf("%v to %v is shown as %+v", lo, hi, r)
		}
		n := 0
		seen := map[string]bool{}
		for v := range r.ticks {
			n++
			seen[a.Unit.Tick(v, max(r.max, -r.min), r.step)] = true
		}
		if n < 2 || n > 45 {
			t.Fatalf("%v to %v: %d ticks, %+v", lo, hi, n, r)
		}
		if len(seen) != n {
			t.Fatalf("%v to %v, %s: %d ticks have %d texts", lo, hi, a.Unit, n, len(seen))
		}
	})
}

func TestLazyRange(t *testing.T) {
	var l lazyRange
	a := Axis{Unit: None}
	step := func(lo, hi float64, at int64, wantChange bool, min, max float64) {
		t.Helper()
		if got := l.follow(lo, hi, a, true, 5, at); got != wantChange || l.now.min != min || l.now.max != max {
			t.Errorf("at %d ms, data %v to %v: changed %v to %+v; want %v, %v to %v", at, lo, hi, got, l.now, wantChange, min, max)
		}
	}
	step(0, 9, 0, true, 0, 10)
	step(0, 10, 1000, false, 0, 10)
	step(0, 11, 2000, true, 0, 15)       // grows at once
	step(0, 3, 3000, false, 0, 15)       // does not shrink at once
	step(0, 14, 8000, false, 0, 15)      // the room was needed after all
	step(0, 3, 9000, false, 0, 15)       // so that waiting starts over
	step(0, 3, 18_000, false, 0, 15)     //
	step(0, 3, 19_000, true, 0, 3)       // patience is at an end
	step(-5, 3, 20_000, true, -6, 4)     // the other end
	step(-5, 3, 1_000_000, false, -6, 4) // and it stays
}
