package session

import (
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/headroom"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// saved is how many seconds' worth of messages a client that was silent may send
// at once: a page that comes back subscribes to all its charts.
const saved = 4

// crowd is how many views a session may begin at once: a page begins with all its
// charts, but hundreds would be felt by others.
const crowd = 64

// refusalLines is how many refusals for the same reason the log has of a second;
// of the others it has the number.
const refusalLines = 3

// spend takes a message from the connection's allowance, or refuses it. Those
// that are refused count, too: who owes as much as can be saved is closed.
func (c *Client) spend(m wire.ClientMessage) bool {
	rate := float64(c.hub.cfg.MessagesPerSecond)
	left := c.allowance.owe(time.Now(), rate, saved*rate)
	if left >= 0 {
		return true
	}
	c.hub.metrics.refuse(limitMessages)
	if left <= -saved*rate {
		c.finish(&wire.Close{Code: wire.CloseFlood, Reason: "message upon message, after they were refused (session.messages_per_second)"}, true)
		return false
	}
	c.refuse(m.RequestID(), viewOf(m), wire.CodeRateLimited, "", fmt.Sprintf(
		"over %d messages in a second (session.messages_per_second); come back in %v", c.hub.cfg.MessagesPerSecond, c.allowance.wait(rate),
	))
	return false
}

// viewOf returns the id of the view that a message is about, "" if it names none.
func viewOf(m wire.ClientMessage) string {
	switch m := m.(type) {
	case wire.Unsub:
		return m.V
	case wire.Set:
		return m.V
	case wire.Resync:
		return m.V
	case wire.Callback:
		return m.V
	}
	return ""
}

// lease takes a lease of a view, in the place of another one that the client is
// about to give back; nil is none. A view that is not drawn yet costs more than
// anything else a client can ask for: how many it may begin is bounded.
func (c *Client) lease(instead *ticker.Lease, k ticker.Key) (*ticker.Lease, *wire.Error) {
	if !c.hub.pool.Runs(k) {
		if err := c.afford(); err != nil {
			return nil, err
		}
	}
	lease, err := c.hub.pool.Exchange(instead, k)
	if err != nil {
		return nil, c.noLease(k.View.Chart, err)
	}
	return lease, nil
}

// afford refuses to begin a view if there is no room, or if the session has begun
// too many.
func (c *Client) afford() *wire.Error {
	if c.hub.deps.Memory.Level() >= headroom.Tight {
		c.hub.metrics.refuse(limitMemory)
		return &wire.Error{Code: wire.CodeOverloaded, Message: "the server's memory is nearly full (GOMEMLIMIT); it begins no new views at the moment"}
	}
	most := c.hub.cfg.NewViewsPerMinute
	s := c.session
	s.mu.Lock()
	ok := s.begun.take(time.Now(), float64(most)/60, float64(min(most, crowd)))
	wait := s.begun.wait(float64(most) / 60)
	s.mu.Unlock()
	if !ok {
		c.hub.metrics.refuse(limitNewViews)
		return &wire.Error{Code: wire.CodeRateLimited, Message: fmt.Sprintf("over %d new views in a minute (session.new_views_per_minute); come back in %v", most, wait)}
	}
	return nil
}

// refusals are the errors that mean that a client asked for too much; the others
// are slips, and no business of the log.
func refusals() []wire.ErrorCode {
	return []wire.ErrorCode{wire.CodeTooManyViews, wire.CodeOverloaded, wire.CodeBusy, wire.CodeRateLimited}
}

// noteRefusal logs an error that is a refusal.
func (c *Client) noteRefusal(err *wire.Error) {
	if slices.Contains(refusals(), err.Code) {
		c.hub.quiet.Write(zap.WarnLevel, string(err.Code), "message refused",
			zap.String("reason", string(err.Code)), zap.String("why", err.Message), zap.String("session", c.name()), zap.String("from", c.peer.Address))
	}
}

// noteClose logs that a client was sent away for something that it did, or that
// is lacking here.
func (c *Client) noteClose(how *wire.Close) {
	switch how.Code {
	case wire.CloseSlowQueue, wire.CloseSlowWrite, wire.CloseOverloaded, wire.CloseHelloTimeout, wire.CloseFlood, wire.CloseSlowMessage, wire.CloseProtocol:
		c.hub.quiet.Write(zap.WarnLevel, "close "+how.Code.String(), "connection closed",
			zap.String("reason", how.Code.String()), zap.String("why", how.Reason), zap.String("session", c.name()), zap.String("from", c.peer.Address))
	}
}

// name returns the session's name, "" before hello.
func (c *Client) name() string {
	if c.session == nil {
		return ""
	}
	return c.session.name
}
