package ticker

import (
	"hash/fnv"
	"time"
)

// soon bounds the wait of a fresh loop for its first tick: a chart refreshed
// every hour should not stay without data for an hour after the first look.
const soon = time.Second

// slot is what phases are rounded to: loops that tick within it are woken
// together, and waking the process up is dearer than a tick in which little
// changed. Twenty milliseconds hold the work of some hundreds of loops.
const slot = 20 * time.Millisecond

// schedule says when a loop ticks. Its ticks stand on a grid: multiples of the
// refresh since the Unix epoch, moved by a phase that comes from the view's id,
// so that many loops of one refresh do not fire together, not even after a
// restart.
type schedule struct {
	refresh time.Duration
	hash    uint64
	// due is the next tick. It carries a monotonic reading: a wall clock that
	// jumps moves no tick.
	due time.Time
}

// newSchedule returns the schedule of the view with this id. It does not tick
// before set.
func newSchedule(id string) schedule {
	h := fnv.New64a()
	h.Write([]byte(id))
	return schedule{hash: h.Sum64()}
}

// set changes the refresh; 0 stops the ticks. The next one is due at most a
// second (or one refresh, if that is shorter) after now.
func (s *schedule) set(refresh time.Duration, now time.Time) {
	s.refresh = refresh
	if refresh > 0 {
		s.due = s.after(now, min(refresh, soon))
	}
}

// after returns the first point behind t of the grid with this period.
func (s *schedule) after(t time.Time, period time.Duration) time.Time {
	phase := time.Duration(s.hash%uint64(max(1, period/slot))) * slot
	// In whole nanoseconds, UnixNano holds until the year 2262.
	into := (time.Duration(t.UnixNano())%period - phase + period) % period
	return t.Add(period - into)
}

// running reports whether there is a next tick.
func (s *schedule) running() bool { return s.refresh > 0 }

// fired moves due on after a tick that ran at now, and returns how many ticks
// were due between the last one and now and are skipped.
func (s *schedule) fired(now time.Time) (late int) {
	if behind := now.Sub(s.due); behind >= s.refresh {
		late = int(behind / s.refresh)
		s.due = s.due.Add(time.Duration(late) * s.refresh)
	}
	// Usually this is due+refresh. It differs for the first tick, which came
	// early: at least half a refresh lies between it and the second.
	if s.refresh > soon {
		s.due = s.after(s.due.Add(s.refresh/2), s.refresh)
	} else {
		s.due = s.due.Add(s.refresh)
	}
	return late
}
