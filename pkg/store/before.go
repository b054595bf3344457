package store

// Before returns the newest sample that is older than t (ms since the Unix
// epoch); ok is false if there is none. It costs a binary search.
func (s *Series) Before(t int64) (last Sample, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.w
	if w.n == 0 || w.oldest().T >= t {
		return Sample{}, false
	}
	i := w.find(t) // its last sample is not before t, or there is no such block
	if i > len(w.sealed) {
		return w.newest(), true
	}
	b := w.block(i)
	if k := search(b, t); k > 0 {
		return b[k-1], true
	}
	b = w.block(i - 1)
	return b[len(b)-1], true
}

// After returns the oldest sample that is newer than t (ms since the Unix
// epoch); ok is false if there is none. It costs a binary search.
func (s *Series) After(t int64) (first Sample, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.w
	if w.n == 0 || w.newest().T <= t {
		return Sample{}, false
	}
	t = max(t, w.oldest().T-1)  // a block may have older ones that have left
	b := w.block(w.find(t + 1)) // its last sample is newer than t
	return b[search(b, t+1)], true
}
