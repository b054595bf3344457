package statsd

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/chartd/chartd/pkg/store"
)

// metric is what came for one name and one set of tags since the last flush.
type metric struct {
	family family
	name   string
	labels store.Labels
	names  []string // of its series, in the order of its values
	seen   int64    // ms since the Unix epoch
	fresh  bool     // something came since the last flush
	blank  bool     // a timer has said that there is nothing

	total   float64 // of a counter or timer; a gauge's value
	count   float64 // of a timer
	lower   float64
	upper   float64
	kept    []weighted // of a timer, for percentiles
	offered int        // to kept
	members map[uint64]struct{}
}

// weighted is a value that stands for so many: one over its sampling rate.
type weighted struct{ value, weight float64 }

// newMetric returns a metric to which nothing came yet.
func newMetric(f family, name string, labels store.Labels, percentiles []float64) *metric {
	m := &metric{family: f, name: name, labels: labels}
	switch f {
	case counter:
		m.names = []string{name + ".count", name + ".rate"}
	case gauge:
		m.names = []string{name}
	case set:
		m.names = []string{name + ".count"}
		m.members = map[uint64]struct{}{}
	case timer:
		m.names = []string{name + ".count", name + ".sum", name + ".mean", name + ".lower", name + ".upper"}
		for _, p := range percentiles {
			m.names = append(m.names, name+".p"+strconv.FormatFloat(p, 'f', -1, 64))
		}
	}
	return m
}

// take adds a value.
func (m *metric) take(v float64, delta bool, rate float64, limit int) {
	switch {
	case m.family == counter:
		m.total += v / rate
	case m.family == gauge && delta:
		m.total += v
	case m.family == gauge:
		m.total = v
	default:
		m.time(weighted{v, 1 / rate}, limit)
	}
}

// time adds a value of a timer. Of more than limit, each has the same chance to
// be kept.
func (m *metric) time(w weighted, limit int) {
	if m.count == 0 {
		m.lower, m.upper = w.value, w.value
	}
	m.lower, m.upper = min(m.lower, w.value), max(m.upper, w.value)
	m.count += w.weight
	m.total += w.value * w.weight
	m.offered++
	if len(m.kept) < limit {
		m.kept = append(m.kept, w)
	} else if at := rand.IntN(m.offered); at < limit { //nolint:gosec // a sample of values, no secret
		m.kept[at] = w
	}
}

// flush appends what came within some seconds as samples at t, in ms, and begins
// anew.
func (m *metric) flush(app store.Appender, t int64, seconds float64, percentiles []float64) {
	switch m.family {
	case counter:
		m.put(app, t, m.total, m.total/seconds)
		m.total = 0
	case gauge:
		m.put(app, t, m.total)
	case set:
		m.put(app, t, float64(len(m.members)))
		if len(m.members) > 1024 { // the room of so many is not kept
			m.members = map[uint64]struct{}{}
		}
		clear(m.members)
	case timer:
		m.flushTimer(app, t, percentiles)
	}
	m.fresh = false
}

func (m *metric) flushTimer(app store.Appender, t int64, percentiles []float64) {
	if m.count == 0 {
		m.put(app, t, 0, 0)
		if !m.blank { // nothing took no time: the other lines have a gap
			for i := 2; i < len(m.names); i++ {
				_ = app.Append(m.names[i], m.labels, t, math.NaN()) // a refusal is counted where it is made
			}
			m.blank = true
		}
		return
	}
	m.put(app, t, m.count, m.total, m.total/m.count, m.lower, m.upper)
	slices.SortFunc(m.kept, func(a, b weighted) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	for i, p := range percentiles {
		_ = app.Append(m.names[5+i], m.labels, t, percentile(m.kept, p)) // see above
	}
	m.count, m.total, m.kept, m.offered, m.blank = 0, 0, m.kept[:0], 0, false
}

// put appends the first values of the metric. One that is infinite, since too
// much was added up, is a gap.
func (m *metric) put(app store.Appender, t int64, values ...float64) {
	for i, v := range values {
		if math.IsInf(v, 0) {
			v = math.NaN()
		}
		_ = app.Append(m.names[i], m.labels, t, v) // a refusal is counted where it is made
	}
}

// end lets the lines of a metric end in a gap.
func (m *metric) end(app store.Appender, t int64) {
	for _, name := range m.names {
		_ = app.Append(name, m.labels, t, math.NaN()) // see above
	}
}

// percentile returns the least value that p percent of all are not above. The
// values are sorted and at least one.
func percentile(values []weighted, p float64) float64 {
	var all, sum float64
	for _, w := range values {
		all += w.weight
	}
	for _, w := range values {
		if sum += w.weight; sum >= all*p/100 {
			return w.value
		}
	}
	return values[len(values)-1].value
}
