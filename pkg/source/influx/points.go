package influx

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

// reader appends the points of a body as they come. It is used for one body at a
// time and keeps its buffers for the next.
type reader struct {
	lines   lineReader
	names   receive.Names
	tally   receive.Tally
	skipped int // values that are texts

	labels store.Labels
	fields []field
	name   []byte // of a metric, while it is put together

	stamp []byte // the last timestamp, which the next line most often has, too
	time  int64  // what that is, in ms
}

// field is one number of a point.
type field struct {
	metric string
	value  float64
}

// read reads the whole body, whose timestamps count u. The error is the body's;
// what is wrong with single lines is in tally.
func (r *reader) read(body io.Reader, u unit, app store.Appender) error {
	buf := r.lines.buf
	if buf == nil {
		buf = bufio.NewReaderSize(nil, 16<<10)
	}
	buf.Reset(body)
	r.lines = lineReader{buf: buf}
	r.tally, r.skipped, r.stamp = receive.Tally{}, 0, r.stamp[:0]
	for dec := lineprotocol.NewDecoder(&r.lines); dec.Next(); {
		line := r.lines.line
		t, err := r.readPoint(dec, u)
		if r.lines.err != nil {
			break // this line never came to its end
		}
		if err != nil {
			r.tally.Unread(line, err)
		} else if err := r.append(t, app); err != nil {
			r.tally.Refused(line, err)
		} else {
			r.tally.Accepted++
		}
	}
	return r.lines.err
}

// append appends the fields of a point. If some are refused, the others stand;
// the error is that of the first.
func (r *reader) append(t int64, app store.Appender) (first error) {
	for _, f := range r.fields {
		if err := app.Append(f.metric, r.labels, t, f.value); err != nil && first == nil {
			first = fmt.Errorf("%.64s: %w", f.metric, err)
		}
	}
	return first
}

// readPoint reads the point on which dec stands: its time in ms, and the rest
// into r.
func (r *reader) readPoint(dec *lineprotocol.Decoder, u unit) (t int64, err error) {
	if err := r.readTags(dec); err != nil {
		return 0, explain(err)
	}
	if err := r.readFields(dec); err != nil {
		return 0, explain(err)
	}
	stamp, err := dec.TimeBytes()
	switch {
	case err != nil:
		return 0, explain(err)
	case stamp == nil:
		return time.Now().UnixMilli(), nil
	}
	if len(stamp) == 0 || !bytes.Equal(stamp, r.stamp) {
		t, err := u.millis(stamp)
		if err != nil {
			return 0, err
		}
		r.stamp, r.time = append(r.stamp[:0], stamp...), t
	}
	return r.time, nil
}

// readTags reads the measurement into name, and the tags into labels.
func (r *reader) readTags(dec *lineprotocol.Decoder) error {
	measurement, err := dec.Measurement()
	if err != nil {
		return err
	}
	r.name = append(r.name[:0], measurement...)
	r.labels = r.labels[:0]
	for {
		key, value, err := dec.NextTag()
		if err != nil {
			return err
		}
		if key == nil {
			break
		}
		// Most often the line before had the same there.
		var before store.Label
		if i := len(r.labels); i < cap(r.labels) {
			before = r.labels[:i+1][i]
		}
		r.labels = append(r.labels, store.Label{Name: r.names.Like(before.Name, key), Value: r.names.Like(before.Value, value)})
	}
	byName := func(a, b store.Label) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(r.labels, byName) {
		slices.SortFunc(r.labels, byName)
	}
	return nil
}

// readFields reads the fields that are numbers. The name of a metric is that of
// the measurement, "_", and that of the field, unless this is just "value".
func (r *reader) readFields(dec *lineprotocol.Decoder) error {
	r.fields = r.fields[:0]
	measurement := len(r.name)
	for {
		key, value, err := dec.NextField()
		if err != nil {
			return err
		}
		if key == nil {
			return nil
		}
		v, ok := number(value)
		if !ok {
			r.skipped++
			continue
		}
		name := r.name[:measurement]
		if string(key) != "value" {
			name = append(append(name, '_'), key...)
			r.name = name // which may have grown
		}
		before := ""
		if i := len(r.fields); i < cap(r.fields) {
			before = r.fields[:i+1][i].metric
		}
		r.fields = append(r.fields, field{r.names.Like(before, name), v})
	}
}

// number returns the value of a field; ok is false for a text.
func number(v lineprotocol.Value) (f float64, ok bool) {
	switch v.Kind() {
	case lineprotocol.Float:
		return v.FloatV(), true
	case lineprotocol.Int:
		return float64(v.IntV()), true
	case lineprotocol.Uint:
		return float64(v.UintV()), true
	case lineprotocol.Bool:
		if v.BoolV() {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// explain leaves out of a decoder's error what the answer says anyway: the line.
func explain(err error) error {
	if e, ok := errors.AsType[*lineprotocol.DecodeError](err); ok {
		return fmt.Errorf("column %d: %w", e.Column, e.Err)
	}
	return err
}
