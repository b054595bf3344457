package script

import "github.com/prometheus/client_golang/prometheus"

// How a run ended, in the metrics.
const (
	outcomeOK        = "ok"
	outcomeUnhandled = "unhandled"
	outcomeFailed    = "failed"
	outcomeSteps     = "steps"
	outcomeMemory    = "memory"
	outcomeTimeout   = "timeout"
	outcomeBusy      = "busy"
	outcomePanicked  = "panicked"
)

// metrics is what scripts count. Labels come from the configuration, which
// bounds them, and are words of this package.
type metrics struct {
	runs    *prometheus.CounterVec
	seconds prometheus.Histogram
	steps   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chartd_script_runs_total",
			Help: "Runs of scripts, by the row's on and outcome: ok, unhandled, or why not (failed, steps, memory, timeout, panicked); busy did not begin in time.",
		}, []string{"chart", "on", "outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "chartd_script_seconds", Help: "Time that scripts ran.", Buckets: prometheus.ExponentialBuckets(1e-5, 4, 9),
		}),
		steps: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "chartd_script_steps", Help: "Steps that scripts took; a run may take a million.", Buckets: prometheus.ExponentialBuckets(10, 10, 6),
		}),
	}
	for _, c := range []prometheus.Collector{m.runs, m.seconds, m.steps} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) forget(chart string) { m.runs.DeletePartialMatch(prometheus.Labels{"chart": chart}) }
