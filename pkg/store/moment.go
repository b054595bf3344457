package store

import "time"

// Point is a sample and the series that it is for.
type Point struct {
	// Metric and Labels are as those of Appender.Append.
	Metric string
	Labels Labels
	Sample Sample
}

// Refusal is a point that was not taken.
type Refusal struct {
	// Index says which of the points it is.
	Index int
	// Err is what Appender.Append would have returned.
	Err error
}

// Clocked is an Appender that takes many points for the price of little more than
// their places in memory: it does not look at the clock, and does but once what
// points with the very same labels have in common. A Store is one.
type Clocked interface {
	Appender
	// AppendAll is Append of one point after another at now, the present in ms
	// since the Unix epoch as the caller has just seen it. It returns those that
	// were refused, in order; nil if none was. It keeps nothing of points.
	AppendAll(now int64, points []Point) []Refusal
}

// AppendAll appends points to app at now, one after another, as Clocked says,
// even if app looks at the clock for each of them.
func AppendAll(app Appender, now int64, points []Point) (refused []Refusal) {
	if c, ok := app.(Clocked); ok {
		return c.AppendAll(now, points)
	}
	for i, p := range points {
		if err := app.Append(p.Metric, p.Labels, p.Sample.T, p.Sample.V); err != nil {
			refused = append(refused, Refusal{i, err})
		}
	}
	return refused
}

// Moment is an Appender for samples that come together: it looks at the clock
// once for all of them. It is for one goroutine. The zero Moment appends
// nowhere; see Of.
type Moment struct {
	app Appender
	now int64
	one [1]Point
}

// Of makes the Moment the present one of app.
func (m *Moment) Of(app Appender) {
	m.app = app
	m.Renew()
}

// Renew looks at the clock again.
func (m *Moment) Renew() { m.now = time.Now().UnixMilli() }

// Append implements Appender.
func (m *Moment) Append(metric string, labels Labels, t int64, v float64) error {
	m.one[0] = Point{metric, labels, Sample{t, v}}
	if refused := m.AppendAll(m.one[:]); refused != nil {
		return refused[0].Err
	}
	return nil
}

// AppendAll appends one point after another, and returns those that were refused,
// in order; nil if none was.
func (m *Moment) AppendAll(points []Point) []Refusal { return AppendAll(m.app, m.now, points) }
