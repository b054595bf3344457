package daemon

import (
	"runtime"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are what the daemon as a whole counts.
type metrics struct {
	reloadOK       prometheus.Gauge
	reloadTime     prometheus.Gauge
	reloadFailures prometheus.Counter
}

// newRegistry returns a registry with the metrics of the process, and the
// daemon's own. No registry is shared between daemons.
func newRegistry(version string) (*prometheus.Registry, *metrics, error) {
	reg := prometheus.NewRegistry()
	m := &metrics{
		reloadOK: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "chartd_config_last_reload_successful", Help: "Whether the configuration was in order when it was last read: 1 or 0.",
		}),
		reloadTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "chartd_config_last_reload_success_timestamp_seconds", Help: "When the configuration was last read and in order.",
		}),
		reloadFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "chartd_config_reload_failures_total", Help: "How often a changed configuration was refused.",
		}),
	}
	_, number, _ := strings.Cut(version, "/")
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "chartd_build_info", Help: "1, with what was built as labels.",
		ConstLabels: prometheus.Labels{"version": number, "goversion": runtime.Version()},
	})
	info.Set(1)
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		info, m.reloadOK, m.reloadTime, m.reloadFailures,
	} {
		if err := reg.Register(c); err != nil {
			return nil, nil, err
		}
	}
	return reg, m, nil
}
