package session

import "github.com/chartd/chartd/pkg/wire"

// refusal is an error that is the client's own doing, and no handler's.
type refusal struct{ err *wire.Error }

// Error implements error.
func (r *refusal) Error() string { return r.err.Error() }

// OfView reports whether the argument itself spells out a change of the view, as
// {"view":{"window":"1h"}} does: what a viewer does to a chart by hand. The
// change is made when the handler is asked; an error of the handler takes it
// back.
func (c *Call) OfView() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.turned
}

// turn changes the view as the argument of a client's callback says, if that
// has the form {"view":{…}}, and reports whether it has.
func (c *Call) turn() (bool, error) {
	if c.cause != CauseClient {
		return false, nil
	}
	change, ok, failure := wire.ViewArg(c.arg)
	if failure != nil {
		return false, &refusal{failure}
	}
	if !ok {
		return false, nil
	}
	if err := c.Set(change); err != nil {
		failure = badView(err)
		failure.Field = "arg." + failure.Field
		return false, &refusal{failure}
	}
	c.mu.Lock()
	c.turned = true
	c.mu.Unlock()
	return true, nil
}
