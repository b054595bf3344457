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

	// Of the series that is being read:
	metric string
	labels store.Labels
	sorted bool // the labels are, so far
	many   int  // how many labels there are, if they are too many

	checking bool // nothing is kept
	now      store.Moment
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
	m.checking = true
	if err := m.each(body, nil); err != nil {
		return err
	}
	m.checking = false
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
	rest := body
	if !m.checking {
		var err error
		if rest, err = m.readLabels(body); err != nil {
			return err
		}
		if !m.sorted { // the protocol says that they are
			slices.SortFunc(m.labels, func(a, b store.Label) int { return strings.Compare(a.Name, b.Name) })
		}
	}
	for f := (fields{rest: rest}); ; {
		ok, err := f.next()
		if !ok || err != nil {
			return err
		}
		switch {
		case f.number == fieldSamples:
			if f.kind != counted {
				return errors.New("a sample is no message")
			}
			t, v, err := readSample(f.bytes)
			if err != nil {
				return fmt.Errorf("a sample: %w", err)
			}
			if !m.checking {
				m.append(app, t, v)
			}
		case f.number == m.layout.labels && m.checking:
			if err := m.readLabelsField(&f); err != nil {
				return err
			}
		case f.number == m.layout.histograms && !m.checking:
			m.skipped++
		}
	}
}

// append appends a sample of the series that is being read.
func (m *message) append(app store.Appender, t int64, v float64) {
	if m.many > 0 {
		m.tally.Unread(m.series, fmt.Errorf("%.64s: labels: %d labels; at most %d", m.metric, m.many, store.MaxLabels))
		return
	}
	if math.IsInf(v, 0) {
		v = math.NaN() // no axis can show it
		m.skipped++
	}
	if err := app.Append(m.metric, m.labels, t, v); err != nil {
		m.tally.Refused(m.series, fmt.Errorf("%.64s: %w", m.metric, err))
		return
	}
	m.tally.Accepted++
}

// readLabels reads the labels of a series, the metric's name among them, and
// returns what begins with the first field that is something else.
func (m *message) readLabels(body string) (rest string, err error) {
	m.metric, m.labels, m.sorted, m.many = "", m.labels[:0], true, 0
	only := true // nothing else has come
	for f := (fields{rest: body}); ; {
		at := f.rest
		ok, err := f.next()
		switch {
		case !ok || err != nil:
			return rest, err
		case f.number == m.layout.labels:
			if err := m.readLabelsField(&f); err != nil {
				return "", err
			}
		case only:
			rest, only = at, false
		}
	}
}

// readLabelsField reads a field that holds a label, or all of them.
func (m *message) readLabelsField(f *fields) (err error) {
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
	return nil
}

// readLabel reads a label that is written out.
func (m *message) readLabel(body string) error {
	// As they are nearly always written: the name, then the value, both short.
	if len(body) > 2 && body[0] == 1<<3|byte(counted) && body[1] < 0x80 && int(body[1])+4 <= len(body) {
		n := 2 + int(body[1])
		name, rest := body[2:n], body[n:]
		if rest[0] == 2<<3|byte(counted) && rest[1] < 0x80 && int(rest[1])+2 == len(rest) {
			m.add(store.Label{Name: name, Value: rest[2:]})
			return nil
		}
	}
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

// add adds a label, as long as there are not too many for a series. One of them
// is the metric's name; one without a value is none.
func (m *message) add(l store.Label) {
	n := len(m.labels)
	switch {
	case m.checking || l.Value == "":
	case l.Name == nameLabel:
		m.metric = l.Value
	case n == store.MaxLabels:
		m.many = max(m.many, n) + 1
	default:
		m.sorted = m.sorted && (n == 0 || m.labels[n-1].Name <= l.Name)
		m.labels = append(m.labels, l)
	}
}

// nameLabel holds the metric's name.
const nameLabel = "__name__"

// readSample reads a time, in ms, and a value.
func readSample(body string) (t int64, v float64, err error) {
	// As they are nearly always written: the value, then the time.
	if len(body) > 10 && body[0] == fieldValue<<3|byte(fixed64) && body[9] == fieldTime<<3|byte(varint) {
		f := fields{rest: body[10:]}
		if at, err := f.varint(); err == nil && f.rest == "" {
			return int64(at), math.Float64frombits(little(body[1:9])), nil
		}
	}
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
