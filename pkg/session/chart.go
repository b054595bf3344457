package session

import (
	"context"
	"errors"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
)

// Chart is a chart as the hub serves it. It is not changed once it was handed
// to SetCharts.
type Chart struct {
	// Spec says what the chart shows.
	Spec *plotting.Spec
	// Config says whose view callbacks change.
	Config ChartConfig
	// Callback is the chart's handler; nil if it has none.
	Callback RefreshCallback
	// ClientsOnly says that Callback has no use for ticks, which then cost
	// nothing where there are no hooks.
	ClientsOnly bool
	// Hooks run around every callback, in this order.
	Hooks []Hook
}

// RefreshCallback is a chart's handler. It is called on every tick of each
// watched view (Cause tick) and when a client raises a callback (Cause client,
// with an argument). It may append samples and change the view through call.
//
// It runs in a goroutine of its own: at most one at a time for each view's
// ticks and for each session, but several at once in all. When ctx ends (after
// callback_timeout, or because the server stops) it should return; from then on
// call refuses changes. An error or a panic is told to the client and logged,
// and the chart goes on. ErrNotHandled says that the argument means nothing to
// it.
type RefreshCallback func(ctx context.Context, call *Call) error

// ErrNotHandled is returned by a RefreshCallback that has no use for the
// argument: the client is told "handled":false, and the chart is refreshed all
// the same.
var ErrNotHandled = errors.New("not handled")

// Hook is called around every callback of a chart, whatever its cause. Nil
// fields are left out. Hooks run in the goroutine of the callback, one after
// the other, under the same timeout; the events of the same names are sent to
// clients.
type Hook struct {
	// Before comes before the handler. Its error cancels the callback: neither
	// further Before hooks nor the handler run.
	Before func(ctx context.Context, call *Call) error
	// After comes when the handler returned, was cancelled, or overran its
	// time; err says so, and elapsed how long it ran.
	After func(ctx context.Context, call *Call, err error, elapsed time.Duration)
	// BeforeResponse comes before the frame is drawn.
	BeforeResponse func(ctx context.Context, call *Call)
	// AfterResponse comes when the frame is on its way to those who watch.
	AfterResponse func(ctx context.Context, call *Call)
}
