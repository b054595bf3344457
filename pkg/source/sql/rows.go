package sql

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/chartd/chartd/pkg/source/lines"
	"github.com/chartd/chartd/pkg/store"
)

// maxPresent bounds the series without a time whose ends are marked.
const maxPresent = 100_000

// taker takes the rows of one answer.
type taker struct {
	*Source
	app     store.Appender
	now     int64
	newest  int64
	rows    int
	samples int
	skipped int
}

// take takes the row that has been read.
func (t *taker) take() {
	t.plan.decide(t.row, t.cfg)
	at, ok := t.when()
	if !ok {
		return
	}
	prefix := ""
	if t.plan.metric >= 0 {
		if prefix = t.plan.cols[t.plan.metric].text(t.row[t.plan.metric]); prefix == "" {
			t.reject(t.plan.metric, errors.New("NULL is no name of a metric"))
			return
		}
	}
	t.keys = t.keys[:0]
	for _, i := range t.plan.labels {
		if value := t.plan.cols[i].text(t.row[i]); value != "" {
			t.keys = append(t.keys, store.Label{Name: t.plan.cols[i].label, Value: value})
		}
	}
	for _, i := range t.plan.values {
		v, err := t.value(i)
		if err != nil {
			// In an overlap it comes again.
			if t.plan.time < 0 || t.seen.add(t.seen.series("\x00"+t.plan.cols[i].name+err.Error(), t.keys), at, 0) {
				t.reject(i, err)
			}
			continue
		}
		if t.row[i] != nil && math.IsNaN(v) {
			t.skipped++
		}
		t.append(t.metric(i, prefix), at, v)
	}
}

// when returns the time of the row in ms.
func (t *taker) when() (int64, bool) {
	i := t.plan.time
	if i < 0 {
		return t.now, true
	}
	at, err := t.clock.read(t.row[i], t.plan.cols[i].naive)
	if err != nil {
		t.reject(i, fmt.Errorf("%w; want a timestamp, a text such as 2006-01-02 15:04:05, or seconds or ms since 1970, or say time_column: which one it is, or none", err))
		return 0, false
	}
	t.newest = max(t.newest, at)
	if s, ok := t.row[i].(string); ok && len(s) > 10 && s[10] == 'T' {
		t.since.sep = "T"
	}
	return at, true
}

// value returns a column's value in the row.
func (t *taker) value(i int) (float64, error) {
	v := t.row[i]
	if b, ok := v.([]byte); ok && t.plan.cols[i].dbType == "BIT" {
		n := uint64(0)
		for _, c := range b {
			n = n<<8 | uint64(c)
		}
		v = n
	}
	if f, ok := v.(float64); ok && t.plan.cols[i].dbType == "FLOAT4" {
		v = float32(f)
	}
	f, err := sample(v)
	if err != nil {
		return 0, fmt.Errorf("%w; cast it in the query, or name the columns of numbers in values", err)
	}
	return f, nil
}

// metric returns the name of a column's metric in a row; prefix is the text of the
// metric column.
func (t *taker) metric(i int, prefix string) string {
	c := &t.plan.cols[i]
	if prefix == "" {
		return c.metric
	}
	id := lines.Identifier(prefix)
	if len(t.plan.values) > 1 {
		id += "_" + c.id
	}
	format := lines.Config{Metric: t.cfg.Metric}
	return format.MetricOf(t.deps.Name, id)
}

// append appends a sample of the series of t.keys, unless it came before.
func (t *taker) append(metric string, at int64, v float64) {
	series := t.seen.series(metric, t.keys)
	if t.plan.time >= 0 {
		if !t.seen.add(series, at, v) {
			return
		}
	} else if p := t.Source.now[series]; p != nil {
		p.fetch = t.fetch
	} else if len(t.Source.now) < maxPresent && !math.IsNaN(v) {
		t.Source.now[series] = &present{metric, slices.Clone(t.keys), t.fetch}
	}
	t.samples++
	// What the store refuses is counted and shown by the manager.
	_ = t.app.Append(metric, t.keys, at, v)
}

// reject counts what could not be read.
func (t *taker) reject(i int, err error) {
	t.deps.Reject(1, fmt.Errorf("column %q, row %d: %w", t.plan.cols[i].name, t.rows, err))
}

// absent ends the series without a time that the last answer did not have, or all
// of them.
func (s *Source) absent(app store.Appender, now int64, all bool) {
	for key, p := range s.now {
		if all || p.fetch != s.fetch {
			_ = app.Append(p.metric, p.labels, now, math.NaN())
			delete(s.now, key)
		}
	}
}
