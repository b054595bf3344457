package webhook

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics is what webhooks count. Labels come from the configuration, which
// bounds them, and are words of this package.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
	breaker  *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chartd_webhook_requests_total",
			Help: "Requests to webhooks, each retry counted, by the row's on and outcome: ok, or why not (status, redirect, timeout, unreachable, fenced, too_large, answer, canceled); open and busy were not sent.",
		}, []string{"chart", "on", "outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "chartd_webhook_seconds", Help: "Time that requests to webhooks took, to the end of the answer.",
			Buckets: prometheus.ExponentialBuckets(1e-3, 4, 8),
		}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "chartd_webhook_breaker", Help: "Whether a webhook that fails is left alone: 0 no, 2 yes, 1 one request tries it again.",
		}, []string{"chart", "on"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.breaker} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) forget(chart string) {
	m.requests.DeletePartialMatch(prometheus.Labels{"chart": chart})
	m.breaker.DeletePartialMatch(prometheus.Labels{"chart": chart})
}
