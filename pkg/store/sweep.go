package store

import "time"

// sweepEvery is how often old samples and silent series are looked for, at most.
const sweepEvery = time.Minute

// maybeSweep sweeps if it is time and nobody else is about to.
func (s *Store) maybeSweep(now int64) {
	due, every := s.nextSweep.Load(), max(1, min(sweepEvery.Milliseconds(), s.maxAge/8))
	if now < due && now >= due-2*every { // earlier than that is only a clock that was set back
		return
	}
	next := now + every
	if s.nextSweep.CompareAndSwap(due, next) && due != 0 {
		s.sweep(now - s.maxAge)
	}
}

// sweep drops the samples before a time, and the series that have none left.
func (s *Store) sweep(before int64) {
	var gone []*Series
	all, _ := s.table.all()
	for _, sr := range all {
		if sr.expire(before) {
			s.table.remove(sr)
			gone = append(gone, sr)
		}
	}
	if len(gone) > 0 {
		s.index.remove(gone)
		s.series.Add(-int64(len(gone)))
		s.generation.Add(1)
	}
}
