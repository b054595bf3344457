package store

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// reason is why a sample was refused, as the metric says it.
type reason int

const (
	reasonTooOld reason = iota
	reasonTooNew
	reasonInfinite
	reasonName
	reasonLimit
	reasonCount
)

func (r reason) String() string {
	return [reasonCount]string{"too_old", "too_new", "infinite", "name", "limit"}[r]
}

func reasonOf(err error) reason {
	switch {
	case errors.Is(err, ErrTooOld):
		return reasonTooOld
	case errors.Is(err, ErrTooNew):
		return reasonTooNew
	case errors.Is(err, ErrInfinite):
		return reasonInfinite
	}
	if _, ok := errors.AsType[*LimitError](err); ok {
		return reasonLimit
	}
	return reasonName
}

// collector shows a store in /metrics. It counts nothing itself.
type collector struct{ *Store }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("chartd_store_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	c.maybeSweep(time.Now().UnixMilli())
	held := 0
	all, appended := c.table.all()
	for _, sr := range all {
		n, of := sr.counts()
		held, appended = held+n, appended+of
	}
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	gauge(desc("series", "Series that exist."), float64(c.series.Load()))
	gauge(desc("samples", "Samples held, of all series."), float64(held))
	gauge(desc("room_samples", "Samples that the allocated blocks have room for, at 16 bytes each; store.max_total bounds it."),
		float64(c.budget.used.Load()))
	ch <- prometheus.MustNewConstMetric(desc("appended_total", "Samples taken in."), prometheus.CounterValue, float64(appended))
	rejected := desc("rejected_total", "Samples refused, by reason.", "reason")
	for r := range reasonCount {
		ch <- prometheus.MustNewConstMetric(rejected, prometheus.CounterValue, float64(c.rejected[r].Load()), r.String())
	}
}
