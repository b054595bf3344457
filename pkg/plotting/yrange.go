package plotting

import (
	"math"
	"time"
)

// valueRange is the extent of a value axis and the distance of its ticks.
type valueRange struct{ min, max, step float64 }

// mostValue is how far an axis reaches: beyond it, the distance of its ends would
// be more than a float64 can hold. What is larger lies outside.
const mostValue = 1e300

// niceRange returns a range of round numbers that covers lo to hi with about
// count ticks. Pinned ends stay where they are. lo > hi means no data.
func niceRange(lo, hi float64, a Axis, fromZero bool, count int) valueRange {
	if lo > hi {
		lo, hi = 0, 1
		if a.Unit == Percent {
			hi = 100
		}
	}
	if fromZero || lo > 0 && lo < (hi-lo)/4 {
		lo, hi = min(lo, 0), max(hi, 0)
	}
	if a.Min != nil {
		lo = *a.Min
	}
	if a.Max != nil {
		hi = *a.Max
	}
	if span := hi - lo; span <= max(math.Abs(hi), math.Abs(lo))*1e-6 || span < 1e-300 {
		// One value, or the data lie beyond a pinned end: open the free side.
		pad := max(math.Abs(hi)*0.1, 1e-9)
		if hi == 0 {
			pad = 1
		}
		switch {
		case a.Min == nil && a.Max != nil:
			lo = hi - pad
		case a.Max == nil && a.Min != nil:
			hi = lo + pad
		default:
			lo, hi = lo-pad, hi+pad
		}
	}
	step := niceStep((hi-lo)/float64(max(count, 1)), a.Unit)
	r := valueRange{lo, hi, step}
	if a.Min == nil {
		r.min = math.Floor(lo/step+1e-9)*step + 0 // + 0 makes -0 a 0
	}
	if a.Max == nil {
		r.max = math.Ceil(hi/step-1e-9)*step + 0
	}
	if r.max <= r.min {
		r.max = r.min + step
	}
	return r
}

// niceStep returns the smallest round distance that is at least want.
func niceStep(want float64, u Unit) float64 {
	switch u {
	case Bytes, BytesPerSec:
		if want > 1 {
			return math.Pow(2, math.Ceil(math.Log2(want)-1e-9))
		}
	case Seconds, Millis:
		scale := 1.0
		if u == Millis {
			scale = 1000
		}
		if want > 5*scale {
			for _, s := range []float64{10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400} {
				if want <= s*scale {
					return s * scale
				}
			}
			return 86400 * scale * niceStep(want/86400/scale, None)
		}
	}
	p := math.Pow(10, math.Floor(math.Log10(want)))
	for _, m := range []float64{1, 2, 5} {
		if want <= p*m*(1+1e-9) {
			return p * m
		}
	}
	return p * 10
}

// lazyRange keeps an axis still: it grows at once when data leave it, and
// shrinks only when a much smaller one has been enough for a while. Every
// change costs a new epoch, and makes a reader look twice.
type lazyRange struct {
	now     valueRange
	valid   bool
	roomyAt int64 // ms; when a smaller range began to be enough; 0: it is not
}

// patience is how long a smaller range must be enough.
const patience = int64(10 * time.Second / time.Millisecond)

// follow takes in that the data reach from lo to hi at a time in ms, and
// reports whether the range has changed.
func (l *lazyRange) follow(lo, hi float64, a Axis, fromZero bool, count int, now int64) bool {
	lo, hi = max(-mostValue, min(mostValue, lo)), max(-mostValue, min(mostValue, hi))
	want := niceRange(lo, hi, a, fromZero, count)
	hair := l.now.step * 1e-6 // more than niceRange forgives
	switch {
	case !l.valid:
	case a.Min == nil && lo < l.now.min-hair || a.Max == nil && hi > l.now.max+hair:
		// Keep the other end: one spike moves one end.
		want = niceRange(min(lo, l.now.min), max(hi, l.now.max), a, fromZero, count)
	case want.max-want.min > 0.6*(l.now.max-l.now.min):
		l.roomyAt = 0
		return false
	default:
		if l.roomyAt == 0 || now < l.roomyAt {
			l.roomyAt = now
		}
		if now-l.roomyAt < patience {
			return false
		}
	}
	changed := !l.valid || want != l.now
	l.now, l.valid, l.roomyAt = want, true, 0
	return changed
}

// ticks calls yield for the values of an axis' ticks, rising.
func (r valueRange) ticks(yield func(v float64) bool) {
	first := math.Ceil(r.min/r.step - 1e-9)
	for i := first; i <= math.Floor(r.max/r.step+1e-9) && i < first+1000; i++ {
		if !yield(i * r.step) {
			return
		}
	}
}
