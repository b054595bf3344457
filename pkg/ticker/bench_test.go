package ticker

import (
	"context"
	"fmt"
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/store"
)

// nobody is a watcher that does nothing.
type nobody struct{}

func (nobody) Deliver(*Delivery, *Tally) {}

// cpu returns the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLoops runs 2,000 loops at one tick a second for a few seconds and
// reports how much of a core they take, with renderers that draw nothing new
// (what the loops themselves cost) and with real charts of one series of one
// sample a second.
func BenchmarkLoops(b *testing.B) {
	const loops = 2000
	st := store.New(store.DefaultConfig(), nil)
	start := time.Now()
	for i := range 600 {
		at := start.Add(time.Duration(i-600) * time.Second).UnixMilli()
		if err := st.Append("m", nil, at, math.Sin(float64(i)/10)); err != nil {
			b.Fatal(err)
		}
	}
	spec := plotting.DefaultSpec()
	spec.Series = []plotting.SeriesSpec{{Metric: "m"}}
	still := &plotting.Frame{Epoch: "e", Root: &plotting.Node{Open: "<svg xmlns='http://www.w3.org/2000/svg'"}}
	for _, c := range []struct {
		name string
		make func() Renderer
	}{
		{"idle", func() Renderer { return fixed{still} }},
		{"line", func() Renderer { return plotting.NewLive(&spec, st) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, err := NewPool(Config{MaxViews: loops, Linger: time.Second}, zap.NewNop(), prometheus.NewRegistry())
			if err != nil {
				b.Fatal(err)
			}
			p.SetChart(&Chart{Name: "cpu", Spec: &spec, NewRenderer: c.make})
			defer func() {
				if err := p.Close(context.WithoutCancel(b.Context())); err != nil {
					b.Error(err)
				}
			}()
			for i := range loops {
				v := spec.View("cpu")
				v.Title = fmt.Sprint(i)
				l, err := p.Acquire(KeyOf(v))
				if err != nil {
					b.Fatal(err)
				}
				l.Watch(nobody{}, false, nil)
			}
			time.Sleep(2 * time.Second) // the first frames
			wall, used := time.Now(), cpu(b)
			n := 0
			for b.Loop() {
				time.Sleep(time.Second)
				n++
				at := time.Now().UnixMilli()
				if err := st.Append("m", nil, at, math.Sin(float64(n)/10)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(100*float64(cpu(b)-used)/float64(time.Since(wall)), "%core")
			b.ReportMetric(float64(cpu(b)-used)/float64(n*loops), "cpu-ns/tick")
			b.ReportMetric(0, "ns/op")
		})
	}
}

type fixed struct{ f *plotting.Frame }

func (r fixed) Render(plotting.View, int64) (*plotting.Frame, error) { return r.f, nil }
