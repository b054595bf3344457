package server

import (
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/wire"
)

// However late the heartbeat's ticks come, no slot misses its turn, and none has
// two at once.
func TestHeartbeatCatchesUp(t *testing.T) {
	r := round{step: 10 * time.Millisecond}
	all := func(from int) (slotsOf []int) {
		for n := range slots {
			slotsOf = append(slotsOf, (from+n)%slots)
		}
		return slotsOf
	}
	for _, tc := range []struct {
		at   time.Duration
		want []int
	}{
		{9 * time.Millisecond, nil},
		{10 * time.Millisecond, []int{0}},
		{29 * time.Millisecond, []int{1}},
		{30 * time.Millisecond, []int{2}},
		{75 * time.Millisecond, []int{3, 4, 5, 6}}, // some were dropped
		{76 * time.Millisecond, nil},
		{180 * time.Millisecond, []int{7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1}},
		{10 * time.Second, all(1000 % slots)}, // the machine was asleep
		{10*time.Second + 10*time.Millisecond, []int{1000 % slots}},
	} {
		if got := slices.Collect(r.due(tc.at)); !slices.Equal(got, tc.want) {
			t.Errorf("at %v: %v, want %v", tc.at, got, tc.want)
		}
	}
}

// After a sleep of the machine everybody has been silent for long; who answers the
// ping that follows stays, and who does not is found a heartbeat later.
func TestHeartbeatAfterSleep(t *testing.T) {
	const every, slept = 160 * time.Millisecond, time.Hour
	for _, tc := range []struct {
		name    string
		answers bool
	}{{"answers", true}, {"dead", false}} {
		t.Run(tc.name, func(t *testing.T) {
			b := connect(t, false)
			c := &conn{polled: true}
			c.in.TCPConn = b.nc.(*net.TCPConn)
			c.out.nc = b.nc
			c.out.open(b)
			var cs conns
			cs.add(c)
			var clock atomic.Int64
			asked, quit, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				cs.beat(quit, every, func() time.Duration {
					select {
					case asked <- struct{}{}:
					case <-quit:
					}
					return time.Duration(clock.Load())
				})
			}()
			defer func() { close(quit); <-done }()
			// round lets the heartbeat look at a time; when it looks again, it has
			// done what it does then.
			round := func(at time.Duration) {
				clock.Store(int64(at))
				<-asked
			}
			round(0)
			for at := slept; at < slept+every; at += every / 4 {
				round(at)
				round(at)
				if bye := c.bye.Load(); bye != nil {
					t.Fatalf("%v after the sleep: %v", at-slept, bye)
				}
				if tc.answers && at == slept+every/2 {
					c.seen.Store(int64(at))
				}
			}
			round(slept + every)
			round(slept + every + every/4)
			round(slept + every + every/4)
			switch bye := c.bye.Load(); {
			case tc.answers && bye != nil:
				t.Errorf("who answered is taken for dead: %v", bye)
			case !tc.answers && (bye == nil || bye.Code != wire.CloseSilent):
				t.Errorf("who is dead is not found: %v", bye)
			}
		})
	}
}
