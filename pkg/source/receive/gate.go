// Package receive is what sources that are sent their samples over HTTP have in
// common: when they take any, how much, and how they keep count.
package receive

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/chartd/chartd/pkg/store"
)

// Gate lets requests through to the store while its source runs. The zero Gate
// is closed.
type Gate struct {
	open atomic.Pointer[opening]
}

// opening is one run of the source.
type opening struct {
	ctx context.Context // this run's, to which requests belong
	app store.Appender
}

// Run keeps the gate open until ctx ends: it is a receiver's whole Run.
func (g *Gate) Run(ctx context.Context, app store.Appender) error {
	g.open.Store(&opening{ctx, app})
	<-ctx.Done()
	g.open.Store(nil)
	return nil
}

// Enter returns the appender for one request; ok is false if the gate is closed,
// which is answered 503.
//
// A request may last: a sensor can keep one body open and write a line now and
// then. When the gate closes, reading the body fails; leave must be called
// before the handler returns.
func (g *Gate) Enter(w http.ResponseWriter) (app store.Appender, leave func(), ok bool) {
	o := g.open.Load()
	if o == nil || o.ctx.Err() != nil {
		return nil, nil, false
	}
	conn := http.NewResponseController(w)
	stop := context.AfterFunc(o.ctx, func() {
		// A writer without deadlines has no connection that could block.
		_ = conn.SetReadDeadline(time.Unix(1, 0))
	})
	return o.app, func() { stop() }, true
}

// ErrClosed is what a request is told that finds the gate closed.
var ErrClosed = &BodyError{http.StatusServiceUnavailable, "this source is not running; try again"}
