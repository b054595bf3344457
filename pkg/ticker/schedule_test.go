package ticker

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestScheduleStaysOnItsGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		refresh := time.Duration(rapid.Int64Range(int64(50*time.Millisecond), int64(time.Hour)).Draw(t, "refresh"))
		now := day.Add(time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "start")))
		s := newSchedule(rapid.String().Draw(t, "id"))
		if s.running() {
			t.Fatal("runs before set")
		}
		s.set(refresh, now)
		if wait := s.due.Sub(now); wait <= 0 || wait > min(refresh, soon) {
			t.Fatalf("the first tick is due after %v", wait)
		}
		for i := range rapid.IntRange(1, 20).Draw(t, "ticks") {
			last := s.due
			lag := time.Duration(rapid.Int64Range(0, int64(3*refresh)).Draw(t, "lag"))
			now = s.due.Add(lag)
			late := s.fired(now)
			if want := int(lag / refresh); late != want {
				t.Fatalf("%v behind at a refresh of %v: %d skipped, want %d", lag, refresh, late, want)
			}
			if early := refresh > soon && lag >= refresh/2; !early && !s.due.After(now) {
				t.Fatalf("next tick %v is not after %v", s.due, now)
			}
			step := s.due.Sub(last) - time.Duration(late)*refresh
			if i > 0 && step != refresh {
				t.Fatalf("tick %d came %v after the one before", i, step)
			}
			if i == 0 && (step < refresh/2 || step > refresh+refresh/2) {
				t.Fatalf("the second tick came %v after the first at a refresh of %v", step, refresh)
			}
			if off := time.Duration(s.due.UnixNano()) % refresh; off != time.Duration(s.hash%uint64(refresh/slot))*slot {
				t.Fatalf("%v is not on the grid", off)
			}
		}
	})
}

func TestScheduleSpreadsPhases(t *testing.T) {
	const n, slots = 2000, 20
	var hits [slots]int
	for i := range n {
		s := newSchedule(fmt.Sprintf("cpu~%x", i))
		s.set(time.Second, day)
		hits[int(s.due.Sub(day)*slots/time.Second)%slots]++
	}
	for slot, got := range hits {
		if got < n/slots/2 || got > n/slots*2 {
			t.Errorf("%d of %d ticks fall into twentieth %d of a second", got, n, slot)
		}
	}
}

func TestScheduleZeroStops(t *testing.T) {
	s := newSchedule("cpu~1")
	s.set(time.Second, day)
	s.set(0, day)
	if s.running() {
		t.Error("a refresh of 0 ticks")
	}
}
