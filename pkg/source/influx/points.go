package influx

import (
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

	labels      store.Labels
	measurement string
	fields      []field       // by their place in a line, what the last one was that stood there
	name        []byte        // of a metric, while it is put together
	points      []store.Point // of the line; their time is not known before its end

	stamp []byte // the last timestamp, which the next line most often has, too
	time  int64  // what that is, in ms
}

// field is how a field is called, and the metric that it is for.
type field struct{ measurement, key, metric string }

// read reads the whole body, whose timestamps count u. The error is the body's;
// what is wrong with single lines is in tally.
func (r *reader) read(body io.Reader, u unit, app *store.Moment) error {
	r.lines.reset(body)
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
func (r *reader) append(t int64, app *store.Moment) error {
	for i := range r.points {
		r.points[i].Labels, r.points[i].Sample.T = r.labels, t
	}
	if refused := app.AppendAll(r.points); refused != nil {
		return fmt.Errorf("%.64s: %w", r.points[refused[0].Index].Metric, refused[0].Err)
	}
	return nil
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
	r.measurement = r.names.Like(r.measurement, measurement)
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

// readFields reads the fields that are numbers.
func (r *reader) readFields(dec *lineprotocol.Decoder) error {
	r.points = r.points[:0]
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
		r.points = append(r.points, store.Point{Metric: r.metric(len(r.points), key), Sample: store.Sample{V: v}})
	}
}

// metric returns the name of the metric of a field, which is the i-th of its line:
// that of the measurement, "_", and that of the field, unless this is just "value".
func (r *reader) metric(i int, key []byte) string {
	if i == len(r.fields) {
		r.fields = append(r.fields, field{})
	}
	// Most often the line before had the same there.
	f := &r.fields[i]
	if f.metric == "" || f.key != string(key) || f.measurement != r.measurement {
		f.measurement, f.key, f.metric = r.measurement, r.names.String(key), r.measurement
		if f.key != "value" {
			r.name = append(append(append(r.name[:0], r.measurement...), '_'), key...)
			f.metric = r.names.String(r.name)
		}
	}
	return f.metric
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
