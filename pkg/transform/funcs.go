package transform

import (
	"math"

	"github.com/prometheus/prometheus/promql/parser"
)

// rangeFunc is a function of a range.
type rangeFunc int

const (
	rate rangeFunc = iota
	irate
	increase
	delta
	idelta
	resets
	changes
	avgOverTime
	minOverTime
	maxOverTime
	sumOverTime
	countOverTime
	lastOverTime
	quantileOverTime
)

func rangeFuncs() map[string]rangeFunc {
	return map[string]rangeFunc{
		"rate": rate, "irate": irate, "increase": increase, "delta": delta, "idelta": idelta,
		"resets": resets, "changes": changes,
		"avg_over_time": avgOverTime, "min_over_time": minOverTime, "max_over_time": maxOverTime,
		"sum_over_time": sumOverTime, "count_over_time": countOverTime, "last_over_time": lastOverTime,
		"quantile_over_time": quantileOverTime,
	}
}

// aggFunc makes one value of many.
type aggFunc int

const (
	aggSum aggFunc = iota
	aggAvg
	aggMin
	aggMax
	aggCount
	aggQuantile
)

func aggFuncs() map[parser.ItemType]aggFunc {
	return map[parser.ItemType]aggFunc{
		parser.SUM: aggSum, parser.AVG: aggAvg, parser.MIN: aggMin, parser.MAX: aggMax, parser.COUNT: aggCount, parser.QUANTILE: aggQuantile,
	}
}

// valueFuncs are the functions of one value. Each is made for its further
// arguments; want says what those should have been.
func valueFuncs() map[string]func(args []float64) (fn func(float64) float64, want string) {
	plain := func(f func(float64) float64) func([]float64) (func(float64) float64, string) {
		return func([]float64) (func(float64) float64, string) { return f, "" }
	}
	return map[string]func([]float64) (func(float64) float64, string){
		"abs": plain(math.Abs), "ceil": plain(math.Ceil), "floor": plain(math.Floor), "sqrt": plain(math.Sqrt),
		"exp": plain(math.Exp), "ln": plain(math.Log), "log2": plain(math.Log2), "log10": plain(math.Log10),
		"sgn": plain(sign),
		"round": func(args []float64) (func(float64) float64, string) {
			per := 1.0
			if len(args) > 0 {
				per = 1 / args[0]
			}
			return func(v float64) float64 { return math.Floor(v*per+0.5) / per }, ""
		},
		"clamp_min": func(args []float64) (func(float64) float64, string) {
			return func(v float64) float64 { return math.Max(args[0], v) }, ""
		},
		"clamp_max": func(args []float64) (func(float64) float64, string) {
			return func(v float64) float64 { return math.Min(args[0], v) }, ""
		},
		"clamp": func(args []float64) (func(float64) float64, string) {
			if args[0] > args[1] {
				return nil, "a minimum that is not above the maximum"
			}
			return func(v float64) float64 { return math.Max(args[0], math.Min(args[1], v)) }, ""
		},
	}
}

func sign(v float64) float64 {
	switch {
	case v < 0:
		return -1
	case v > 0:
		return 1
	}
	return v
}

// quantile returns the φ-quantile of sorted values, between two of them by
// their distance.
func quantile(phi float64, sorted []float64) float64 {
	n := float64(len(sorted))
	switch {
	case n == 0 || math.IsNaN(phi):
		return math.NaN()
	case phi < 0:
		return math.Inf(-1)
	case phi > 1:
		return math.Inf(1)
	}
	rank := phi * (n - 1)
	low := max(0, math.Floor(rank))
	high := min(n-1, low+1)
	weight := rank - math.Floor(rank)
	return sorted[int(low)]*(1-weight) + sorted[int(high)]*weight
}

// total is a sum that values may be added to and taken from for as long as one
// likes: it is kept as two numbers, of which the second is what the first could
// not hold, so that no error piles up (Knuth's two-sum; Dekker 1971).
type total struct{ high, low float64 }

func (s *total) add(v float64) {
	sum := s.high + v
	back := sum - s.high
	s.low += (s.high - (sum - back)) + (v - back)
	s.high = sum
	// What low holds moves up as soon as it can.
	sum = s.high + s.low
	s.low -= sum - s.high
	s.high = sum
}

func (s *total) value() float64 { return s.high + s.low }
