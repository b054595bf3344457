package store

import "time"

// Clocked is an Appender that can do without looking at the clock, which takes
// as long as the rest of appending a sample. A Store is one.
type Clocked interface {
	Appender
	// AppendAt is Append at now, the present in ms since the Unix epoch as the
	// caller has just seen it.
	AppendAt(now int64, metric string, labels Labels, t int64, v float64) error
}

// Moment is an Appender for samples that come together: it looks at the clock
// once for all of them. It is for one goroutine. The zero Moment appends
// nowhere; see Of.
type Moment struct {
	app Appender
	to  Clocked
	now int64
}

// Of makes the Moment the present one of app.
func (m *Moment) Of(app Appender) {
	m.app = app
	m.to, _ = app.(Clocked)
	m.Renew()
}

// Renew looks at the clock again.
func (m *Moment) Renew() {
	if m.to != nil {
		m.now = time.Now().UnixMilli()
	}
}

// Append implements Appender.
func (m *Moment) Append(metric string, labels Labels, t int64, v float64) error {
	if m.to == nil {
		return m.app.Append(metric, labels, t, v)
	}
	return m.to.AppendAt(m.now, metric, labels, t, v)
}
