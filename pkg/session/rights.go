package session

import (
	"fmt"
	"reflect"
	"time"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// Why somebody who is known is refused, as it is counted.
const (
	deniedRead     = "read"
	deniedCallback = "callback"
	deniedView     = "view"
	deniedSubject  = "subject"
)

// caller is who asks for something, through a connection or without one.
type caller struct {
	hub   *Hub
	peer  Peer
	grant *auth.Grant // nil before hello
}

// mayRead refuses a request for a chart that its sender may not watch. The
// answer is the same whether there is such a chart or not.
func (c *Client) mayRead(id wire.ID, chart string) bool {
	if c.grant.MayRead(chart) {
		return true
	}
	c.deny(id, "", deniedRead, "chart", fmt.Sprintf("no right to watch chart %q", chart))
	return false
}

// mayCall refuses a callback to whom it is not allowed.
func (c *Client) mayCall(id wire.ID, s *sub) bool {
	if c.grant.MayCall(s.view.Chart) {
		return true
	}
	c.deny(id, s.id, deniedCallback, "", fmt.Sprintf("no right to raise callbacks of chart %q", s.view.Chart))
	return false
}

// first returns what the caller sees of a chart before it asks for anything.
func (c *caller) first(spec *plotting.Spec, chart string) (plotting.View, *wire.Error) {
	v, err := c.grant.View(spec, chart)
	if err != nil {
		return v, c.beyond(&wire.Error{Code: wire.CodeForbidden, Message: err.Error()})
	}
	return v, nil
}

// alter returns a view changed as c asks, within what the caller may see.
func (c *caller) alter(spec *plotting.Spec, v plotting.View, ch plotting.Change) (plotting.View, *wire.Error) {
	next, err := c.grant.Change(spec, v, ch, time.Now())
	if err != nil {
		e := badView(err)
		if _, own := spec.Change(v, ch); own == nil { // the chart has nothing against it
			e.Code = wire.CodeForbidden
			return v, c.beyond(e)
		}
		return v, e
	}
	if c.grant.Form() == auth.FormLink { // what others chose is laid over it
		if e := c.fits(spec, c.hub.Shared(next)); e != nil {
			return v, c.beyond(e)
		}
	}
	return next, nil
}

// fits returns an error if a view shows more than the caller may see.
func (c *caller) fits(spec *plotting.Spec, v plotting.View) *wire.Error {
	if c.grant.Form() != auth.FormLink { // only links have limits
		return nil
	}
	if err := c.grant.Fit(spec, v, time.Now()); err != nil {
		e := badView(err)
		e.Code = wire.CodeForbidden
		return e
	}
	return nil
}

// beyond counts what a link does not allow.
func (c *caller) beyond(e *wire.Error) *wire.Error {
	c.denied(deniedView, e.Error())
	return e
}

// restrain ends the subscriptions to what the client may not see any more, or
// would not in the view that next returns.
func (c *Client) restrain(next func(*sub) (plotting.View, bool)) {
	for _, s := range c.subs {
		v, affected := next(s)
		if !affected {
			continue
		}
		e := c.fits(s.spec, v)
		if !c.grant.MayRead(s.view.Chart) {
			e = &wire.Error{Code: wire.CodeForbidden, Message: fmt.Sprintf("no right to watch chart %q any more", s.view.Chart)}
		}
		if e != nil {
			c.denied(deniedRead, e.Message)
			c.drop(s)
			c.fail("", s.id, e)
		}
	}
}

// asShown is what restrain is given to look at everything as it is.
func (c *Client) asShown(s *sub) (plotting.View, bool) { return c.hub.Shared(s.view), true }

// beforeShare ends the subscriptions of links to a chart that would show them
// more than they allow if a change were laid over all its views, as it will be.
func (h *Hub) beforeShare(spec *plotting.Spec, chart string, delta plotting.Change) {
	if !h.census.linked() || reflect.ValueOf(delta).IsZero() {
		return
	}
	for _, c := range h.all() {
		c.ops.do(func() {
			if c.over || c.session == nil {
				return
			}
			c.restrain(func(s *sub) (plotting.View, bool) {
				if s.view.Chart != chart {
					return s.view, false
				}
				// Should this run late, when the change is laid over the view already,
				// it is the same view, and still must fit.
				v, d := h.Shared(s.view), delta
				if d.Reset {
					v, d.Reset = s.view, false
				}
				v, err := spec.Change(v, d)
				return v, err == nil
			})
		})
	}
}

// afterShare looks again at what links show of a chart when a change was laid
// over its views: a subscription may have begun while it was.
func (h *Hub) afterShare(chart string) {
	if !h.census.linked() {
		return
	}
	for _, c := range h.all() {
		c.ops.do(func() {
			if !c.over && c.session != nil {
				c.restrain(func(s *sub) (plotting.View, bool) {
					if s.view.Chart != chart {
						return s.view, false
					}
					return h.Shared(s.view), true
				})
			}
		})
	}
}
