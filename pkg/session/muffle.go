package session

import (
	"sync"
	"time"
)

// quiet is the least time between two log lines about the same.
const quiet = time.Minute

// muffler keeps what fails at every tick from filling the log. Its keys are
// made of the names of charts and words of this package.
type muffler struct {
	mu    sync.Mutex
	heard map[string]*heard
}

type heard struct {
	at     time.Time
	silent int
}

// pass reports whether something is to be logged now, and how many like it
// were not since the last time.
func (m *muffler) pass(key string) (unlogged int, ok bool) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.heard[key]
	switch {
	case h == nil:
		if m.heard == nil {
			m.heard = map[string]*heard{}
		}
		m.heard[key] = &heard{at: now}
		return 0, true
	case now.Sub(h.at) < quiet:
		h.silent++
		return 0, false
	}
	unlogged = h.silent
	*h = heard{at: now}
	return unlogged, true
}
