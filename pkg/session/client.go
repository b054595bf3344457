package session

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/wire"
)

// badMessages is how many bad messages a connection may send beyond the good
// ones before it is closed.
const badMessages = 32

// Client is one connection of a session.
type Client struct {
	caller
	out outbox
	ops serial // guards all that follows, and the caller's grant

	session *Session // nil before hello
	shown   *shown   // nil where nobody is asked
	check   *check   // nil if no token is being looked at
	subs    map[string]*sub
	over    bool
	// allowance is of messages.
	allowance bucket
	bad       int         // bad messages, less the good ones
	timer     *time.Timer // ends the connection: without a hello, or with the grant
}

func newClient(h *Hub, conn Conn, peer Peer) *Client {
	c := &Client{caller: caller{hub: h, peer: peer}}
	c.out.conn, c.out.post, c.out.owner = conn, &h.post, c
	c.ops.caught = func(v any) {
		h.deps.Log.Error("handling a client panicked", zap.Any("panic", v), zap.Stack("stack"))
		c.hub.work.Go(func() {
			c.end(&wire.Close{Code: wire.CloseInternal, Reason: "a fault of the server; its log says more"}, false)
		})
	}
	return c
}

// awaitHello closes the connection if it says no hello in time.
func (c *Client) awaitHello() {
	c.ops.do(func() {
		if c.over {
			return
		}
		c.timer = time.AfterFunc(c.hub.cfg.HelloTimeout.Std(), func() {
			c.ops.do(func() {
				if c.session == nil && c.check == nil {
					c.finish(&wire.Close{Code: wire.CloseHelloTimeout, Reason: "no hello within " + c.hub.cfg.HelloTimeout.String()}, false)
				}
			})
		})
	})
}

// Handle takes one message of the client. It is called by the connection's
// reader, one at a time, and does not keep b. It does not block.
func (c *Client) Handle(b []byte) {
	limits := wire.DefaultLimits()
	limits.Bytes = math.MaxInt // who read it has bounded it
	ms, err := wire.ParseClient(b, limits)
	c.ops.do(func() {
		c.wait(len(b))
		if err != nil {
			e, ok := errors.AsType[*wire.Error](err)
			if !ok {
				e = &wire.Error{Code: wire.CodeBadMessage, Message: err.Error()}
			}
			c.handle(wire.Invalid{Err: e})
		}
		for _, m := range ms {
			c.handle(m)
		}
	})
}

// Ready says that the connection took all that a full Write left with it, or,
// with an error, that it is broken; see Conn.
func (c *Client) Ready(err error) { c.out.ready(err) }

// Gone says that the connection is over; err says why, nil if the client said
// goodbye. The session waits to be resumed. A second call does nothing.
func (c *Client) Gone(err error) {
	reason := "gone"
	how, ok := errors.AsType[wire.Close](err)
	if ok {
		reason = how.Code.String()
	}
	c.ops.do(func() {
		if ok && !c.over {
			c.noteClose(&how)
		}
		c.leave(reason)
		c.out.end(nil, false)
	})
}

// end closes the connection with how; flush sends first what waits.
func (c *Client) end(how *wire.Close, flush bool) {
	c.ops.do(func() { c.finish(how, flush) })
}

// failed ends a connection that cannot be written to, for a reason: a
// wire.Close, or the error of a write.
func (c *Client) failed(reason error) {
	how, ok := errors.AsType[wire.Close](reason)
	switch {
	case ok:
	case errors.Is(reason, os.ErrDeadlineExceeded):
		how = wire.Close{Code: wire.CloseSlowWrite, Reason: "a write took too long; the client reads too slowly"}
	default: // the connection broke; its reader will notice, too
		c.ops.do(func() {
			c.leave("gone")
			c.out.end(&wire.Close{Code: wire.CloseInternal, Reason: "writing failed"}, false)
		})
		return
	}
	c.end(&how, false)
}

// finish is end within ops.
func (c *Client) finish(how *wire.Close, flush bool) {
	if !c.over {
		c.noteClose(how)
	}
	c.leave(how.Code.String())
	c.out.end(how, flush)
}

// leave gives up what the connection holds, for a reason as it is counted.
func (c *Client) leave(reason string) {
	if c.over {
		return
	}
	c.over = true
	c.hub.disconnect(c)
	c.until(time.Time{})
	if c.check != nil {
		c.check.cancel()
		c.check = nil
	}
	for _, s := range c.subs {
		s.gone = true
		if s.lease != nil {
			s.lease.Release(true) // what waits in its slot may still be written
			s.lease = nil
		}
	}
	c.hub.metrics.subscriptions.Sub(float64(len(c.subs)))
	c.subs = nil
	if c.session != nil {
		c.hub.census.detach(c.session, c)
	}
	c.hub.metrics.closed.WithLabelValues(reason).Inc()
}

// handle carries out one message.
func (c *Client) handle(m wire.ClientMessage) {
	if c.over {
		return
	}
	if c.check != nil {
		c.check.waits = append(c.check.waits, m)
		return
	}
	if c.session != nil && c.grant.Expired(time.Now()) { // the clock went ahead of the timer
		c.expire()
		return
	}
	if !c.spend(m) {
		return
	}
	if inv, ok := m.(wire.Invalid); ok {
		c.invalid(inv)
		return
	}
	c.bad = max(0, c.bad-1)
	hello, isHello := m.(wire.Hello)
	switch {
	case isHello && c.session == nil:
		c.greet(hello)
		return
	case isHello:
		c.refuse(m.RequestID(), "", wire.CodeOutOfOrder, "", "hello is said once, at the start")
		return
	case c.session == nil:
		c.refuse(m.RequestID(), "", wire.CodeOutOfOrder, "", `say {"t":"hello"} first`)
		c.finish(&wire.Close{Code: wire.CloseProtocol, Reason: "the first message was no hello"}, true)
		return
	}
	switch m := m.(type) {
	case wire.Sub:
		c.subscribe(m)
	case wire.Unsub:
		c.unsubscribe(m)
	case wire.Set:
		c.set(m)
	case wire.Resync:
		c.resync(m)
	case wire.Callback:
		c.callback(m)
	case wire.Auth:
		c.auth(m)
	case wire.Ping:
		c.ok(wire.OK{ID: m.ID})
	default:
		c.refuse(m.RequestID(), "", wire.CodeInternal, "", fmt.Sprintf("%T is not handled", m))
	}
}

// enter gives the connection its session.
func (c *Client) enter(m wire.Hello, g *auth.Grant) {
	s, resumed, old, err := c.hub.census.attach(c, m.Session, g)
	if how, refused := errors.AsType[wire.Close](err); refused {
		c.finish(&how, true)
		return
	}
	c.session, c.grant = s, g
	if len(g.Origins()) == 0 {
		c.shown = nil // no renewal asks again from where
	}
	c.until(g.Expires())
	result := "new"
	switch {
	case resumed:
		result = "resumed"
	case m.Session != "":
		result = "unknown"
	}
	c.hub.metrics.hellos.WithLabelValues(result).Inc()
	c.out.send(wire.Encode(wire.Welcome{Session: s.token, Resumed: resumed, Server: c.hub.deps.Server}))
	if old != nil && old != c {
		old.end(&wire.Close{Code: wire.CloseReplaced, Reason: "another connection resumed this session"}, false)
	}
}

// invalid answers a message that cannot be used, and ends the connection of
// who sends nothing else.
func (c *Client) invalid(m wire.Invalid) {
	c.out.send(wire.Encode(wire.Failure{ID: m.ID, Err: m.Err}))
	if m.Err.Code != wire.CodeBadMessage {
		return
	}
	if c.bad++; c.bad >= badMessages {
		c.finish(&wire.Close{Code: wire.CloseProtocol, Reason: "bad messages over and over"}, true)
	}
}

// ok answers a request, if it wants to be answered.
func (c *Client) ok(m wire.OK) {
	if m.ID != "" {
		c.out.send(wire.Encode(m))
	}
}

// refuse answers a request with an error.
func (c *Client) refuse(id wire.ID, v string, code wire.ErrorCode, field, message string) {
	c.fail(id, v, &wire.Error{Code: code, Field: field, Message: message})
}

func (c *Client) fail(id wire.ID, v string, err *wire.Error) {
	c.noteRefusal(err)
	c.out.send(wire.Encode(wire.Failure{ID: id, V: v, Err: err}))
}
