package ticker

import "sync"

// command is something that a loop is asked to do.
type command struct {
	// do runs in the loop.
	do func()
	// drop, if not nil, is called instead when the loop stops first; in any
	// goroutine.
	drop func()
}

// mailbox is how others talk to a loop. Putting never blocks; how much can
// wait is bounded by the callers: each session has few commands under way.
type mailbox struct {
	wake chan struct{} // holds one token while there is something to take

	mu     sync.Mutex
	queue  []command
	closed bool
}

func newMailbox() mailbox { return mailbox{wake: make(chan struct{}, 1)} }

// put leaves a command for the loop, or drops it if the loop has stopped.
func (m *mailbox) put(c command) {
	m.mu.Lock()
	closed := m.closed
	if !closed {
		m.queue = append(m.queue, c)
	}
	m.mu.Unlock()
	if closed {
		if c.drop != nil {
			c.drop()
		}
		return
	}
	m.nudge()
}

// nudge wakes the loop.
func (m *mailbox) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// take returns what was put since the last time; spare is a slice to use for
// what comes next.
func (m *mailbox) take(spare []command) []command {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queue
	m.queue = spare[:0]
	return q
}

// close drops what is there and everything that comes later.
func (m *mailbox) close() {
	m.mu.Lock()
	m.closed = true
	rest := m.queue
	m.queue = nil
	m.mu.Unlock()
	for _, c := range rest {
		if c.drop != nil {
			c.drop()
		}
	}
}
