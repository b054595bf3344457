package ticker

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/wire"
)

// quiet is the least time between two log lines of one view that keeps failing.
const quiet = time.Minute

// painter draws and keeps faults to itself: whatever happens in a renderer,
// the loop goes on.
type painter struct {
	log      *zap.Logger
	renderer Renderer
	loggedAt time.Time
	unlogged int
}

// reset makes the next paint begin with a new renderer.
func (p *painter) reset() {
	Release(p.renderer)
	p.renderer = nil
}

// paint draws the loop's view and returns the update that it leads to, nil if
// nothing changed. After a panic, renderer and stream begin anew.
func (p *painter) paint(l *loop, now int64) (u *wire.Update, err error) {
	defer func() {
		if r := recover(); r != nil {
			p.reset()
			l.stream = wire.NewStream(l.key.ID)
			u, err = nil, &panicError{value: r, stack: debug.Stack()}
		}
	}()
	if p.renderer == nil {
		p.renderer = l.chart.NewRenderer()
	}
	f, err := p.renderer.Render(l.view, now)
	if err != nil {
		return nil, err
	}
	return l.stream.Next(f), nil
}

// report logs a failed paint, though not every one.
func (p *painter) report(err error) {
	now := time.Now()
	if !p.loggedAt.IsZero() && now.Sub(p.loggedAt) < quiet {
		p.unlogged++
		return
	}
	fields := []zap.Field{zap.Error(err), zap.Int("unlogged", p.unlogged)}
	if pe, ok := errors.AsType[*panicError](err); ok {
		fields = append(fields, zap.ByteString("stack", pe.stack))
	}
	p.log.Error("the view could not be drawn", fields...)
	p.loggedAt, p.unlogged = now, 0
}

// panicError is a panic as an error.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }
