package transform_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/chartd/chartd/pkg/store"
)

// oracle is Prometheus' own engine, over what a store holds.
type oracle struct {
	engine *promql.Engine
	series map[string][]*store.Series
}

func newOracle(series ...*store.Series) *oracle {
	o := &oracle{
		engine: promql.NewEngine(promql.EngineOpts{MaxSamples: 1e9, Timeout: time.Minute, LookbackDelta: 5 * time.Minute}),
		series: map[string][]*store.Series{},
	}
	for _, s := range series {
		o.series[s.Metric()] = append(o.series[s.Metric()], s)
	}
	return o
}

// at returns the value of an instant query at time t (ms), by labels.
func (o *oracle) at(t testing.TB, expr string, ms int64) (map[string]float64, error) {
	t.Helper()
	q, err := o.engine.NewInstantQuery(t.Context(), o, nil, expr, time.UnixMilli(ms))
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer q.Close()
	res := q.Exec(t.Context())
	if res.Err != nil {
		return nil, res.Err
	}
	vector, err := res.Vector()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	out := map[string]float64{}
	for _, s := range vector {
		m := map[string]string{}
		s.Metric.Range(func(l labels.Label) {
			if l.Name != labels.MetricName {
				m[l.Name] = l.Value
			}
		})
		out[store.LabelsOf(m).String()] = s.F
	}
	return out, nil
}

// Querier implements storage.Queryable.
func (o *oracle) Querier(mint, maxt int64) (storage.Querier, error) {
	return &oracleQuerier{o, mint, maxt}, nil
}

type oracleQuerier struct {
	o          *oracle
	mint, maxt int64
}

func (q *oracleQuerier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (q *oracleQuerier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (q *oracleQuerier) Close() error { return nil }

func (q *oracleQuerier) Select(_ context.Context, _ bool, _ *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	var found []storage.Series
	for metric, list := range q.o.series {
		for _, s := range list {
			names := []string{labels.MetricName, metric}
			for _, l := range s.Labels() {
				names = append(names, l.Name, l.Value)
			}
			set := labels.FromStrings(names...)
			if slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return !m.Matches(set.Get(m.Name)) }) {
				continue
			}
			var samples []chunks.Sample
			s.Each(q.mint, q.maxt, func(b []store.Sample) {
				for _, x := range b {
					if math.IsNaN(x.V) {
						x.V = math.Float64frombits(value.StaleNaN)
					}
					samples = append(samples, floatSample{x.T, x.V})
				}
			})
			found = append(found, storage.NewListSeries(set, samples))
		}
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &oracleSet{series: found, at: -1}
}

type oracleSet struct {
	series []storage.Series
	at     int
}

func (s *oracleSet) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *oracleSet) At() storage.Series                { return s.series[s.at] }
func (s *oracleSet) Err() error                        { return nil }
func (s *oracleSet) Warnings() annotations.Annotations { return nil }

type floatSample struct {
	t int64
	v float64
}

func (s floatSample) T() int64                      { return s.t }
func (s floatSample) F() float64                    { return s.v }
func (s floatSample) H() *histogram.Histogram       { return nil }
func (s floatSample) FH() *histogram.FloatHistogram { return nil }
func (s floatSample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s floatSample) Copy() chunks.Sample           { return s }
