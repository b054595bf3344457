package session

import (
	"encoding/json"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/wire"
)

// Cause says who raised a callback.
type Cause = wire.Cause

// The causes.
const (
	CauseTick   = wire.CauseTick
	CauseClient = wire.CauseClient
)

// Call is one run of a callback: what a handler is told, and its handle on the
// chart. It is safe for concurrent use. When the callback is over, because the
// handler returned or overran its time, changes are refused.
//
// Changes of the view are collected and take effect together when the handler
// returns nil or ErrNotHandled; after an error none of them does. On a tick
// they hold for all who watch the view, from then on; for a client's callback
// they change its caller's view; with scope shared, every view of the chart.
type Call struct {
}

// Cause says who raised the callback.
func (c *Call) Cause() Cause { return "" }

// Chart returns the chart's name.
func (c *Call) Chart() string { return "" }

// Arg returns the argument as JSON; nil if there is none.
func (c *Call) Arg() json.RawMessage { return nil }

// ArgString returns the argument if it is a JSON string, and the JSON text of
// any other; "" if there is none.
func (c *Call) ArgString() string { return "" }

// Session returns the session of the caller; nil on a tick.
func (c *Call) Session() *Session { return nil }

// View returns the view as it is, changes made through this call included.
func (c *Call) View() plotting.View { return plotting.View{} }

// Spec returns the chart's definition. It must not be changed.
func (c *Call) Spec() *plotting.Spec { return nil }

// Append adds a sample (t in ms since the Unix epoch) to the store. It takes
// effect at once.
func (c *Call) Append(metric string, labels store.Labels, t int64, v float64) error { return nil }

// Set changes the view; see Call for whose. The error names the field that the
// chart refuses.
func (c *Call) Set(ch plotting.Change) error { return nil }

// Reply gives the caller a value that encodes as JSON. On a tick it goes
// nowhere.
func (c *Call) Reply(v any) error { return nil }
