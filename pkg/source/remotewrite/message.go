package remotewrite

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

// version is which of the two messages a body is.
type version int

const (
	// v1 is prometheus.WriteRequest: every label is written out.
	v1 version = 1
	// v2 is io.prometheus.write.v2.Request: labels are places in a table of
	// texts.
	v2 version = 2
)

// layout says which field of a message is what.
type layout struct {
	symbols, series    uint64 // of the message
	labels, histograms uint64 // of a series
}

// layout returns where the versions have what. Both have the samples of a
// series in field 2, and in a sample the value in 1 and the time in 2.
func (v version) layout() layout {
	if v == v2 {
		return layout{symbols: 4, series: 5, labels: 1, histograms: 3}
	}
	return layout{series: 1, labels: 1, histograms: 4}
}

const (
	fieldSamples = 2
	fieldValue   = 1
	fieldTime    = 2
)

// message is a body that is being taken. It is used for one at a time and keeps
// its room for the next.
type message struct {
	version version
	layout  layout
	symbols []string

	series  int // that came so far
	tally   receive.Tally
	skipped int // values that cannot be shown: histograms, infinite ones

	labels store.Labels // of the series that is being read
	many   int          // how many labels that has, the name too, if they are too many
}

// brokenError says that nothing of a body was taken.
type brokenError struct {
	series int // in which it is broken; 0 if outside of one
	err    error
}

// Error says where the message is broken.
func (e *brokenError) Error() string {
	if e.series == 0 {
		return "the body is not what its Content-Type says: " + e.err.Error()
	}
	return fmt.Sprintf("series %d: %v", e.series, e.err)
}

// Unwrap returns what is wrong.
func (e *brokenError) Unwrap() error { return e.err }

// take appends the samples of a body. It reads the body twice: a body that is
// broken somewhere is refused as a whole, since its sender will not send it
// again.
func (m *message) take(body string, v version, app store.Appender) error {
	m.version, m.layout = v, v.layout()
	m.symbols, m.tally = m.symbols[:0], receive.Tally{}
	m.skipped = 0
	if err := m.readSymbols(body); err != nil {
		return err
	}
	if err := m.each(body, nil); err != nil {
		return err
	}
	return m.each(body, app)
}

// readSymbols reads the table of texts, which version 1 does not have.
func (m *message) readSymbols(body string) error {
	if m.version != v2 {
		return nil
	}
	for f := (fields{rest: body}); ; {
		ok, err := f.next()
		if err != nil {
			return &brokenError{err: err}
		}
		if !ok {
			return nil
		}
		if f.number == m.layout.symbols {
			if f.kind != counted {
				return &brokenError{err: errors.New("the symbols are not texts")}
			}
			m.symbols = append(m.symbols, f.bytes)
		}
	}
}

// each reads every series; without an appender it only checks.
func (m *message) each(body string, app store.Appender) error {
	m.series = 0
	for f := (fields{rest: body}); ; {
		ok, err := f.next()
		if err != nil {
			return &brokenError{err: err}
		}
		if !ok {
			return nil
		}
		if f.number != m.layout.series {
			continue
		}
		m.series++
		if f.kind != counted {
			return &brokenError{m.series, errors.New("is no message")}
		}
		if err := m.readSeries(f.bytes, app); err != nil {
			return &brokenError{m.series, err}
		}
	}
}

// readSeries reads a series: its labels, and then its samples.
func (m *message) readSeries(body string, app store.Appender) error {
	if err := m.readLabels(body); err != nil {
		return err
	}
	metric := m.name()
	for f := (fields{rest: body}); ; {
		ok, err := f.next()
		if !ok || err != nil {
			return err
		}
		switch f.number {
		case fieldSamples:
			if f.kind != counted {
				return errors.New("a sample is no message")
			}
			t, v, err := readSample(f.bytes)
			if err != nil {
				return fmt.Errorf("a sample: %w", err)
			}
			if app != nil {
				m.append(app, metric, t, v)
			}
		case m.layout.histograms:
			if app != nil {
				m.skipped++
			}
		}
	}
}

// append appends a sample of the series that is being read.
func (m *message) append(app store.Appender, metric string, t int64, v float64) {
	if m.many > 0 {
		m.tally.Unread(m.series, fmt.Errorf("%.64s: labels: %d labels; at most %d", metric, m.many-1, store.MaxLabels))
		return
	}
	if math.IsInf(v, 0) {
		v = math.NaN() // no axis can show it
		m.skipped++
	}
	if err := app.Append(metric, m.labels, t, v); err != nil {
		m.tally.Refused(m.series, fmt.Errorf("%.64s: %w", metric, err))
		return
	}
	m.tally.Accepted++
}

// readLabels reads the labels of a series, the metric's name among them.
func (m *message) readLabels(body string) error {
	m.labels, m.many = m.labels[:0], 0
	for f := (fields{rest: body}); ; {
		ok, err := f.next()
		if !ok || err != nil {
			return err
		}
		if f.number != m.layout.labels {
			continue
		}
		switch {
		case f.kind != counted:
			err = errors.New("the labels are no message")
		case m.version == v2:
			err = m.readRefs(f.bytes)
		default:
			err = m.readLabel(f.bytes)
		}
		if err != nil {
			return fmt.Errorf("labels: %w", err)
		}
	}
}

// readLabel reads a label that is written out.
func (m *message) readLabel(body string) error {
	var l store.Label
	for f := (fields{rest: body}); ; {
		ok, err := f.next()
		if err != nil {
			return err
		}
		switch {
		case !ok:
			m.add(l)
			return nil
		case f.number > 2:
		case f.kind != counted:
			return errors.New("a label is no text")
		case f.number == 1:
			l.Name = f.bytes
		default:
			l.Value = f.bytes
		}
	}
}

// readRefs reads labels that are places in the table: of a name, of its value,
// and so on.
func (m *message) readRefs(body string) error {
	for f := (fields{rest: body}); f.rest != ""; {
		name, err := m.symbol(&f)
		if err != nil {
			return err
		}
		if f.rest == "" {
			return errors.New("a name has no value")
		}
		value, err := m.symbol(&f)
		if err != nil {
			return err
		}
		m.add(store.Label{Name: name, Value: value})
	}
	return nil
}

func (m *message) symbol(f *fields) (string, error) {
	at, err := f.varint()
	if err != nil {
		return "", err
	}
	if at >= uint64(len(m.symbols)) {
		return "", fmt.Errorf("symbol %d is asked for, of %d", at, len(m.symbols))
	}
	return m.symbols[at], nil
}

// add adds a label, as long as there are not too many for a series. A label
// without a value is none.
func (m *message) add(l store.Label) {
	switch {
	case l.Value == "":
	case len(m.labels) > store.MaxLabels: // one of them is the metric's name
		m.many = max(m.many, len(m.labels)) + 1
	default:
		m.labels = append(m.labels, l)
	}
}

// nameLabel holds the metric's name.
const nameLabel = "__name__"

// name takes the metric's name from among the labels, and sorts the others if
// they are not; the protocol says that they are.
func (m *message) name() (metric string) {
	byName := func(a, b store.Label) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(m.labels, byName) {
		slices.SortFunc(m.labels, byName)
	}
	if at := slices.IndexFunc(m.labels, func(l store.Label) bool { return l.Name == nameLabel }); at >= 0 {
		metric = m.labels[at].Value
		m.labels = slices.Delete(m.labels, at, at+1)
	}
	return metric
}

// readSample reads a time, in ms, and a value.
func readSample(body string) (t int64, v float64, err error) {
	for f := (fields{rest: body}); ; {
		ok, err := f.next()
		switch {
		case !ok || err != nil:
			return t, v, err
		case f.number == fieldValue && f.kind == fixed64:
			v = math.Float64frombits(f.value)
		case f.number == fieldTime && f.kind == varint:
			t = int64(f.value)
		case f.number == fieldValue || f.number == fieldTime:
			return 0, 0, errors.New("its value or its time is of another type")
		}
	}
}
