package push

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/store"
)

// sample is the one that is being read.
type sample struct {
	metric string
	labels store.Labels
	t      int64 // ms since the Unix epoch
	v      float64
	has    fields
	bad    error // the first thing that is wrong with it, though it is JSON
	badAt  int   // and the line on which that stands
}

// fields says which fields a sample has had so far.
type fields struct{ metric, labels, t, v bool }

const example = `such as {"metric":"temp","labels":{"room":"a"},"t":1700000000000,"v":21.5}`

// readSample reads one object and appends what it says.
func (d *decoder) readSample() error {
	if c, ok := d.peek(); !ok || c != '{' {
		return d.unexpected("want an object, " + example)
	}
	line := d.line
	d.sample = sample{labels: d.labels[:0]}
	d.pos++
	if err := d.members('}', d.readField); err != nil {
		return err
	}
	switch {
	case d.bad != nil:
		d.tally.Unread(d.badAt, d.bad)
	case !d.has.metric:
		d.tally.Unread(line, errors.New(`"metric" is missing; want an object, `+example))
	case !d.has.v:
		d.tally.Unread(line, errors.New(`"v" is missing; a gap is "v":null`))
	default:
		if err := d.settle(); err != nil {
			d.tally.Unread(line, err)
			break
		}
		if err := d.append(); err != nil {
			d.tally.Refused(line, err)
			break
		}
		d.tally.Accepted++
	}
	return nil
}

// settle sorts the labels and leaves out those that are empty, which are none; but
// a name that is wrong is so whatever its value.
func (d *decoder) settle() error {
	slices.SortFunc(d.labels, func(a, b store.Label) int { return strings.Compare(a.Name, b.Name) })
	for i, l := range d.labels {
		switch {
		case l.Name == "":
			return errors.New("labels: a label's name is empty")
		case i > 0 && d.labels[i-1].Name == l.Name:
			return fmt.Errorf("labels.%.64s: is given twice", l.Name)
		}
	}
	d.labels = slices.DeleteFunc(d.labels, func(l store.Label) bool { return l.Value == "" })
	return nil
}

// append appends the sample, with which nothing is wrong.
func (d *decoder) append() error {
	if !d.has.t {
		d.t = time.Now().UnixMilli()
	}
	return d.app.Append(d.metric, d.labels, d.t, d.v)
}

// readField reads one member of a sample. An error means that it is not JSON.
func (d *decoder) readField() error {
	if err := d.key(); err != nil {
		return err
	}
	switch string(d.text) {
	case "metric":
		return d.readOnce("metric", &d.has.metric, d.readMetric)
	case "labels":
		return d.readOnce("labels", &d.has.labels, d.readLabels)
	case "t":
		return d.readOnce("t", &d.has.t, d.readTime)
	case "v":
		return d.readOnce("v", &d.has.v, d.readValue)
	}
	if d.bad == nil {
		d.refuse("%s", unknown(string(d.text)))
	}
	return d.skip(0)
}

// readOnce reads the value of a field with read, unless the field was there
// before.
func (d *decoder) readOnce(name string, has *bool, read func(kind) error) error {
	if *has {
		d.refuse("%s: is given twice", name)
		return d.skip(0)
	}
	*has = true
	k, err := d.next()
	if err != nil {
		return err
	}
	return read(k)
}

func (d *decoder) readMetric(k kind) error {
	if k != aString {
		return d.wrong("metric", k, "the metric's name, a string")
	}
	if err := d.readString(); err != nil {
		return err
	}
	d.metric = d.names.String(d.text)
	return nil
}

func (d *decoder) readLabels(k kind) error {
	switch k {
	case aNull:
		return d.readWord()
	case anObject:
		d.pos++
		return d.members('}', d.readLabel)
	}
	return d.wrong("labels", k, "an object of strings")
}

func (d *decoder) readLabel() error {
	if err := d.key(); err != nil {
		return err
	}
	name := d.names.String(d.text)
	k, err := d.next()
	if err != nil {
		return err
	}
	if k != aString {
		return d.wrong("labels."+name, k, "a string")
	}
	if err := d.readString(); err != nil {
		return err
	}
	d.labels = append(d.labels, store.Label{Name: name, Value: d.names.String(d.text)})
	return nil
}

// readTime reads t. Some clocks give fractions of a ms, which are cut off.
func (d *decoder) readTime(k kind) error {
	switch k {
	case aNull:
		d.has.t = false
		return d.readWord()
	case aNumber:
	default:
		return d.wrong("t", k, "ms since 1970 as a number; without t it is now")
	}
	if err := d.readNumber(); err != nil {
		return err
	}
	if t, err := strconv.ParseInt(string(d.text), 10, 64); err == nil {
		d.t = t
		return nil
	}
	// What is out of a float's range becomes infinite.
	if f, _ := strconv.ParseFloat(string(d.text), 64); math.Abs(f) < 1<<63 {
		d.t = int64(f)
	} else {
		d.refuse("t: %.40s is out of range; want ms since 1970", d.text)
	}
	return nil
}

func (d *decoder) readValue(k kind) error {
	d.v = math.NaN()
	switch k {
	case aNull:
		return d.readWord()
	case aNumber:
		if err := d.readNumber(); err != nil {
			return err
		}
		v, err := strconv.ParseFloat(string(d.text), 64)
		if err != nil {
			d.refuse("v: %.40s is out of range", d.text)
		}
		d.v = v
		return nil
	case aString:
		if err := d.readString(); err != nil {
			return err
		}
		if string(d.text) != "NaN" {
			d.refuse(`v: is the string %.40q; want a number, or null or "NaN" for a gap`, d.text)
		}
		return nil
	}
	return d.wrong("v", k, `a number, or null or "NaN" for a gap`)
}

// wrong refuses a field for its kind of value, and passes over that.
func (d *decoder) wrong(field string, got kind, want string) error {
	d.refuse("%s: is %s; want %s", field, got, want)
	return d.skip(0)
}

// refuse notes what is wrong with the sample; the first thing counts.
func (d *decoder) refuse(format string, args ...any) {
	if d.bad == nil {
		d.bad, d.badAt = fmt.Errorf(format, args...), d.line
	}
}

// unknown says that there is no such field, and which was probably meant.
func unknown(name string) string {
	names := []string{"metric", "labels", "t", "v"}
	near := problem.Nearest(name, names)
	switch strings.ToLower(name) {
	case "name", "measurement", "series":
		near = "metric"
	case "tags", "label":
		near = "labels"
	case "time", "ts", "timestamp":
		near = "t"
	case "value", "val", "y":
		near = "v"
	}
	hint := ""
	if near != "" {
		hint = fmt.Sprintf("did you mean %q? ", near)
	}
	return fmt.Sprintf("unknown field %.40q; %sThe fields are %s", name, hint, strings.Join(names, ", "))
}
