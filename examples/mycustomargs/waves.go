package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/store"
)

// generator makes the data of the chart, and answers its callbacks.
type generator struct {
	mu    sync.Mutex
	hz    float64
	phase float64 // in turns
	last  time.Time
}

// refresh is the chart's RefreshCallback: raised by the server on every tick of
// a watched view, and by the page with an argument.
func (g *generator) refresh(_ context.Context, call *session.Call) error {
	if call.Cause() == session.CauseTick {
		return g.sample(call)
	}
	switch arg := call.ArgString(); arg {
	case "MyCustomArgs":
		// What a callback sets changes its caller's view only.
		return errors.Join(
			call.SetTitle("Waves, since you asked"),
			call.SetWindow(2*time.Minute),
			call.Mark(time.Now(), arg),
			call.Reply(map[string]any{"hz": g.tune(1)}),
		)
	case "faster", "slower":
		// The data is everybody's.
		factor := map[string]float64{"faster": 1.25, "slower": 0.8}[arg]
		hz := g.tune(factor)
		if hz > 1 {
			g.tune(1 / factor)
			return fmt.Errorf("%.2f Hz is more than two samples a second can show", hz)
		}
		return call.Reply(map[string]any{"hz": hz})
	case "reset":
		return call.Set(plotting.Change{Reset: true})
	}
	return session.ErrNotHandled
}

// sample appends what the waves are now. Several views of the chart may tick at
// the same time: each brings the phase on by the time that has passed.
func (g *generator) sample(call *session.Call) error {
	now := time.Now()
	g.mu.Lock()
	if !g.last.IsZero() {
		_, g.phase = math.Modf(g.phase + g.hz*now.Sub(g.last).Seconds())
	}
	g.last = now
	phase := g.phase
	g.mu.Unlock()
	for shape, v := range map[string]float64{"sine": math.Sin(2 * math.Pi * phase), "saw": 2*phase - 1} {
		if err := call.Append("wave", store.LabelsOf(map[string]string{"shape": shape}), now.UnixMilli(), v); err != nil {
			return err
		}
	}
	return nil
}

// tune multiplies the frequency and returns it in Hz.
func (g *generator) tune(factor float64) float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hz *= factor
	return g.hz
}

// report returns hooks that write what happens around a page's callbacks to w,
// and refuse one that has no argument.
func report(w io.Writer) session.Hook {
	say := func(call *session.Call, format string, args ...any) {
		if call.Cause() == session.CauseClient {
			fmt.Fprintf(w, "%s: "+format+"\n", append([]any{call.ArgString()}, args...)...)
		}
	}
	return session.Hook{
		Before: func(_ context.Context, call *session.Call) error {
			say(call, "BeforeCallback")
			if call.Cause() == session.CauseClient && call.Arg() == nil {
				return errors.New("say what you want: callback(\"MyCustomArgs\")")
			}
			return nil
		},
		After: func(_ context.Context, call *session.Call, err error, _ time.Duration) {
			say(call, "AfterCallback, error %v", err)
		},
		BeforeResponse: func(_ context.Context, call *session.Call) { say(call, "BeforeCallbackResponseProcess") },
		AfterResponse:  func(_ context.Context, call *session.Call) { say(call, "AfterCallbackResponseProcess") },
	}
}
