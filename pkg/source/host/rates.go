package host

import "time"

// rates turns counters into amounts per second. The zero rates have seen none.
type rates struct {
	last map[string]count
}

type count struct {
	value uint64
	at    time.Time
}

// next notes what a counter says and returns by how much a second it has grown
// since the time before. ok is false the first time, and if it has shrunk
// because it was reset.
func (r *rates) next(counter string, value uint64, at time.Time) (perSecond float64, ok bool) {
	if r.last == nil {
		r.last = map[string]count{}
	}
	before, seen := r.last[counter]
	r.last[counter] = count{value, at}
	seconds := at.Sub(before.at).Seconds()
	if !seen || value < before.value || seconds <= 0 {
		return 0, false
	}
	return float64(value-before.value) / seconds, true
}
