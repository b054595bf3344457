package ticker

import (
	"context"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// Renderer draws one view of one chart, again and again. *plotting.Live is
// one. It is made for one loop and used by nobody else. If it has a method
// Close(), that is called when it is not used any more; see Release.
type Renderer interface {
	// Render returns the view as it is at now (ms since the Unix epoch). The
	// pointer it returned last means that nothing changed. What was returned
	// is not touched again.
	Render(v plotting.View, now int64) (*plotting.Frame, error)
}

// Release closes a Renderer that has to be, as one that holds room in the store
// for series of its own.
func Release(r Renderer) {
	if c, ok := r.(interface{ Close() }); ok {
		c.Close()
	}
}

// Chart is what a Pool knows of a chart. It is not changed once it was handed
// over.
type Chart struct {
	// Name is the chart's name, as in plotting.View.
	Name string
	// Spec validates the changes that callbacks ask for.
	Spec *plotting.Spec
	// NewRenderer makes the Renderer of one loop.
	NewRenderer func() Renderer
	// Refresh runs the chart's RefreshCallback and hooks for a tick; nil if it
	// has neither, which saves a goroutine a tick. v is the view as it is, base
	// the same without what earlier ticks laid over it. It is called once at a
	// time for each view.
	Refresh func(ctx context.Context, v, base plotting.View) Outcome
}

// Outcome is how a tick's RefreshCallback went.
type Outcome struct {
	// Change is laid over the view from now on, for all who watch it; a Reset
	// takes away what was laid over it before. Shared lays it over every view
	// of the chart instead.
	Change plotting.Change
	Shared bool
	// Failure is what clients are told if the callback failed, otherwise "".
	Failure string
	// Elapsed is how long the callback ran.
	Elapsed time.Duration
	// Offered is called when the frame has been offered to the watchers, or
	// never will be; nil is nothing to do. It runs in the goroutine of Refresh
	// and may block. Until it returns, the ticks of this view skip the callback:
	// a callback that overran its time can so be waited for.
	Offered func()
}

// Watcher is who sees a view. Deliver is called for the view's loop, for one
// delivery at a time, though not always in the same goroutine: it must not
// block, and not call the Pool. What it writes, it counts in t.
type Watcher interface {
	Deliver(d *Delivery, t *Tally)
}

// Delivery is what a tick or a push brings a watcher, in the order of its
// fields. It is shared and immutable.
type Delivery struct {
	// Failure tells every watcher that the view cannot be drawn at the moment;
	// usually nil. It comes first.
	Failure *wire.Message
	// Before are messages that come before the frame.
	Before []*wire.Message
	// Update is the frame; nil if nothing changed.
	Update *wire.Update
	// After are messages that come after the frame.
	After []*wire.Message
	// Kept says that the frame answers what this watcher pushed: it is not left
	// out for a newer one, as what is in After says that it has come.
	Kept bool
}

// Push asks a loop to draw and deliver at once, because a client's callback
// changed something.
type Push struct {
	// Before and After go to the pushing watcher alone, around the frame that
	// everybody gets.
	Before, After []*wire.Message
	// Again offers the pushing watcher the newest frame even if it is not news.
	Again bool
	// Offered is called once when the frame was offered to the watchers, or
	// will never be. It must not block. Nil is nothing to do.
	Offered func()
}
