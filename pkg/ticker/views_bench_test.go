package ticker

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// BenchmarkViews runs 2,000 watched views at one tick a second, each with four
// series of its own and 1,000 points of each in its window, and reports how
// much of a core it takes to follow, draw, compare and encode them, sockets
// aside. What the feed of 8,000 samples a second takes is measured first and
// taken off.
func BenchmarkViews(b *testing.B) {
	const views, points, parts = 2000, 1000, 20
	cfg := store.DefaultConfig()
	cfg.MaxSamples = 2 * points
	st := store.New(cfg, nil)
	labels := make([][4]store.Labels, views)
	for i := range labels {
		for k := range labels[i] {
			labels[i][k] = store.LabelsOf(map[string]string{"host": fmt.Sprint(i), "core": fmt.Sprint(k)})
		}
	}
	feed := func(i int, at int64) {
		for k, ls := range labels[i] {
			v := math.Round(5000+4000*math.Sin(float64(at)/9000+float64(i+k))) / 100
			if err := st.Append("load", ls, at, v); err != nil {
				b.Fatal(err)
			}
		}
	}
	now := time.Now().UnixMilli()
	for i := range views {
		for n := points; n > 0; n-- {
			feed(i, now-int64(n)*1000)
		}
	}
	// second feeds every series once, spread over the second.
	second := func() {
		tick := time.NewTicker(time.Second / parts)
		defer tick.Stop()
		for part := range parts {
			<-tick.C
			at := time.Now().UnixMilli()
			for i := part; i < views; i += parts {
				feed(i, at)
			}
		}
	}
	spec := plotting.DefaultSpec()
	spec.Window = quantity.Duration(points * time.Second)
	spec.Vars = map[string]plotting.Var{"host": {Default: "0"}}
	spec.Series = []plotting.SeriesSpec{{Metric: "load", Labels: map[string]string{"host": "$host"}, Name: "{core}"}}
	spec.Y.Min, spec.Y.Max = new(0.0), new(100.0)

	used := cpu(b)
	for range 3 {
		second()
	}
	feeding := (cpu(b) - used) / 3

	reg := prometheus.NewRegistry()
	p, err := NewPool(Config{MaxViews: views, Linger: time.Second}, zap.NewNop(), reg)
	if err != nil {
		b.Fatal(err)
	}
	p.SetChart(&Chart{Name: "load", Spec: &spec, NewRenderer: func() Renderer { return plotting.NewLive(&spec, st) }})
	defer func() {
		if err := p.Close(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
	}()
	for i := range views {
		v, err := spec.Change(spec.View("load"), plotting.Change{Vars: map[string]string{"host": fmt.Sprint(i)}})
		if err != nil {
			b.Fatal(err)
		}
		l, err := p.Acquire(KeyOf(v))
		if err != nil {
			b.Fatal(err)
		}
		l.Watch(nobody{}, false, nil)
	}
	for range 3 {
		second() // the first frames
	}
	before, ran := counted(b, reg, "late"), counted(b, reg, "")
	wall, used := time.Now(), cpu(b)
	n := 0
	for b.Loop() {
		second()
		n++
	}
	spent := cpu(b) - used - time.Duration(n)*feeding
	b.ReportMetric(100*float64(spent)/float64(time.Since(wall)), "%core")
	b.ReportMetric((counted(b, reg, "")-ran)/time.Since(wall).Seconds(), "ticks/s")
	b.ReportMetric(counted(b, reg, "late")-before, "late")
	b.ReportMetric(100*float64(feeding)/float64(time.Second), "%core-feed")
	b.ReportMetric(0, "ns/op")
}

// counted returns how many ticks there were, or how many were skipped for a
// reason.
func counted(b *testing.B, reg *prometheus.Registry, reason string) float64 {
	b.Helper()
	families, err := reg.Gather()
	if err != nil {
		b.Fatal(err)
	}
	name, sum := "chartd_ticks_total", 0.0
	if reason != "" {
		name = "chartd_skipped_ticks_total"
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			match := reason == ""
			for _, l := range m.GetLabel() {
				match = match || l.GetName() == "reason" && l.GetValue() == reason
			}
			if match {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
