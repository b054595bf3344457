package prometheus

import (
	"math"

	"github.com/chartd/chartd/pkg/store"
)

// series is what is known of a series of a query.
type series struct {
	labels store.Labels
	last   int64 // time of the newest value, in ms
	ended  bool  // the gap behind it has been marked
}

// take appends what came, up to the step end, and marks as a gap the first step
// at which a series has no value. Values from before oldest are left out. It
// returns how many are no numbers that can be shown.
func (q *query) take(lines []line, step, end, oldest int64, app store.Appender) (skipped int) {
	for _, l := range lines {
		labels := store.LabelsOf(l.Labels)
		key := labels.String()
		sr := q.series[key]
		for _, p := range l.Values {
			if p.t < oldest {
				continue
			}
			switch {
			case sr == nil:
				sr = &series{labels: labels}
				q.series[key] = sr
			case p.t <= sr.last:
				continue // it was not asked for
			case p.t > sr.last+step:
				q.end(sr, step, app)
			}
			if math.IsInf(p.v, 0) {
				p.v = math.NaN() // no axis can show it
				skipped++
			}
			// What the store refuses is counted and shown by the manager.
			_ = app.Append(q.metric, labels, p.t, p.v)
			sr.last, sr.ended = p.t, false
		}
	}
	for _, sr := range q.series {
		if sr.last < end {
			q.end(sr, step, app)
		}
	}
	return skipped
}

// end marks that a series has no value behind its last one.
func (q *query) end(sr *series, step int64, app store.Appender) {
	if !sr.ended {
		sr.ended = true
		_ = app.Append(q.metric, sr.labels, sr.last+step, math.NaN())
	}
}
