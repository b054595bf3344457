package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// Cause says who raised a callback.
type Cause = wire.Cause

// The causes.
const (
	CauseTick   = wire.CauseTick
	CauseClient = wire.CauseClient
)

// ErrOver is what a Call answers changes with when its callback is over.
var ErrOver = errors.New("the callback is over; it overran its time, or has returned")

// MaxReply bounds what a handler replies, in bytes of JSON.
const MaxReply = 64 << 10

// Call is one run of a callback: what a handler is told, and its handle on the
// chart. It is safe for concurrent use. When the callback is over, because the
// handler returned or overran its time, changes are refused with ErrOver.
//
// Changes of the view are collected and take effect together when the handler
// returns nil or ErrNotHandled; after an error none of them does. On a tick
// they hold for all who watch the view, from then on; for a client's callback
// they change its caller's view; with scope shared, every view of the chart.
type Call struct {
	cause    Cause
	chart    string
	arg      json.RawMessage
	session  *Session
	user     string
	claims   json.RawMessage
	spec     *plotting.Spec
	appender store.Appender
	// solo says that the changes are for one subscriber, who can be paused.
	solo bool
	// left counts the goroutines of this call that overran and still run;
	// stray are closed when they return. stray belongs to who runs the call.
	left  atomic.Int32
	stray []<-chan struct{}

	mu    sync.Mutex
	first plotting.View // as the view was
	base  plotting.View // what a Reset goes back to
	view  plotting.View
	delta plotting.Change
	reply json.RawMessage
	over  bool
	// turned says that the argument itself changed the view.
	turned bool
}

// Cause says who raised the callback.
func (c *Call) Cause() Cause { return c.cause }

// Chart returns the chart's name.
func (c *Call) Chart() string { return c.chart }

// Arg returns the argument as JSON; nil if there is none. It must not be
// changed.
func (c *Call) Arg() json.RawMessage { return c.arg }

// ArgString returns the argument if it is a JSON string, and the JSON text of
// any other; "" if there is none.
func (c *Call) ArgString() string {
	var s string
	if json.Unmarshal(c.arg, &s) == nil {
		return s
	}
	return string(c.arg)
}

// Session returns the session of the caller; nil on a tick. Who calls without a
// connection, as over HTTP, has one that ends with the callback.
func (c *Call) Session() *Session { return c.session }

// User returns who raised the callback, as the section auth of the
// configuration knows them: "token:wall", "jwt:alice", "link:3f9k2m". It is
// empty on a tick, and where nobody is asked.
func (c *Call) User() string { return c.user }

// Claims returns what the caller's JSON Web Token says of who it is, as far as
// auth.jwt.claims names it: a JSON object, which must not be changed. It is nil on
// a tick, and for who has no such token.
func (c *Call) Claims() json.RawMessage { return c.claims }

// Spec returns the chart's definition. It must not be changed.
func (c *Call) Spec() *plotting.Spec { return c.spec }

// View returns the view as it is, changes made through this call included.
func (c *Call) View() plotting.View {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.view
}

// Append adds a sample (t in ms since the Unix epoch) to the store. It takes
// effect at once, whatever the handler returns.
func (c *Call) Append(metric string, labels store.Labels, t int64, v float64) error {
	c.mu.Lock()
	over := c.over
	c.mu.Unlock()
	if over {
		return ErrOver
	}
	return c.appender.Append(metric, labels, t, v)
}

// Set changes the view; see Call for whose. A Reset goes back to the chart's
// default view; on a tick and with scope shared, it takes away what earlier
// callbacks changed. The error names the field that the chart refuses; then
// nothing is changed.
func (c *Call) Set(ch plotting.Change) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set(ch)
}

// set is Set under the lock.
func (c *Call) set(ch plotting.Change) error {
	if c.over {
		return ErrOver
	}
	if ch.Paused != nil && !c.solo {
		return errors.New("paused: only a client's callback can pause its caller; this change is for all who watch")
	}
	ch = cloneChange(ch).Dated(time.Now().UnixMilli())
	from, plain := c.view, ch
	if ch.Reset {
		from, plain.Reset = c.base, false
	}
	v, err := c.spec.Change(from, plain)
	if err != nil {
		return err
	}
	c.view, c.delta = v, ticker.Merge(c.delta, ch)
	return nil
}

// Reply gives the caller a value that encodes as JSON, at most MaxReply bytes.
// On a tick it goes nowhere.
func (c *Call) Reply(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("reply: %w", err)
	}
	// A json.RawMessage comes as it is, and a webhook may write Latin-1: in a text
	// message, clients take that for a broken connection.
	b = bytes.ToValidUTF8(b, []byte("\ufffd"))
	if len(b) > MaxReply {
		return fmt.Errorf("reply: %d bytes of JSON; at most %d", len(b), MaxReply)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return ErrOver
	}
	c.reply = b
	return nil
}

// undo takes back what a handler that failed changed.
func (c *Call) undo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.view, c.delta, c.reply = c.first, plotting.Change{}, nil
}

// finish ends the call and returns what it changed and replied.
func (c *Call) finish() (delta plotting.Change, reply json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	return c.delta, c.reply
}

// settled returns when all that the call started has returned.
func (c *Call) settled() {
	for _, s := range c.stray {
		<-s
	}
}

// cloneChange returns a copy that shares nothing with a handler's variables.
func cloneChange(c plotting.Change) plotting.Change {
	c.Window, c.Refresh = clonePtr(c.Window), clonePtr(c.Refresh)
	c.Replay = clonePtr(c.Replay)
	c.From, c.To, c.Size = clonePtr(c.From), clonePtr(c.To), clonePtr(c.Size)
	c.Title, c.Paused, c.Timezone = clonePtr(c.Title), clonePtr(c.Paused), clonePtr(c.Timezone)
	if c.Hidden != nil {
		c.Hidden = new(slices.Clone(*c.Hidden))
	}
	if c.Marks != nil {
		c.Marks = new(slices.Clone(*c.Marks))
	}
	if c.Thresholds != nil {
		c.Thresholds = new(slices.Clone(*c.Thresholds))
	}
	c.Vars = maps.Clone(c.Vars)
	return c
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}
