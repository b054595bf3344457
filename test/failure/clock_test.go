package failure

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/wire"
)

// A wall clock that jumps, by an hour or by ten days, forward and back, changes
// what time the charts show and nothing else: no tick is lost or comes twice, each
// patch fits, and what comes in after it is seen.
func TestClockJumps(t *testing.T) {
	if err := clockable(); err != nil {
		t.Skipf("this system gives a process no clock of its own: %v", err)
	}
	t.Parallel()
	h := settle(t, "")
	for _, jump := range []time.Duration{time.Hour, 0, 10 * 24 * time.Hour, -time.Hour} {
		h.during(func() {
			if said := h.ask(fmt.Sprintf("clock %d", int64(jump/time.Second))); said != "<nil>" {
				t.Fatal(said)
			}
			c := h.client()
			curve := wire.NewMirror(c.Sub(wire.Sub{Chart: "pulse"}).V)
			c.Frames(curve, 5)
			c.Frames(wire.NewMirror(c.Sub(wire.Sub{Chart: "last"}).V), 5) // a frame is a new number
			if off := begins(t, curve).Sub(time.Now().Add(jump)); math.Abs(off.Minutes()) > 15 {
				t.Errorf("the clock is %v ahead, the picture is off by %v", jump, off)
			}
			c.Cut()
		})
	}
}

// A daemon that was stopped for longer than it waits for a sign of life, as when a
// laptop sleeps, takes nobody for dead: it is itself who was away. The ticks that it
// slept through do not come after it.
func TestDaemonSleeps(t *testing.T) {
	t.Parallel()
	h := settle(t, "server: {heartbeat: 1s}\n")
	clients := make([]*livetest.Client, 20)
	for i := range clients {
		clients[i] = h.client()
		clients[i].Sub(wire.Sub{Chart: "bad"})
	}
	h.missed(func() { // that no more ticks come than there is time for
		h.signal(syscall.SIGSTOP)
		<-time.After(3500 * time.Millisecond) // more than two and a half heartbeats; nothing can tell us meanwhile
		h.signal(syscall.SIGCONT)
	})
	h.missed(func() {}) // and more than a heartbeat later
	if n := h.metric("chartd_closed_total", `reason="silent"`); n != 0 {
		t.Errorf("%v clients were taken for dead by a daemon that slept", n)
	}
	for _, c := range clients {
		c.Send(wire.Resync{V: "nothing"})
		livetest.Until[wire.Failure](c, nil)
	}
	if why := h.lost.Load(); why != nil {
		t.Errorf("the bystander was cut off: %s", *why)
	}
}

// begins returns what time is at the left of a picture that began lately.
func begins(t *testing.T, m *wire.Mirror) time.Time {
	t.Helper()
	found := regexp.MustCompile(`data-x0='(\d+)'`).FindSubmatch(m.SVG())
	if found == nil {
		t.Fatalf("no time in %s", m.SVG())
	}
	ms, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.UnixMilli(ms)
}
