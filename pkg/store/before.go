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
