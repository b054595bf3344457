package ticker

import "github.com/prometheus/client_golang/prometheus"

// metrics is what a pool counts. Labels are the names of charts, which the
// configuration bounds, never views, which clients make up.
type metrics struct {
	views    prometheus.Gauge
	ticks    *prometheus.CounterVec // chart
	skipped  *prometheus.CounterVec // chart, reason
	renders  *prometheus.CounterVec // chart
	failures *prometheus.CounterVec // chart
	seconds  prometheus.Histogram
	full     prometheus.Observer
	patch    prometheus.Observer
}

// The reasons for skipping.
const (
	skipLate = "late" // the tick was due while the loop could not run
	skipBusy = "busy" // the last tick's callback is still running
)

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chartd_" + name, Help: help}, labels)
	}
	bytes := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "chartd_frame_bytes", Help: "Length of encoded frames before compression, by type; each is counted once, however many watch.",
		Buckets: prometheus.ExponentialBuckets(64, 4, 9),
	}, []string{"type"})
	m := &metrics{
		views:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "chartd_views", Help: "Different views that are drawn at the moment."}),
		ticks:    counter("ticks_total", "Ticks of watched views.", "chart"),
		skipped:  counter("skipped_ticks_total", "Ticks skipped whole (late), or drawn without their callback (busy).", "chart", "reason"),
		renders:  counter("renders_total", "Renders of views, by ticks, callbacks and new watchers.", "chart"),
		failures: counter("render_errors_total", "Renders that failed or panicked.", "chart"),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "chartd_render_seconds", Help: "Time to draw a view and find what changed.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 3, 10),
		}),
		full:  bytes.WithLabelValues("full"),
		patch: bytes.WithLabelValues("patch"),
	}
	for _, c := range []prometheus.Collector{m.views, m.ticks, m.skipped, m.renders, m.failures, m.seconds, bytes} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// chartMetrics are the counters of one chart, looked up once.
type chartMetrics struct {
	ticks, late, busy, renders, failures prometheus.Counter
}

func (m *metrics) of(chart string) *chartMetrics {
	return &chartMetrics{
		ticks:    m.ticks.WithLabelValues(chart),
		late:     m.skipped.WithLabelValues(chart, skipLate),
		busy:     m.skipped.WithLabelValues(chart, skipBusy),
		renders:  m.renders.WithLabelValues(chart),
		failures: m.failures.WithLabelValues(chart),
	}
}

// forget drops the counters of a chart that is gone.
func (m *metrics) forget(chart string) {
	by := prometheus.Labels{"chart": chart}
	for _, v := range []*prometheus.CounterVec{m.ticks, m.skipped, m.renders, m.failures} {
		v.DeletePartialMatch(by)
	}
}
