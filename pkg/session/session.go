package session

import (
	"container/list"
	"sync"
	"time"

	"github.com/chartd/chartd/pkg/auth"
)

// Session is one client across its connections. Handlers may keep values in
// it, which live as long as the session.
type Session struct {
	hub    *Hub
	token  string // a secret
	name   string
	values Values

	// Guarded by census.mu.
	client  *Client // nil while it waits to be resumed
	peer    Peer
	grant   *auth.Grant   // the newest that its owner showed
	since   time.Time     // when it began to wait
	waiting *list.Element // in census.waiting
	nearby  *list.Element // in address.waiting
	expiry  *time.Timer

	mu      sync.Mutex
	calls   []request // callbacks that wait
	working bool      // a goroutine runs them
	rate    bucket    // of callbacks
	begun   bucket    // of views
}

// Name returns a short name for logs. It is not the token.
func (s *Session) Name() string { return s.name }

// Peer returns who is, or last was, at the other end.
func (s *Session) Peer() Peer {
	s.hub.census.mu.Lock()
	defer s.hub.census.mu.Unlock()
	return s.peer
}

// Values returns the session's values.
func (s *Session) Values() *Values { return &s.values }
