package source

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/secret"
)

const (
	// minPause and maxPause bound the pause before a failed source is run
	// again. It doubles from one to the other, and is spread by half of itself
	// either way, so that sources that failed together do not return together.
	minPause = time.Second
	maxPause = time.Minute
)

// runner runs one source, again and again if it must.
type runner struct {
	name   string
	cfg    Config
	src    Source
	routes map[string]http.Handler // of a Receiver
	meter  *meter
	log    *zap.Logger
	hidden secret.Set // what of cfg nobody may see

	after *runner // that must have stopped before; may be nil
	stop  context.CancelFunc
	done  chan struct{} // closed when it has stopped; nil until it is started
}

// start begins to run the source; it runs until ctx ends or stop is called.
func (r *runner) start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(ctx)
	r.done = make(chan struct{})
	go func() {
		defer close(r.done)
		defer r.stop()
		if r.after != nil && !r.after.wait(replacePatience) {
			r.log.Error("the source that this one replaces does not stop; it is left behind")
		}
		r.after = nil
		r.loop(ctx)
	}()
}

// wait waits until the runner has stopped; it reports false if that takes too
// long. Nothing else cuts the wait short: who waits for this one in turn is to
// find that both have stopped.
func (r *runner) wait(patience time.Duration) bool {
	if r.done == nil {
		return true
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-r.done:
		return true
	case <-late.C:
		return false
	}
}

// stopped reports whether a runner that was started has stopped.
func (r *runner) stopped() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// loop runs the source until ctx ends or the source is finished.
func (r *runner) loop(ctx context.Context) {
	r.meter.hidden.Store(&r.hidden)
	pause := minPause
	for ctx.Err() == nil {
		began := time.Now()
		r.meter.up.Add(1)
		err := r.once(ctx)
		r.meter.up.Add(-1)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, ctx.Err()) {
				r.log.Debug("source stopped with an error", zap.Error(err))
			}
			return
		}
		if err == nil {
			r.log.Info("source has nothing more to give")
			return
		}
		r.meter.failed(err)
		if time.Since(began) > maxPause {
			pause = minPause // it had been well
		}
		wait := pause/2 + rand.N(pause)
		r.log.Warn("source failed; it will be tried again", zap.Error(err), zap.Duration("in", wait))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		pause = min(2*pause, maxPause)
	}
}

// once runs the source once. A panic becomes an error.
func (r *runner) once(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			r.log.Error("source panicked", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
		}
	}()
	return r.src.Run(ctx, r.meter)
}
