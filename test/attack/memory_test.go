package attack

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// Hundreds of clients that each want the whole of a large chart in a size of their
// own get what there is memory for. The others are told to come later, and those
// who were there go on as if nothing were.
func TestMemoryLimit(t *testing.T) {
	s := besiege(t, "server: {max_connections_per_address: 5000, pictures_per_second: 1000, max_pictures: 4}\n"+
		"session: {max_sessions_per_address: 5000}\n",
		"GOMEMLIMIT=96MiB", envWide+"=60")
	if n := s.metric("chartd_memory_limit_bytes"); n != 96<<20 {
		t.Fatalf("the limit is %v", n)
	}
	livetest.Eventually(t, "the large chart is there", func() bool { return s.metric("chartd_store_series") > 60 })
	watcher := s.client()
	own := watcher.Sub(wire.Sub{Chart: "other"})
	watcher.Full(own.V)
	var fulls, later, pictures, turned atomic.Int64
	s.during(func(more func() bool) {
		var clients sync.WaitGroup
		next := make(chan int)
		for range 20 {
			clients.Go(func() {
				for n := range next {
					one(s, n, &fulls, &later, &turned)
					if status, body := s.ask(http.MethodGet, fmt.Sprintf("/charts/wide.svg?title=%d", n), nil); status == http.StatusServiceUnavailable && strings.Contains(body, "GOMEMLIMIT") {
						pictures.Add(1)
					}
				}
			})
		}
		for n := 0; n < 400 || more(); n++ {
			next <- n
		}
		close(next)
		clients.Wait()
	})
	t.Logf("%d fulls, %d told to come later, %d turned away, %d pictures refused; in use: %.0f MiB of 96", fulls.Load(), later.Load(), turned.Load(), pictures.Load(), s.metric("chartd_memory_used_bytes")/(1<<20))
	if fulls.Load() == 0 || later.Load()+turned.Load() == 0 {
		t.Errorf("%d fulls, %d told to come later, %d turned away: the limit was never near", fulls.Load(), later.Load(), turned.Load())
	}
	if s.metric("chartd_refused_total", `limit="memory"`) != float64(later.Load()) {
		t.Error("not counted as it was")
	}
	if log := s.logs.String(); later.Load() > 0 && !strings.Contains(log, "the memory limit is near") {
		t.Error("the log does not say so")
	}
	// Who was there goes on.
	watcher.Send(wire.Resync{V: own.V})
	watcher.Full(own.V)
}

// one is one client with a view of its own, which it watches until the test ends.
func one(s *siege, n int, fulls, later, turned *atomic.Int64) {
	ws, err := s.tryDial()
	if err != nil {
		turned.Add(1)
		return
	}
	c := livetest.New(s.t, ws)
	c.Send(wire.Hello{}, wire.Sub{ID: "1", Chart: "wide", View: plotting.Change{Size: &[2]int{1000 + n, 600}}})
	for {
		switch m := c.Next().(type) {
		case wire.Full:
			fulls.Add(1)
			return
		case wire.Failure:
			if m.Err.Code != wire.CodeOverloaded || !strings.Contains(m.Err.Message, "GOMEMLIMIT") {
				s.t.Errorf("refused with %v", m.Err)
			}
			later.Add(1)
			return
		}
	}
}
