package webhook

import (
	"sync"
	"time"
)

// How a breaker behaves.
const (
	breakerFailures = 5                // in a row open it
	breakerOpen     = 10 * time.Second // until one request tries again
)

// state is what a breaker lets through. It is a metric's value.
type state int

// The states.
const (
	stateClosed state = iota // everything
	stateHalf                // one request, which decides
	stateOpen                // nothing
)

// verdict is what one request says about the server.
type verdict int

// The verdicts.
const (
	verdictGood verdict = iota // it answered
	verdictBad                 // it did not, or said that it cannot
	verdictNone                // nobody waited for it
)

// breaker leaves a server alone that fails. It is safe for concurrent use.
type breaker struct {
	open    time.Duration
	changed func(state) // called under the lock; it must not block

	mu       sync.Mutex
	state    state
	failures int // in a row
	until    time.Time
}

// enter lets a request through, which then must call leave, or says how long it
// is until the next may try.
func (b *breaker) enter() (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.state {
	case stateHalf:
		return 0, false
	case stateOpen:
		if wait := time.Until(b.until); wait > 0 {
			return wait, false
		}
		b.become(stateHalf)
	}
	return 0, true
}

// leave takes what a request that was let through has found.
func (b *breaker) leave(v verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case v == verdictGood:
		b.failures = 0
		if b.state != stateClosed {
			b.become(stateClosed)
		}
	case v == verdictNone:
		if b.state == stateHalf { // nothing was found out: the next one tries
			b.until = time.Now()
			b.become(stateOpen)
		}
	case b.state == stateOpen: // a request from before
	default:
		b.failures++
		if b.state == stateHalf || b.failures >= breakerFailures {
			b.until = time.Now().Add(b.open)
			b.become(stateOpen)
		}
	}
}

func (b *breaker) become(s state) {
	b.state = s
	b.changed(s)
}
