package server

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the HTTP side counts; sessions, views and sources count for
// themselves.
type metrics struct {
	connections    prometheus.Gauge
	refused        *prometheus.CounterVec // by reason
	writeErrors    *prometheus.CounterVec // by reason
	received       prometheus.Counter
	requests       *prometheus.CounterVec // by route, code
	requestSeconds *prometheus.HistogramVec
	panics         prometheus.Counter
	pictures       *prometheus.CounterVec // by format, from
	pictureSeconds prometheus.Histogram
	tables         *prometheus.CounterVec // by result
	certEnds       prometheus.Gauge
	certFailures   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "chartd_connections", Help: "Open WebSockets.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chartd_http_refused_total",
			Help: "Requests and upgrades turned away, by reason: origin, protocol, draining, pictures (too many wait), tables (too many are written), picture_rate (server.pictures_per_second), total (server.max_connections, or the limit of open files), address (server.max_connections_per_address), upgrades (server.max_upgrades_per_second), requests (server.max_requests), files (none left to accept with), memory (GOMEMLIMIT).",
		}, []string{"reason"}),
		writeErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chartd_websocket_write_errors_total", Help: "Writes to WebSockets that went wrong, by reason: timeout, gone.",
		}, []string{"reason"}),
		received: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "chartd_websocket_received_bytes_total", Help: "Bytes of messages read from WebSockets.",
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chartd_http_requests_total", Help: "HTTP requests answered, by route and class of status.",
		}, []string{"route", "code"}),
		requestSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chartd_http_request_seconds", Help: "Time from a request to the end of its answer, WebSockets aside, by route.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10},
		}, []string{"route"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "chartd_http_panics_total", Help: "Panics of HTTP handlers.",
		}),
		pictures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chartd_pictures_total", Help: "Pictures answered, by format (svg, png) and by where they came from (drawn, cache).",
		}, []string{"format", "from"}),
		pictureSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "chartd_picture_seconds", Help: "Time to draw and encode one picture.",
			Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3},
		}),
		tables: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chartd_tables_total", Help: "Tables (.csv) answered, by result: whole, cut (to its newest samples), broken (the client left).",
		}, []string{"result"}),
		certEnds: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "chartd_tls_certificate_expiry_timestamp_seconds", Help: "When the certificate that is shown ends; 0 without TLS.",
		}),
		certFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "chartd_tls_reload_failures_total", Help: "How often a changed certificate was not good, and the old one went on.",
		}),
	}
	for _, c := range []prometheus.Collector{
		m.connections, m.refused, m.writeErrors, m.received, m.requests, m.requestSeconds, m.panics, m.pictures, m.pictureSeconds, m.tables,
		m.certEnds, m.certFailures,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
