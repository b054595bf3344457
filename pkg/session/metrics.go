package session

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/wire"
)

// metrics is what a hub counts. Labels are the names of charts, which the
// configuration bounds, and words of this package, nothing that clients make up.
type metrics struct {
	connected     prometheus.Gauge
	waiting       prometheus.Gauge
	subscriptions prometheus.Gauge
	hellos        *prometheus.CounterVec // result
	closed        *prometheus.CounterVec // reason
	refused       *prometheus.CounterVec // limit
	denied        *prometheus.CounterVec // reason
	callbacks     *prometheus.CounterVec // chart, cause, result
	overrunning   prometheus.Gauge
	seconds       *prometheus.HistogramVec // cause
}

// The limits that refuse, as they stand in metrics: the names of the settings.
const (
	limitSessions      = "max_sessions"
	limitAddress       = "max_sessions_per_address"
	limitViews         = "max_views"
	limitSubscriptions = "max_subscriptions"
	limitQueue         = "max_queue"
	limitRate          = "callbacks_per_second"
	limitWaiting       = "max_callbacks_waiting"
	limitMessages      = "messages_per_second"
	limitNewViews      = "new_views_per_minute"
	limitMemory        = "memory"            // GOMEMLIMIT, no setting
	limitLink          = "link_max_sessions" // of a signed link
)

// The results of a callback.
const (
	resultOK        = "ok"
	resultUnhandled = "unhandled"
	resultCanceled  = "canceled"
	resultFailed    = "failed"
	resultRefused   = "refused" // the change of the view that it asks for is none
	resultPanicked  = "panicked"
	resultTimeout   = "timeout"
	resultStopped   = "stopped" // its view or the server was
)

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chartd_" + name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "chartd_" + name, Help: help})
	}
	sessions := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "chartd_sessions", Help: "Sessions that are connected, and that wait to be resumed.",
	}, []string{"state"})
	m := &metrics{
		connected:     sessions.WithLabelValues("connected"),
		waiting:       sessions.WithLabelValues("waiting"),
		subscriptions: gauge("subscriptions", "Views that sessions watch or have paused, each session's counted."),
		hellos:        counter("hellos_total", "Sessions begun (new), resumed, and asked for in vain (unknown).", "result"),
		closed:        counter("closed_total", "Connections that ended, by the name of the close code; gone: by the other side.", "reason"),
		refused:       counter("refused_total", "Requests and connections refused, by the setting that says the limit.", "limit"),
		denied: counter("auth_refused_total",
			"Tokens, links and requests refused for who asks, by reason: a kind of bad token (missing, unknown, expired, signature ...), or a right that is not there (read, callback, view, subject, admin).", "reason"),
		callbacks:   counter("callbacks_total", "Runs of callbacks, by chart, cause and result.", "chart", "cause", "result"),
		overrunning: gauge("callbacks_overrunning", "Handlers that overran their time and have not returned yet."),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chartd_callback_seconds", Help: "Time that handlers ran, by cause.",
			Buckets: prometheus.ExponentialBuckets(100e-6, 4, 9),
		}, []string{"cause"}),
	}
	for _, c := range []prometheus.Collector{
		sessions, m.subscriptions, m.hellos, m.closed, m.refused, m.denied, m.callbacks, m.overrunning, m.seconds,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	// Show the reasons that alarms are made of from the start, at 0.
	for _, c := range []wire.CloseCode{wire.CloseSlowQueue, wire.CloseSlowWrite, wire.CloseOverloaded, wire.CloseShutdown} {
		m.closed.WithLabelValues(c.String())
	}
	return m, nil
}

// ran counts one run of a callback.
func (m *metrics) ran(chart string, cause Cause, result string, elapsed time.Duration) {
	m.callbacks.WithLabelValues(chart, string(cause), result).Inc()
	m.seconds.WithLabelValues(string(cause)).Observe(elapsed.Seconds())
}

// refuse counts a refusal.
func (m *metrics) refuse(limit string) { m.refused.WithLabelValues(limit).Inc() }

// forget drops the counters of a chart that is gone.
func (m *metrics) forget(chart string) {
	m.callbacks.DeletePartialMatch(prometheus.Labels{"chart": chart})
}
