package main

import (
	"math"
	"math/bits"
)

// hist counts durations in ns with an error of less than one percent, however
// many there are.
type hist struct {
	Counts map[int]int64 `json:"counts,omitempty"`
	Max    int64         `json:"max,omitempty"`
	N      int64         `json:"n,omitempty"`
}

// fine is how many parts a doubling has, as a power of two.
const fine = 7

func (h *hist) add(ns int64) {
	if h.Counts == nil {
		h.Counts = map[int]int64{}
	}
	h.Max = max(h.Max, ns)
	h.N++
	h.Counts[slotOf(max(ns, 0))]++
}

// slotOf numbers ns: up to 2^fine one by one, beyond that by its leading bits.
func slotOf(ns int64) int {
	shift := max(0, bits.Len64(uint64(ns))-fine-1)
	return shift<<fine + int(ns>>shift)
}

// floorOf is the least value of a slot.
func floorOf(slot int) int64 {
	if slot < 2<<fine {
		return int64(slot)
	}
	shift := slot>>fine - 1
	return int64(slot-shift<<fine) << shift
}

// quantile returns the value below which a share q of the durations lies, in
// ns; NaN if there are none.
func (h *hist) quantile(q float64) float64 {
	if h.N == 0 {
		return math.NaN()
	}
	if q >= 1 {
		return float64(h.Max)
	}
	last := 0
	for slot := range h.Counts {
		last = max(last, slot)
	}
	want, seen := int64(math.Ceil(q*float64(h.N))), int64(0)
	for slot := range last + 1 {
		if seen += h.Counts[slot]; seen >= want && seen > 0 {
			return float64(floorOf(slot))
		}
	}
	return float64(h.Max)
}
