package session

import (
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// change gives a subscription another view, or pauses it, or wakes it up. ok is
// called with the subscription as it is then, before the first frame of what
// is new. push, if not nil, makes what to push to it. After an error nothing
// has changed.
func (c *Client) change(s *sub, v plotting.View, paused bool, ok func(*sub), push func(*sub) *ticker.Push) *wire.Error {
	if other := c.watching(v); other != nil && other != s {
		return c.join(s, other, paused, ok, push)
	}
	moved := v != s.view
	id := s.id
	if moved {
		delete(c.subs, s.id) // a view may well go back to its own id
		id = c.freeID(v)
		c.subs[s.id] = s
	}
	var lease *ticker.Lease // a new one, if there has to be
	if !paused && (moved || s.lease == nil) {
		var err *wire.Error
		if lease, err = c.lease(s.lease, ticker.Key{View: v, ID: id}); err != nil {
			return err
		}
	}
	if moved || paused {
		c.unwatch(s, !moved) // a view that was moved away from is rarely asked for again
	}
	if moved {
		delete(c.subs, s.id)
		s.id, s.view, s.held = id, v, wire.Pos{}
		c.subs[id] = s
	}
	s.paused = paused
	ok(s)
	switch {
	case s.lease == nil: // moved, paused or woken up
		c.watch(s, lease, pushing(s, push))
	case push != nil:
		s.lease.Push(*push(s))
	}
	return nil
}

// join lets a subscription become another one, which has the view already.
func (c *Client) join(s, other *sub, paused bool, ok func(*sub), push func(*sub) *ticker.Push) *wire.Error {
	return c.repeat(other, s.lease, s.events, paused, wire.Pos{}, func(other *sub) {
		c.drop(s)
		ok(other)
	}, push)
}

// repeat makes a subscription what a second sub, or one that joins it, asks
// for. After ok, the client is sent what leads from pos to the newest frame.
// instead, if not nil, is a lease that ok gives back. After an error nothing has
// changed.
func (c *Client) repeat(s *sub, instead *ticker.Lease, events, paused bool, pos wire.Pos, ok func(*sub), push func(*sub) *ticker.Push) *wire.Error {
	var lease *ticker.Lease
	if !paused && s.lease == nil {
		var err *wire.Error
		if lease, err = c.lease(instead, ticker.Key{View: s.view, ID: s.id}); err != nil {
			return err
		}
	}
	if paused {
		c.unwatch(s, true)
	}
	s.events, s.paused = events, paused
	ok(s)
	if s.lease == nil { // paused or woken up
		s.held = pos
		c.watch(s, lease, pushing(s, push))
		return nil
	}
	c.out.rewind(s.slot, pos)
	s.lease.Events(events)
	if push == nil {
		s.lease.Resend()
		return nil
	}
	p := push(s)
	p.Again = true
	s.lease.Push(*p)
	return nil
}

// push pushes to a subscription. While it is paused, there is no frame, but
// still what stands around it.
func (c *Client) push(s *sub, p *ticker.Push) {
	switch {
	case p == nil:
	case s.lease != nil:
		s.lease.Push(*p)
	default:
		c.out.send(p.Before...)
		c.out.send(p.After...)
		p.Offered()
	}
}

// watch begins to watch with a lease, nil if the subscription is paused.
func (c *Client) watch(s *sub, lease *ticker.Lease, p *ticker.Push) {
	if lease == nil {
		c.push(s, p)
		return
	}
	s.lease, s.slot = lease, c.out.slot(s.held)
	lease.Watch(s.slot, s.events, p)
}

// unwatch stops watching. The subscription stays. The loop lingers if it may
// soon be watched again.
func (c *Client) unwatch(s *sub, linger bool) {
	if s.lease == nil {
		return
	}
	s.lease.Release(linger)
	s.held = c.out.forget(s.slot)
	s.lease, s.slot = nil, nil
}

// drop ends a subscription.
func (c *Client) drop(s *sub) {
	c.unwatch(s, true)
	s.gone = true
	delete(c.subs, s.id)
	c.hub.metrics.subscriptions.Dec()
}

func pushing(s *sub, push func(*sub) *ticker.Push) *ticker.Push {
	if push == nil {
		return nil
	}
	return push(s)
}
