package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"
)

// pusher is a server that is measured: chartd or centrifuge.
type pusher interface {
	// size sets how long each frame is from now on, in bytes on the wire.
	size(n int)
	// fire lets the server push one frame to every session. It may return
	// before that is done.
	fire() error
	// started is when the last frame was fired.
	started() int64
	// metrics are counters by their full name.
	metrics() (map[string]float64, error)
	// stop ends the server.
	stop() error
}

// served is what a server's process says of itself.
type served struct {
	Addr    string             `json:"addr,omitempty"`
	Start   int64              `json:"start,omitempty"`
	Mallocs uint64             `json:"mallocs,omitempty"`
	Heap    uint64             `json:"heap,omitempty"` // bytes in use
	Gors    int                `json:"gors,omitempty"` // goroutines
	N       int                `json:"n,omitempty"`
	Metrics map[string]float64 `json:"metrics,omitempty"`
}

// setup is how a server is started.
type setup struct {
	// heartbeat is the time between two pings of the server.
	heartbeat time.Duration
	// refresh is the time between two ticks.
	refresh time.Duration
	// auto pushes a frame at every tick, not only when one is fired.
	auto bool
	// keep lets floor rounds be written to the server's sockets.
	keep bool
	// ttl is how long a session without a connection lives.
	ttl time.Duration
}

func (s setup) args(kind string) []string {
	return []string{kind, s.heartbeat.String(), s.refresh.String(), fmt.Sprint(s.auto), fmt.Sprint(s.keep), s.ttl.String()}
}

func parseSetup(args []string) (s setup, err error) {
	if len(args) != 5 {
		return s, fmt.Errorf("a server with %d arguments; want 5", len(args))
	}
	for i, d := range map[int]*time.Duration{0: &s.heartbeat, 1: &s.refresh, 4: &s.ttl} {
		if *d, err = time.ParseDuration(args[i]); err != nil {
			return s, err
		}
	}
	s.auto, s.keep = args[2] == "true", args[3] == "true"
	return s, nil
}

// serve is the worker with a server.
func serve(kind string, s setup, in io.Reader, out io.Writer) error {
	ln, err := listen(s.keep)
	if err != nil {
		return err
	}
	var p pusher
	if kind == centrifugeKind {
		p, err = newCentrifuge(ln, s)
	} else {
		p, err = newChartd(ln, s)
	}
	if err != nil {
		return err
	}
	var fds []int
	err = converse(in, out, func(o order) (any, error) {
		switch o.Do {
		case "where":
			return served{Addr: ln.Addr().String()}, nil
		case "size":
			p.size(o.Size)
			return answer{}, nil
		case "fire":
			return answer{}, p.fire()
		case "started":
			return served{Start: p.started()}, nil
		case "sockets":
			fds = ln.sockets()
			return served{N: len(fds)}, nil
		case "floor":
			frame := textFrame(o.Size, `{"t":"floor","pad":"`, `"}`)
			start := mono()
			return served{Start: start}, burst(fds, frame)
		case "stat":
			return stat(), nil
		case "metrics":
			m, err := p.metrics()
			return served{Metrics: m}, err
		case "free":
			debug.FreeOSMemory()
			debug.FreeOSMemory() // what the first one's finalizers let go
			return stat(), nil
		}
		return nil, fmt.Errorf("unknown order %q", o.Do)
	})
	if stopErr := p.stop(); err == nil {
		err = stopErr
	}
	return err
}

func stat() served {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return served{Mallocs: m.Mallocs, Heap: m.HeapAlloc, Gors: runtime.NumGoroutine()}
}
