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
	for i := range s.shards {
		sh := &s.shards[i]
		for _, sr := range sh.all() {
			held, dropped := sr.expire(before)
			sh.held.Add(int64(held))
			if dropped {
				sh.remove(sr)
				gone = append(gone, sr)
			}
		}
	}
	if len(gone) > 0 {
		s.index.remove(gone)
		s.series.Add(-int64(len(gone)))
		s.generation.Add(1)
	}
}

// all returns a copy of what the shard holds.
func (sh *shard) all() []*Series {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	out := make([]*Series, 0, len(sh.series))
	for _, list := range sh.series {
		out = append(out, list...)
	}
	return out
}
