package store

import (
	"testing"

	"pgregory.net/rapid"
)

// TestRewindsAreRemembered checks since against a list of every change: it is
// never too late, exact while there are few, and never much too early.
func TestRewindsAreRemembered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r rewinds
		var all []int64
		drift := rapid.Int64Range(-2, 10).Draw(t, "drift")
		for i := range rapid.IntRange(1, 2000).Draw(t, "n") {
			at := drift*int64(i) + rapid.Int64Range(0, 30).Draw(t, "t")
			all = append(all, at)
			r = r.note(uint64(len(all)), at)
			if len(r) > maxRewinds {
				t.Fatalf("%d are kept", len(r))
			}
		}
		for range 20 {
			missed := rapid.IntRange(1, len(all)).Draw(t, "missed")
			earliest := least(all[len(all)-missed:])
			got := r.since(uint64(len(all) - missed))
			if got > earliest {
				t.Fatalf("%d missed: told %d, but %d changed", missed, got, earliest)
			}
			slack := min(len(all), missed+missed/8+1)
			if bound := least(all[len(all)-slack:]); got < bound {
				t.Fatalf("%d missed: told %d, want at least %d", missed, got, bound)
			}
			if len(all) <= maxRewinds && got != earliest {
				t.Fatalf("%d of %d missed: told %d, want %d", missed, len(all), got, earliest)
			}
		}
	})
}

// TestRewindsStayFresh has every sample of a long stream come late. A reader who
// missed the last n must not be sent back much further.
func TestRewindsStayFresh(t *testing.T) {
	var r rewinds
	for i := range int64(100_000) {
		r = r.note(uint64(i+1), i)
		for _, missed := range []int64{1, 10, 100, 1000} {
			if missed > i {
				break
			}
			got, want := r.since(uint64(i+1-missed)), i+1-missed
			if got > want || got < want-missed/8-1 {
				t.Fatalf("at %d, %d missed: told %d, want about %d", i, missed, got, want)
			}
		}
	}
}

func least(list []int64) int64 {
	m := list[0]
	for _, v := range list {
		m = min(m, v)
	}
	return m
}
