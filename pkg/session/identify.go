package session

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/wire"
)

const (
	// lookTime bounds how long a token is looked at: a key may have to be fetched.
	lookTime = 10 * time.Second
	// heldBack bounds what a client says while its token is looked at, in bytes,
	// beyond the message that brought it.
	heldBack = 64 << 10
)

// shown is what the request for a connection said about who is there.
type shown struct {
	credential string // until hello
	from       auth.Visitor
}

// check is a token that is being looked at. What the client says meanwhile
// waits for its turn, so that answers keep their order and nothing is done for
// somebody who is not known yet.
type check struct {
	cancel context.CancelFunc
	waits  []wire.ClientMessage
	bytes  int // said since
}

// Present says what the request for the connection said about who is there: a
// credential, which counts if hello brings none, and the page. It is called
// before the first Handle, or not at all.
func (c *Client) Present(credential string, from auth.Visitor) {
	c.ops.do(func() {
		if c.hub.guarded() {
			c.shown = &shown{credential: credential, from: from}
		}
	})
}

// guarded reports whether clients have to say who they are.
func (h *Hub) guarded() bool {
	g := h.gate.Load()
	return g != nil && g.Enabled()
}

// wait counts what is said while a token is looked at, in bytes.
func (c *Client) wait(n int) {
	if c.check == nil {
		return
	}
	if c.check.bytes += n; c.check.bytes > heldBack {
		c.finish(&wire.Close{Code: wire.CloseOverloaded, Reason: "too much was said while the token was being looked at"}, true)
	}
}

// identify finds out what a token allows and calls then with it, within ops.
// Where nobody is asked, that is at once. Otherwise it may take a while, in a
// goroutine of its own, and not at all if the connection ends before.
func (c *Client) identify(token string, then func(*auth.Grant, *auth.Error)) {
	if !c.hub.guarded() {
		then(c.hub.everybody, nil)
		return
	}
	ctx, cancel := context.WithTimeout(c.hub.ctx, lookTime)
	k := &check{cancel: cancel}
	c.check = k
	var from auth.Visitor
	if c.shown != nil {
		from = c.shown.from
	}
	c.hub.work.Go(func() {
		defer cancel()
		for settled := false; !settled; {
			gate := c.hub.gate.Load()
			g, refusal := c.hub.ask(ctx, gate, token, from)
			settled = true // if the next panics, too
			//nolint:contextcheck // what waits may bring another token, which has a time of its own
			c.ops.wait(func() { settled = c.identified(k, gate, func() { then(g, refusal) }) })
		}
	})
}

// identified ends a check with what follows from it, and then does what waited.
// It reports false if a reload came in between: the new gate is to be asked.
func (c *Client) identified(k *check, by *auth.Gate, then func()) bool {
	switch {
	case c.over:
		return true
	case c.hub.gate.Load() != by:
		return false
	}
	c.check = nil
	then()
	for _, m := range k.waits {
		c.handle(m)
	}
	return true
}

// ask asks a gate. Whatever happens there costs this client alone.
func (h *Hub) ask(ctx context.Context, gate *auth.Gate, token string, from auth.Visitor) (g *auth.Grant, refusal *auth.Error) {
	defer func() {
		if v := recover(); v != nil {
			h.deps.Log.Error("looking at a token panicked", zap.Any("panic", v), zap.Stack("stack"))
			g, refusal = nil, &auth.Error{Kind: auth.KindUnavailable, Message: "a fault of the server; its log says more"}
		}
	}()
	if gate == nil {
		return h.everybody, nil
	}
	g, err := gate.Identify(ctx, token, from)
	if err != nil {
		return nil, refusalOf(err)
	}
	return g, nil
}

// refusalOf returns the error of a gate as what it is.
func refusalOf(err error) *auth.Error {
	if e, ok := errors.AsType[*auth.Error](err); ok {
		return e
	}
	return &auth.Error{Kind: auth.KindUnavailable, Message: err.Error()}
}

// greet takes a hello.
func (c *Client) greet(m wire.Hello) {
	c.until(time.Time{})
	token := m.Token
	if c.shown != nil {
		if token == "" {
			token = c.shown.credential
		}
		c.shown.credential = ""
	}
	c.identify(token, func(g *auth.Grant, refusal *auth.Error) {
		if refusal != nil {
			c.turnAway(m.ID, refusal)
			return
		}
		c.enter(m, g)
	})
}

// turnAway ends the connection of who is not let in.
func (c *Client) turnAway(id wire.ID, refusal *auth.Error) {
	c.denied(string(refusal.Kind), refusal.Message)
	e, how := unidentified(refusal)
	c.fail(id, "", e)
	c.finish(&wire.Close{Code: how, Reason: refusal.Message}, true)
}

// unidentified turns a gate's refusal into what a client is told, and the code
// to close with if it came with hello.
func unidentified(refusal *auth.Error) (*wire.Error, wire.CloseCode) {
	code, how := wire.CodeUnauthorized, wire.CloseUnauthorized
	switch {
	case refusal.Temporary():
		code, how = wire.CodeUnavailable, wire.CloseUnavailable
	case refusal.Kind == auth.KindOrigin: // good, but not on this page
		code, how = wire.CodeForbidden, wire.CloseForbidden
	}
	return &wire.Error{Code: code, Message: refusal.Message}, how
}

// auth takes a fresh token for a session that goes on.
func (c *Client) auth(m wire.Auth) {
	c.identify(m.Token, func(g *auth.Grant, refusal *auth.Error) {
		switch {
		case refusal != nil:
			c.denied(string(refusal.Kind), refusal.Message)
			e, _ := unidentified(refusal)
			c.fail(m.ID, "", e)
		case g.ID() != c.grant.ID():
			c.deny(m.ID, "", deniedSubject, "token", "it is somebody else's; a session stays with whom it began: connect anew")
		default:
			c.ok(wire.OK{ID: m.ID})
			c.renew(g)
		}
	})
}

// renew makes a grant of the same owner the one that counts. Views that it does
// not allow end.
func (c *Client) renew(g *auth.Grant) {
	if g == c.grant {
		return
	}
	c.grant = g
	c.hub.census.renew(c.session, c, g)
	c.until(g.Expires())
	c.restrain(c.asShown)
}

// lookAgain is how long an expired token may go on being watched with when the
// clock jumps ahead or the machine sleeps: timers notice neither.
const lookAgain = time.Minute

// until lets the connection end at a time, unless it is put off; zero is never.
// There is a timer only for what ends.
func (c *Client) until(end time.Time) {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if end.IsZero() {
		return
	}
	c.timer = time.AfterFunc(min(time.Until(end), lookAgain), func() {
		c.ops.do(func() {
			switch {
			case c.over:
			case c.grant.Expired(time.Now()):
				c.expire()
			default: // renewed meanwhile, or the clock was set back, or it is only time to look
				c.until(c.grant.Expires())
			}
		})
	})
}

// expire ends the connection of who stayed too long.
func (c *Client) expire() {
	c.turnAway("", &auth.Error{Kind: auth.KindExpired, Message: "the token has expired, and no fresh one was said in time"})
}

// SetGate makes g decide who may do what, from now on, and for the sessions
// that are there: those to whom it gives nothing any more are closed. A nil
// gate lets everybody do everything.
func (h *Hub) SetGate(g *auth.Gate) {
	h.gate.Store(g)
	for _, c := range h.all() {
		c.ops.do(c.confirm)
	}
}

// confirm asks the gate there is now about a session that an earlier one let in.
func (c *Client) confirm() {
	if c.over || c.session == nil {
		return
	}
	g, gate := c.hub.everybody, c.hub.gate.Load()
	if gate != nil && gate.Enabled() {
		var err error
		if g, err = gate.Confirm(c.grant); err != nil {
			g = nil
		}
	}
	if g != nil && g.ID() == c.grant.ID() && g.Form() == c.grant.Form() {
		c.renew(g)
		return
	}
	// What the client holds may well be good; only it can say it again.
	c.finish(&wire.Close{Code: wire.CloseAccessChanged, Reason: "the rules of access changed; come back and say who you are"}, true)
}

// denied counts and logs a refusal.
func (c *caller) denied(reason, why string) {
	c.hub.Denied(reason)
	who := ""
	if c.grant != nil {
		who = c.grant.Name()
	}
	c.hub.quiet.Write(zap.WarnLevel, "denied "+reason, "access refused", zap.String("reason", reason), zap.String("why", why), zap.String("who", who),
		zap.String("from", c.peer.Address), zap.String("origin", c.peer.Origin))
}

// Denied counts something that was refused for who asked it, by a reason out of
// the kinds of package auth and the words of this program.
func (h *Hub) Denied(reason string) { h.metrics.denied.WithLabelValues(reason).Inc() }

// deny refuses a request that its sender has no right to.
func (c *Client) deny(id wire.ID, v, reason, field, message string) {
	c.denied(reason, message)
	c.refuse(id, v, wire.CodeForbidden, field, message)
}

// User returns who has the session, as the section auth of the configuration
// knows them: "token:wall", "jwt:alice". It is empty where nobody is asked.
func (s *Session) User() string {
	s.hub.census.mu.Lock()
	defer s.hub.census.mu.Unlock()
	return userOf(s.grant)
}

// userOf returns who a grant belongs to, "" if nobody was asked.
func userOf(g *auth.Grant) string {
	if g.Form() == auth.FormOpen {
		return ""
	}
	return g.ID()
}
