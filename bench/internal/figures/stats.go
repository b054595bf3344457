// Package figures is what the benchmarks say of what they measured, and where.
package figures

import (
	"math"
	"slices"
)

// Median returns the middle of xs, NaN if there are none.
func Median(xs []float64) float64 { return Quantile(xs, 0.5) }

// Quantile returns the value below which a share q of xs lies, between two of
// them by their distance; NaN if there are none.
func Quantile(xs []float64, q float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(xs))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (sorted[high]-sorted[low])*(at-float64(low))
}

// Mean returns the mean of xs, NaN if there are none.
func Mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}
