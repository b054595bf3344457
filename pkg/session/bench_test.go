package session

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// sinks counts what the connections of a benchmark were sent.
type sinks struct {
	frames atomic.Int64
	bytes  atomic.Int64
	target atomic.Int64
	done   chan struct{} // told when target frames were written
}

// Write implements Conn. What is no frame is short.
func (s *sinks) Write(m *wire.Message) (bool, error) {
	if m.Len() < 200 {
		return false, nil
	}
	s.bytes.Add(int64(m.Len()))
	if s.frames.Add(1) == s.target.Load() {
		s.done <- struct{}{}
	}
	return false, nil
}

func (s *sinks) Close(wire.Close) {}

// pen draws a frame of which a little changes every time.
type pen struct{ n int }

func (p *pen) Render(plotting.View, int64) (*plotting.Frame, error) {
	p.n++
	return &plotting.Frame{Epoch: "e", Root: &plotting.Node{Open: "<svg xmlns='http://www.w3.org/2000/svg'", Kids: []*plotting.Node{
		{Key: "t", Type: plotting.Text, Open: "<text data-k='t'", Live: fmt.Appendf(nil, "%0280d", p.n)},
		{Key: "p", Type: plotting.Path, Open: "<path data-k='p'", Live: ballast},
	}}}, nil
}

var ballast = fmt.Appendf(nil, "M0 0%020000d", 0)

// BenchmarkFanOut sends one update of a view, a patch of about 340 bytes, to
// 1,000 sessions: loop, outboxes, writers, everything but the socket.
func BenchmarkFanOut(b *testing.B) {
	const sessions = 1000
	cfg := DefaultConfig()
	h, err := NewHub(cfg, Deps{
		Appender: store.New(store.DefaultConfig(), nil), Log: zap.NewNop(), Registerer: prometheus.NewRegistry(), Server: "bench",
		NewRenderer: func(*plotting.Spec) ticker.Renderer { return &pen{} },
	})
	if err != nil {
		b.Fatal(err)
	}
	spec := plotting.DefaultSpec()
	spec.Refresh = 0
	h.SetCharts(map[string]*Chart{"cpu": {Spec: &spec, Config: DefaultChartConfig()}})
	out := &sinks{done: make(chan struct{}, 1)}
	out.target.Store(sessions)
	for range sessions {
		c, err := h.Connect(out, Peer{})
		if err != nil {
			b.Fatal(err)
		}
		c.Handle([]byte(`{"t":"hello"}`))
		c.Handle([]byte(`{"t":"sub","id":1,"chart":"cpu"}`))
	}
	<-out.done // everybody has the full
	lease, err := h.pool.Acquire(ticker.KeyOf(spec.View("cpu")))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := h.Close(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
	}()
	out.bytes.Store(0)
	b.ReportAllocs()
	for b.Loop() {
		out.target.Add(sessions)
		lease.Push(ticker.Push{})
		<-out.done
	}
	deliveries := float64(b.N * sessions)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/deliveries, "ns/delivery")
	b.ReportMetric(float64(out.bytes.Load())/deliveries, "B/delivery")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkIdleSession reports how much heap a session takes that has said
// hello and watches one view, when all is quiet.
func BenchmarkIdleSession(b *testing.B) {
	const sessions = 10_000
	for b.Loop() {
		h, err := NewHub(DefaultConfig(), Deps{
			Appender: store.New(store.DefaultConfig(), nil), Log: zap.NewNop(), Registerer: prometheus.NewRegistry(), Server: "bench",
			NewRenderer: func(*plotting.Spec) ticker.Renderer { return &pen{} },
		})
		if err != nil {
			b.Fatal(err)
		}
		spec := plotting.DefaultSpec()
		spec.Refresh = 0
		h.SetCharts(map[string]*Chart{"cpu": {Spec: &spec, Config: DefaultChartConfig()}})
		out := &sinks{done: make(chan struct{}, 1)}
		out.target.Store(sessions)
		before := heap()
		for range sessions {
			c, err := h.Connect(out, Peer{})
			if err != nil {
				b.Fatal(err)
			}
			c.Handle([]byte(`{"t":"hello"}`))
			c.Handle([]byte(`{"t":"sub","id":1,"chart":"cpu"}`))
		}
		<-out.done
		b.ReportMetric(float64(heap()-before)/sessions, "B/session")
		if err := h.Close(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// heap returns how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
