package ticker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
)

// TestReplayMovesByItself: a replay of a view that is drawn only on demand is
// drawn once a second, and no handler hears of it; one that stands still is not.
func TestReplayMovesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		calls := 0
		b.with(func(c *Chart) {
			c.Refresh = refresh(func(context.Context) Outcome { calls++; return Outcome{} })
		})
		moving := b.view(60)
		moving.Refresh = 0
		moving.Replay = plotting.Replay{At: 1000, Since: 1000, Speed: 10}
		still := moving
		still.Replay = plotting.Replay{At: 1000}
		_, s := b.watch(moving, false)
		_, other := b.watch(still, false)
		after(5500 * time.Millisecond)
		if n := len(s.took()); n < 6 || n > 7 {
			t.Errorf("%d frames of a replay in 5.5 s", n)
		}
		equal(t, other.took(), []string{"full"})
		if calls > 0 {
			t.Errorf("the handler was called %d times; its chart has no refresh", calls)
		}
	})
}
