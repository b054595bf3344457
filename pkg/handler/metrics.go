package handler

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/session"
)

// metrics is what an Engine counts. Labels come from the configuration, which
// bounds them, and are words of this package.
type metrics struct {
	rows *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{rows: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "chartd_callback_rows_total",
		Help: "Callbacks that a row of the configuration answered, by the row's on, its kind (set, webhook ...) and result (ok, unhandled, failed).",
	}, []string{"chart", "on", "kind", "result"})}
	return m, reg.Register(m.rows)
}

// ran counts one run of a row.
func (m *metrics) ran(chart string, a *answer, err error) {
	result := "ok"
	switch {
	case errors.Is(err, session.ErrNotHandled):
		result = "unhandled"
	case err != nil:
		result = "failed"
	}
	m.rows.WithLabelValues(chart, a.on.String(), a.kind, result).Inc()
}

// forget drops what was counted of a chart.
func (m *metrics) forget(chart string) {
	m.rows.DeletePartialMatch(prometheus.Labels{"chart": chart})
}
