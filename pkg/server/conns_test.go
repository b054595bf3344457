package server

import (
	"slices"
	"testing"
	"time"
)

// However late the heartbeat's ticks come, no slot misses its turn, and none has
// two at once.
func TestHeartbeatCatchesUp(t *testing.T) {
	r := round{step: 10 * time.Millisecond}
	all := func(from int) (slotsOf []int) {
		for n := range slots {
			slotsOf = append(slotsOf, (from+n)%slots)
		}
		return slotsOf
	}
	for _, tc := range []struct {
		at   time.Duration
		want []int
	}{
		{9 * time.Millisecond, nil},
		{10 * time.Millisecond, []int{0}},
		{29 * time.Millisecond, []int{1}},
		{30 * time.Millisecond, []int{2}},
		{75 * time.Millisecond, []int{3, 4, 5, 6}}, // some were dropped
		{76 * time.Millisecond, nil},
		{180 * time.Millisecond, []int{7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1}},
		{10 * time.Second, all(1000 % slots)}, // the machine was asleep
		{10*time.Second + 10*time.Millisecond, []int{1000 % slots}},
	} {
		if got := slices.Collect(r.due(tc.at)); !slices.Equal(got, tc.want) {
			t.Errorf("at %v: %v, want %v", tc.at, got, tc.want)
		}
	}
}
