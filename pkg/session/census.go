package session

import (
	"container/list"
	"crypto/rand"
	"sync"
	"time"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/wire"
)

// census knows all sessions: those with a connection, and those that wait to
// be resumed.
type census struct {
	hub        *Hub
	max        int // sessions in all
	perAddress int
	ttl        time.Duration

	mu        sync.Mutex
	sessions  map[string]*Session // by token
	addresses map[string]*address
	links     map[string]int // connected sessions, by the id of their link
	waiting   list.List      // of *Session, the longest waiting first
	closed    bool
}

// address is one client address and the sessions it has.
type address struct {
	sessions int
	waiting  list.List // of *Session, the longest waiting first
}

func newCensus(h *Hub, cfg Config) *census {
	return &census{
		hub: h, max: cfg.MaxSessions, perAddress: cfg.MaxSessionsPerAddress, ttl: cfg.TTL.Std(),
		sessions: map[string]*Session{}, addresses: map[string]*address{}, links: map[string]int{},
	}
}

// attach gives a connection the session with this token, or a new one: nobody
// but its owner can resume a session. old is the connection that had the
// session until now. The error is a wire.Close.
func (n *census) attach(c *Client, token string, g *auth.Grant) (s *Session, resumed bool, old *Client, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, false, nil, wire.Close{Code: wire.CloseShutdown, Reason: "shutting down"}
	}
	if s = n.sessions[token]; s != nil && s.grant.ID() == g.ID() {
		if s.client == nil {
			if err := n.admit(g); err != nil {
				return nil, false, nil, err
			}
		}
		old, s.client, s.grant = s.client, c, g
		if old == nil {
			n.awake(s)
			n.hub.metrics.connected.Inc()
		}
		if s.peer.Address != c.peer.Address { // a phone that changed its network
			n.leave(s)
			s.peer = c.peer
			n.enter(s)
		}
		s.peer = c.peer
		return s, true, old, nil
	}
	if err := n.admit(g); err != nil {
		return nil, false, nil, err
	}
	if err := n.makeRoom(c.peer.Address); err != nil {
		n.release(g)
		return nil, false, nil, err
	}
	s = &Session{hub: n.hub, token: rand.Text(), name: rand.Text()[:8], client: c, peer: c.peer, grant: g}
	n.sessions[s.token] = s
	n.enter(s)
	n.hub.metrics.connected.Inc()
	return s, false, nil, nil
}

// makeRoom refuses a session beyond the limits, unless one that waits can give
// way.
func (n *census) makeRoom(from string) error {
	if a := n.addresses[from]; a != nil && a.sessions >= n.perAddress {
		oldest := a.waiting.Front()
		if oldest == nil {
			n.hub.metrics.refuse(limitAddress)
			return wire.Close{Code: wire.CloseOverloaded, Reason: "as many sessions from this address as session.max_sessions_per_address allows"}
		}
		n.remove(oldest.Value.(*Session))
	}
	if len(n.sessions) >= n.max {
		oldest := n.waiting.Front()
		if oldest == nil {
			n.hub.metrics.refuse(limitSessions)
			return wire.Close{Code: wire.CloseOverloaded, Reason: "as many sessions as session.max_sessions allows"}
		}
		n.remove(oldest.Value.(*Session))
	}
	return nil
}

// detach says that the session's connection is over. Another connection may
// have taken the session since.
func (n *census) detach(s *Session, c *Client) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.client != c {
		return
	}
	s.client, s.since = nil, time.Now()
	n.release(s.grant)
	n.hub.metrics.connected.Dec()
	n.hub.metrics.waiting.Inc()
	s.waiting = n.waiting.PushBack(s)
	if a := n.addresses[s.peer.Address]; a != nil {
		s.nearby = a.waiting.PushBack(s)
	}
	if n.closed || n.ttl <= 0 {
		n.remove(s)
		return
	}
	s.expiry = time.AfterFunc(n.ttl, func() { n.expire(s) })
}

// admit counts one more session of a link, unless that would be too many. mu is
// held.
func (n *census) admit(g *auth.Grant) error {
	if g.Form() != auth.FormLink {
		return nil
	}
	if most := g.MaxSessions(); most > 0 && n.links[g.ID()] >= most {
		n.hub.metrics.refuse(limitLink)
		return wire.Close{Code: wire.CloseOverloaded, Reason: "as many sessions have this link as it was signed for"}
	}
	n.links[g.ID()]++
	return nil
}

// release takes a session from its link's count. mu is held.
func (n *census) release(g *auth.Grant) {
	if g.Form() != auth.FormLink {
		return
	}
	if n.links[g.ID()]--; n.links[g.ID()] <= 0 {
		delete(n.links, g.ID())
	}
}

// linked reports whether any session has a link.
func (n *census) linked() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.links) > 0
}

// renew gives a session a grant of the same owner, if the connection still has
// the session.
func (n *census) renew(s *Session, c *Client, g *auth.Grant) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.client == c {
		s.grant = g
	}
}

// expire ends a session that waited long enough.
func (n *census) expire(s *Session) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.waiting != nil && time.Since(s.since) >= n.ttl {
		n.remove(s)
	}
}

// awake ends the waiting of a session. mu is held, as in all that follows.
func (n *census) awake(s *Session) {
	if s.waiting == nil {
		return
	}
	n.waiting.Remove(s.waiting)
	if a := n.addresses[s.peer.Address]; a != nil && s.nearby != nil {
		a.waiting.Remove(s.nearby)
	}
	s.waiting, s.nearby = nil, nil
	n.hub.metrics.waiting.Dec()
	if s.expiry != nil {
		s.expiry.Stop()
		s.expiry = nil
	}
}

// remove forgets a session that waits.
func (n *census) remove(s *Session) {
	n.awake(s)
	n.leave(s)
	delete(n.sessions, s.token)
}

// enter counts a session at its address.
func (n *census) enter(s *Session) {
	if s.peer.Address == "" {
		return
	}
	a := n.addresses[s.peer.Address]
	if a == nil {
		a = &address{}
		n.addresses[s.peer.Address] = a
	}
	a.sessions++
}

// leave takes a session from its address's count.
func (n *census) leave(s *Session) {
	a := n.addresses[s.peer.Address]
	if a == nil {
		return
	}
	if a.sessions--; a.sessions == 0 {
		delete(n.addresses, s.peer.Address)
	}
}

// close ends all sessions that wait; those with a connection end with it.
func (n *census) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for n.waiting.Front() != nil {
		n.remove(n.waiting.Front().Value.(*Session))
	}
}

// count returns how many sessions there are.
func (n *census) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.sessions)
}
