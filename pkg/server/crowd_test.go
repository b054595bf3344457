package server

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/session"
)

// Clients take each other's sessions away, subscribe, move, pause and vanish, and
// meanwhile charts change, go and come back: each hears a stream that it can read,
// and in the end nobody is counted any more.
func TestCrowdLeavesNothing(t *testing.T) {
	short := quantity.Duration(20 * time.Millisecond)
	r := newRig(t, rigOptions{session: func(c *session.Config) {
		c.TTL, c.Linger, c.MaxViews = quantity.Duration(500*time.Millisecond), short, 12
		c.NewViewsPerMinute, c.MessagesPerSecond, c.CallbacksPerSecond = 1e6, 1e6, 1e6
	}})
	charts := []*session.Chart{testChart("fast", 100*time.Millisecond), testChart("cpu", 10*time.Second)}
	names := []string{"fast", "cpu"}
	ids := []string{charts[0].Spec.View("fast").ID(), charts[1].Spec.View("cpu").ID()}
	reload := func(rng *rand.Rand) {
		now := map[string]*session.Chart{"fast": charts[0]}
		switch rng.IntN(4) {
		case 0: // and cpu is gone
		case 1:
			other := testChart("fast", 100*time.Millisecond)
			other.Spec.Title = fmt.Sprint(rng.IntN(3))
			now["fast"] = other
			fallthrough
		default:
			now["cpu"] = charts[1]
		}
		r.hub.SetCharts(now)
	}
	var known atomic.Value // the token of somebody's session
	known.Store("")
	t.Run("crowd", func(t *testing.T) {
		for seed := range uint64(8) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // it is for a test
				for range 12 {
					c, token := dialByHand(t, r.base), ""
					heard := make(chan error, 1)
					go func() { heard <- listen(c, false, &token) }()
					say := func(format string, args ...any) {
						_, _ = c.nc.Write(masked(0x81, fmt.Sprintf(format, args...))) // it may have been replaced
					}
					say(`{"t":"hello","session":%q}`, known.Load())
					for range rng.IntN(40) {
						which, window := rng.IntN(2), fmt.Sprintf("%ds", 10+rng.IntN(8))
						name, id := names[which], ids[which]
						switch rng.IntN(8) {
						case 0:
							say(`[{"t":"sub","id":1,"chart":%q,"events":true},{"t":"unsub","id":2,"v":%q},{"t":"sub","id":3,"chart":%q}]`, name, id, name)
						case 1:
							say(`{"t":"sub","id":1,"chart":%q,"view":{"window":%q}}`, name, window)
						case 2:
							say(`[{"t":"set","id":1,"v":%q,"view":{"window":%q}},{"t":"sub","id":2,"chart":%q}]`, id, window, name)
						case 3:
							say(`{"t":"set","id":1,"v":%q,"view":{"paused":%v}}`, id, rng.IntN(2) == 0)
						case 4:
							say(`{"t":"unsub","id":1,"v":%q}`, id)
						case 5:
							say(`{"t":"callback","id":1,"v":%q,"arg":{"view":{"window":%q}}}`, id, window)
						case 6:
							say(`{"t":"resync","v":%q}`, id)
						default:
							reload(rng)
						}
					}
					if rng.IntN(3) == 0 {
						c.close()
					} else {
						_, _ = c.nc.Write(masked(0x88, "\x03\xe8"))
					}
					if err := <-heard; err != nil {
						t.Error(err)
					}
					c.close()
					if token != "" && rng.IntN(2) == 0 {
						known.Store(token)
					}
				}
			})
		}
	})
	for _, name := range []string{"chartd_connections", "chartd_sessions", "chartd_views", "chartd_subscriptions", "chartd_callbacks_overrunning"} {
		livetest.Eventually(t, name+" is 0", func() bool { return r.metric(name, "") == 0 })
	}
	if r.metric("chartd_hellos_total", `"resumed"`) == 0 {
		t.Error("nobody took a session over")
	}
	if n := r.logs.FilterMessageSnippet("panicked").Len(); n > 0 {
		t.Errorf("%d panics", n)
	}
}
