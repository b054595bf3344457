package source

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector shows the sources of a manager in /metrics.
type collector struct{ *Manager }

func desc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("chartd_source_"+name, help, []string{"source", "kind"}, nil)
}

// Describe implements prometheus.Collector. Which sources there are changes, but
// not what is said of them.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range sourceMetrics() {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	metrics := sourceMetrics()
	for _, st := range c.Status() {
		for _, m := range metrics {
			if v, ok := m.value(st, now); ok {
				ch <- prometheus.MustNewConstMetric(m.desc, m.kind, v, st.Name, st.Kind)
			}
		}
	}
}

// sourceMetric is one thing that is said of every source.
type sourceMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(st Status, now time.Time) (v float64, ok bool)
}

func sourceMetrics() []sourceMetric {
	count := func(get func(Status) uint64) func(Status, time.Time) (float64, bool) {
		return func(st Status, _ time.Time) (float64, bool) { return float64(get(st)), true }
	}
	return []sourceMetric{
		{desc("up", "1 while the source runs, 0 while it waits to be tried again."), prometheus.GaugeValue, func(st Status, _ time.Time) (float64, bool) {
			if st.Up {
				return 1, true
			}
			return 0, true
		}},
		{desc("age_seconds", "Seconds since the source's newest sample came in."), prometheus.GaugeValue, func(st Status, now time.Time) (float64, bool) {
			return now.Sub(st.Last).Seconds(), !st.Last.IsZero()
		}},
		{desc("samples_total", "Samples taken in."), prometheus.CounterValue, count(func(st Status) uint64 { return st.Samples })},
		{desc("rejected_total", "Samples that could not be read, or that the store refused."), prometheus.CounterValue, count(func(st Status) uint64 { return st.Rejected })},
		{desc("skipped_total", "Values left out on purpose, such as texts."), prometheus.CounterValue, count(func(st Status) uint64 { return st.Skipped })},
		{desc("errors_total", "Runs that ended in an error."), prometheus.CounterValue, count(func(st Status) uint64 { return st.Errors })},
	}
}
