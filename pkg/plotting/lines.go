package plotting

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/chartd/chartd/pkg/store"
)

// maxLines is how many series one chart draws; more would not be told apart,
// and the first ones stand for all.
const maxLines = 64

// line is one series of the store on a chart.
type line struct {
	series *store.Series
	name   string
	index  int    // in the chart: its colour
	key    string // of its node: "s" and the index
	hidden bool
	ended  bool // the view is one of the past
	fixed  bool // of a fixed range
	trace  trace
	tally  *tally // nil: not asked for
	cursor store.Cursor
	begun  bool
	seen   int64   // ms; in a view with an end, the newest sample that was read
	groups []*Node // the nodes of its shapes, as last drawn
}

// resolve finds the series that a spec and a view ask for, in the spec's
// order, and names them.
func resolve(spec *Spec, v View, picks Picks, q store.Querier, derived *transforms) ([]*line, error) {
	var lines []*line
	hidden := v.Hidden()
	seen := map[*store.Series]bool{}
	for i, s := range spec.Series {
		found, err := find(i, s, picks, q, derived)
		if err != nil {
			return nil, err
		}
		tell := telling(found)
		for _, series := range found {
			if len(lines) == maxLines || seen[series] {
				continue
			}
			seen[series] = true
			name := cmp.Or(seriesName(picks.Text(s.Name), series, tell), series.Metric()) // a label may be missing
			lines = append(lines, &line{
				series: series, name: name, index: len(lines), key: "s" + strconv.Itoa(len(lines)),
				hidden: slices.Contains(hidden, name), ended: v.ended(), fixed: !v.Live(),
			})
		}
	}
	return lines, nil
}

// find returns the series that the i-th series of a spec asks for.
func find(i int, s SeriesSpec, picks Picks, q store.Querier, derived *transforms) ([]*store.Series, error) {
	if s.Transform != "" {
		return derived.find(i, s, picks)
	}
	ms, err := parseMatchers(s.Labels, picks.Condition)
	if err != nil {
		return nil, err
	}
	return q.Select(picks.Text(s.Metric), ms), nil
}

// parseMatchers reads the conditions on labels, each of which expand fills in.
func parseMatchers(labels map[string]string, expand func(condition string) string) ([]store.Matcher, error) {
	ms := make([]store.Matcher, 0, len(labels))
	for label, value := range labels {
		m, err := store.ParseMatcher(label, expand(value))
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	slices.SortFunc(ms, func(a, b store.Matcher) int { return strings.Compare(a.Label(), b.Label()) })
	return ms, nil
}

// telling returns the labels in which the series differ.
func telling(found []*store.Series) []string {
	if len(found) < 2 {
		return nil
	}
	var names []string
	for _, s := range found {
		for _, l := range s.Labels() {
			if slices.Contains(names, l.Name) {
				continue
			}
			if slices.ContainsFunc(found, func(o *store.Series) bool { return o.Labels().Get(l.Name) != l.Value }) {
				names = append(names, l.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// seriesName fills in a name's template: "{label}" and "{metric}". Without one
// it is what tells the series from its like, or the metric.
func seriesName(template string, s *store.Series, tell []string) string {
	if template == "" {
		var parts []string
		for _, l := range tell {
			if v := s.Labels().Get(l); v != "" {
				parts = append(parts, v)
			}
		}
		if len(parts) == 0 {
			return s.Metric()
		}
		return strings.Join(parts, " ")
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, rest, closed := strings.Cut(after, "}")
		switch {
		case !closed:
			b.WriteString("{" + after)
			return b.String()
		case name == "metric":
			b.WriteString(s.Metric())
		default:
			b.WriteString(s.Labels().Get(name))
		}
		template = rest
	}
}

// sameSeries reports whether two lists show the same series in the same order
// under the same names.
func sameSeries(a, b []*line) bool {
	return slices.EqualFunc(a, b, func(x, y *line) bool {
		return x.series == y.series && x.name == y.name && x.hidden == y.hidden
	})
}

// noEnd is the end of what a view of the present reads: what is ahead of now
// scrolls in.
const noEnd = math.MaxInt64

// follow brings the line's trace up to what the store holds from a time on, up
// to another (ms), which is noEnd or never less than before. buf is scratch
// space, returned for the next one.
func (l *line) follow(from, to int64, buf []store.Sample) []store.Sample {
	if l.fixed {
		r := around([]*line{l}, from, to)
		from, to = r.from, r.to
	} else {
		from -= l.trace.span() // a chunk more than is seen, so that the line comes in from the left
	}
	if !l.begun {
		l.begun = true
		l.seen = l.rewind(from) - 1
		l.cursor = l.series.EachSummed(l.seen+1, to, l.add)
		return buf
	}
	samples, next, _, rewound := l.series.Since(l.cursor, buf[:0])
	if rewound {
		l.cursor = l.series.RereadSummed(l.cursor, func(t int64) int64 {
			t = max(t, from)
			if to != noEnd {
				t = min(t, l.seen+1) // what is later has yet to be seen, changed or not
			}
			l.seen = l.rewind(t) - 1
			return l.seen + 1
		}, func(b store.Block) { l.add(b.UpTo(to)) })
		return buf
	}
	l.cursor = next
	if to == noEnd {
		l.trace.addAll(samples)
		l.tally.add(samples)
	} else {
		// What the store has held for long becomes seen as time passes.
		l.series.EachSummed(l.seen+1, to, l.add)
	}
	return samples
}

// farthest is how many times as long as a fixed range what leads lines into it
// and out of it may be: so far, a picture's coordinates stay exact.
const farthest = maxUnits / (MaxSide * unit)

// around returns a fixed range with the nearest samples of some lines on both
// sides of it, so that lines go through the picture from edge to edge. Of lines
// that are piled up, one with a sample there is enough: it says what all of them
// add up to.
func around(lines []*line, from, to int64) timeRange {
	far := (to - from) * farthest
	before, after := from-far-1, to+far+1
	for _, l := range lines {
		if s, ok := l.series.Before(from); ok {
			before = max(before, s.T)
		}
		if s, ok := l.series.After(to); ok {
			after = min(after, s.T)
		}
	}
	if before < from-far {
		before = from
	}
	if after > to+far {
		after = to
	}
	return timeRange{before, after}
}

// add takes a block of samples in, which may be empty.
func (l *line) add(b store.Block) {
	if n := len(b.Samples); n > 0 {
		l.seen = b.Samples[n-1].T
		l.trace.addBlock(b)
		l.tally.add(b.Samples)
	}
}

// rewind forgets everything from about a time on, and returns the time from
// which samples have to be added again.
func (l *line) rewind(t int64) int64 {
	t = l.trace.rewind(t)
	l.tally.rewind(t)
	return t
}

// skew is how far ahead of now a sample may be and still be the newest value, in
// ms: clocks differ.
const skew = 60_000

// value returns the newest value not older than from, or NaN. What is further
// ahead of to than clocks differ counts only where there is nothing else: a clock
// that was set back leaves such behind, and they would stand still until then. In
// a view of the past (ended) nothing counts that came later.
func (l *line) value(from, to int64) float64 {
	s, ok := l.series.Last()
	switch {
	case l.ended:
		s, ok = l.series.Before(to + 1)
	case ok && s.T > to+skew:
		if near, there := l.series.Before(to + skew + 1); there && near.T >= from {
			s = near
		}
	}
	if !ok || s.T < from {
		return math.NaN()
	}
	return s.V
}
