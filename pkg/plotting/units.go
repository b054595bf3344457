package plotting

import (
	"math"
	"strconv"
)

// prefix is one scale of a unit: values are divided by div and carry suffix.
type prefix struct {
	div    float64
	suffix string
}

// prefixes returns a unit's scales, rising.
func (u Unit) prefixes() []prefix {
	switch u {
	case Short, "":
		return []prefix{{1, ""}, {1e3, "k"}, {1e6, "M"}, {1e9, "G"}, {1e12, "T"}, {1e15, "P"}}
	case PerSec:
		return []prefix{{1, "/s"}, {1e3, "k/s"}, {1e6, "M/s"}, {1e9, "G/s"}}
	case Percent:
		return []prefix{{1, " %"}}
	case PercentUnit:
		return []prefix{{0.01, " %"}}
	case Bytes:
		return []prefix{{1, " B"}, {1 << 10, " KiB"}, {1 << 20, " MiB"}, {1 << 30, " GiB"}, {1 << 40, " TiB"}, {1 << 50, " PiB"}}
	case BytesPerSec:
		return []prefix{{1, " B/s"}, {1 << 10, " KiB/s"}, {1 << 20, " MiB/s"}, {1 << 30, " GiB/s"}, {1 << 40, " TiB/s"}}
	case BitsPerSec:
		return []prefix{{1, " bit/s"}, {1e3, " kbit/s"}, {1e6, " Mbit/s"}, {1e9, " Gbit/s"}, {1e12, " Tbit/s"}}
	case Seconds:
		return []prefix{{1e-9, " ns"}, {1e-6, " µs"}, {1e-3, " ms"}, {1, " s"}, {60, " min"}, {3600, " h"}, {86400, " d"}}
	case Millis:
		return []prefix{{1e-6, " ns"}, {1e-3, " µs"}, {1, " ms"}, {1e3, " s"}, {6e4, " min"}, {3.6e6, " h"}, {8.64e7, " d"}}
	case Celsius:
		return []prefix{{1, " °C"}}
	case None:
		return []prefix{{1, ""}}
	}
	return []prefix{{1, " " + string(u)}}
}

// scale returns the largest prefix that leaves mag at 1 or more.
func (u Unit) scale(mag float64) prefix {
	ps := u.prefixes()
	best := ps[0]
	switch u {
	case Seconds:
		best = prefix{1, " s"}
	case Millis:
		best = prefix{1, " ms"}
	}
	if mag == 0 || math.IsNaN(mag) {
		return best
	}
	best = ps[0]
	for _, p := range ps[1:] {
		// A hair less than 1 counts as 1: 0.9999… comes from a sum of steps.
		if mag >= p.div*(1-1e-9) {
			best = p
		}
	}
	return best
}

// Tick writes a value on an axis whose largest value is mag and whose ticks are
// step apart: all ticks of an axis have one prefix and as many digits as tell
// them apart.
func (u Unit) Tick(v, mag, step float64) string {
	p := u.scale(mag)
	if v == 0 || math.Abs(v) < step/1e6 {
		return "0" + u.constant()
	}
	return number(v/p.div, step/p.div) + p.suffix
}

// constant is the suffix of a unit that has one scale only, so that a zero
// carries it too.
func (u Unit) constant() string {
	if ps := u.prefixes(); len(ps) == 1 {
		return ps[0].suffix
	}
	return ""
}

// Value writes a value by itself, in three or four digits: "1.24 GiB". NaN is
// "–".
func (u Unit) Value(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	p := u.scale(math.Abs(v))
	x := max(-math.MaxFloat64, min(math.MaxFloat64, v/p.div)) // a share in percent is a hundred times as much
	switch a := math.Abs(x); {
	case x == 0:
		return "0" + p.suffix
	case a < 1e-3:
		return strconv.FormatFloat(x, 'g', 3, 64) + p.suffix
	case a >= 1e15:
		return strconv.FormatFloat(x, 'g', 4, 64) + p.suffix
	default:
		// Two digits behind the point below 10, one below 100, none above; a
		// unit of one scale, such as percent, keeps one digit throughout.
		digits := max(0, min(3, 2-int(math.Floor(math.Log10(a)+1e-9))))
		if len(u.prefixes()) == 1 && a >= 0.1 {
			digits = min(digits, 1)
		}
		return strconv.FormatFloat(x, 'f', digits, 64) + p.suffix
	}
}

// number writes x with as many decimals as step needs.
func number(x, step float64) string {
	if a := math.Abs(x); step < 1e-6 || a >= 1e15 {
		digits := 4
		if step > 0 && a > step {
			digits = min(int(math.Log10(a/step))+2, 17)
		}
		return strconv.FormatFloat(x, 'g', digits, 64)
	}
	digits := 0
	for s := step; digits < 9 && math.Abs(s-math.Round(s)) > s*1e-6; digits++ {
		s *= 10
	}
	return strconv.FormatFloat(x, 'f', digits, 64)
}
