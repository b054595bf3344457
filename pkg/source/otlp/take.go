package otlp

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

// taking is a request whose points are appended, one after another.
type taking struct {
	cfg     *Config
	deltas  *deltas
	app     store.Appender
	tally   receive.Tally
	skipped int // values that cannot be shown

	resource, scope store.Labels

	// Of the point that is being taken:
	number int // from 1
	metric string
	labels store.Labels
	le     store.Labels // labels, and one more
	at     uint64       // ns since the Unix epoch
	delta  bool         // what counts is a difference
	err    error        // of the first sample that was not taken
	unread bool         // the store has not seen it
}

// take appends all points.
func (k *taking) take(data *metrics.MetricsData) {
	for _, rm := range data.GetResourceMetrics() {
		k.resource = k.cfg.resourceLabels(rm.GetResource())
		for _, sm := range rm.GetScopeMetrics() {
			k.scope = k.cfg.scopeLabels(sm.GetScope())
			for _, m := range sm.GetMetrics() {
				k.takeMetric(m)
			}
		}
	}
}

func (k *taking) takeMetric(m *metrics.Metric) {
	k.metric, k.delta = m.GetName(), false
	switch data := m.GetData().(type) {
	case *metrics.Metric_Gauge:
		k.numbers(data.Gauge.GetDataPoints())
	case *metrics.Metric_Sum:
		k.delta = isDelta(data.Sum)
		k.numbers(data.Sum.GetDataPoints())
	case *metrics.Metric_Histogram:
		k.delta = isDelta(data.Histogram)
		for _, p := range data.Histogram.GetDataPoints() {
			k.point(p, func() { k.histogram(p) })
		}
	case *metrics.Metric_ExponentialHistogram:
		k.delta = isDelta(data.ExponentialHistogram)
		for _, p := range data.ExponentialHistogram.GetDataPoints() {
			k.point(p, func() { k.exponential(p) })
		}
	case *metrics.Metric_Summary:
		for _, p := range data.Summary.GetDataPoints() {
			k.point(p, func() { k.summary(p) })
		}
	}
}

func isDelta(m interface {
	GetAggregationTemporality() metrics.AggregationTemporality
},
) bool {
	return m.GetAggregationTemporality() == metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
}

// anyPoint is what the points of all kinds have.
type anyPoint interface {
	GetAttributes() []*common.KeyValue
	GetTimeUnixNano() uint64
}

// point takes one point, whose samples f puts.
func (k *taking) point(p anyPoint, f func()) {
	k.number++
	k.at, k.err, k.unread = p.GetTimeUnixNano(), nil, false
	k.labels = append(append(k.labels[:0], k.resource...), k.scope...)
	for _, a := range p.GetAttributes() {
		k.labels = appendLabel(k.labels, "", a)
	}
	k.labels = settle(k.labels)
	if k.at == 0 {
		k.fail(errors.New("the point has no time_unix_nano"))
	} else {
		f()
	}
	switch {
	case k.err == nil:
		k.tally.Accepted++
	case k.unread:
		k.tally.Unread(k.number, fmt.Errorf("%.64s: %w", k.metric, k.err))
	default:
		k.tally.Refused(k.number, fmt.Errorf("%.64s: %w", k.metric, k.err))
	}
}

// fail says why a point cannot be read.
func (k *taking) fail(err error) { k.err, k.unread = err, true }

func (k *taking) numbers(points []*metrics.NumberDataPoint) {
	for _, p := range points {
		k.point(p, func() {
			switch v := p.GetValue().(type) {
			case nil:
				if !nothing(p) {
					k.fail(errors.New("the point has no value"))
					return
				}
				k.gap("")
			case *metrics.NumberDataPoint_AsDouble:
				k.count("", v.AsDouble, nothing(p))
			case *metrics.NumberDataPoint_AsInt:
				k.count("", float64(v.AsInt), nothing(p))
			}
		})
	}
}

// nothing reports whether a point says that there is no value.
func nothing(p interface{ GetFlags() uint32 }) bool {
	return p.GetFlags()&uint32(metrics.DataPointFlags_DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK) != 0
}

func (k *taking) histogram(p *metrics.HistogramDataPoint) {
	bounds, counts := p.GetExplicitBounds(), p.GetBucketCounts()
	if len(counts) > 0 && len(counts) != len(bounds)+1 {
		k.fail(fmt.Errorf("%d buckets do not fit to %d bounds", len(counts), len(bounds)))
		return
	}
	k.summed(p.GetCount(), p.Sum, p.Min, p.Max, nothing(p))
	var below uint64
	for i, n := range counts {
		below += n
		bound := "+Inf"
		if i < len(bounds) {
			bound = strconv.FormatFloat(bounds[i], 'f', -1, 64)
		}
		labels := k.with("le", bound)
		switch {
		case nothing(p):
			k.append("_bucket", labels, math.NaN())
		default:
			k.addUp("_bucket", labels, float64(below))
		}
	}
}

// exponential takes count, sum, min and max; the buckets, whose bounds change
// with time, cannot be shown.
func (k *taking) exponential(p *metrics.ExponentialHistogramDataPoint) {
	k.summed(p.GetCount(), p.Sum, p.Min, p.Max, nothing(p))
	if len(p.GetPositive().GetBucketCounts())+len(p.GetNegative().GetBucketCounts()) > 0 {
		k.skipped++
	}
}

// summed puts what every histogram has. Min and max are those of the point's
// time, whatever its temporality is.
func (k *taking) summed(count uint64, sum, least, most *float64, none bool) {
	k.count("_count", float64(count), none)
	if sum != nil {
		k.count("_sum", *sum, none)
	}
	if none {
		return
	}
	if least != nil {
		k.append("_min", k.labels, *least)
	}
	if most != nil {
		k.append("_max", k.labels, *most)
	}
}

func (k *taking) summary(p *metrics.SummaryDataPoint) {
	none := nothing(p)
	k.count("_count", float64(p.GetCount()), none)
	k.count("_sum", p.GetSum(), none)
	for _, q := range p.GetQuantileValues() {
		v := q.GetValue()
		if none {
			v = math.NaN()
		}
		k.append("", k.with("quantile", strconv.FormatFloat(q.GetQuantile(), 'f', -1, 64)), v)
	}
}

// with returns the labels and one more; they hold until the next call.
func (k *taking) with(name, value string) store.Labels {
	k.le = settle(append(append(k.le[:0], k.labels...), store.Label{Name: name, Value: value}))
	return k.le
}

// count puts a value that counts, or a gap if there is none.
func (k *taking) count(suffix string, v float64, none bool) {
	if none {
		k.gap(suffix)
		return
	}
	k.addUp(suffix, k.labels, v)
}

func (k *taking) gap(suffix string) { k.append(suffix, k.labels, math.NaN()) }

// addUp appends a value, to which those before are added if it is a difference.
func (k *taking) addUp(suffix string, labels store.Labels, v float64) {
	if !k.delta || math.IsNaN(v) || math.IsInf(v, 0) {
		k.append(suffix, labels, v)
		return
	}
	if k.err != nil {
		return
	}
	sum, undo, err := k.deltas.add(k.metric+suffix+"\x00"+labels.String(), k.at, v)
	if err != nil {
		k.fail(err)
		return
	}
	if k.append(suffix, labels, sum); k.err != nil {
		undo()
	}
}

// append appends a sample, unless one of the point was refused already.
func (k *taking) append(suffix string, labels store.Labels, v float64) {
	if k.err != nil {
		return
	}
	if math.IsInf(v, 0) {
		v = math.NaN() // no axis can show it
		k.skipped++
	}
	k.err = k.app.Append(k.metric+suffix, labels, int64(k.at/1e6), v) //nolint:gosec // it has room, divided
}
