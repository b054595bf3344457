package push

import (
	"errors"
	"fmt"
	"io"

	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

// place is where in the body a decoder is.
type place int

const (
	between    place = iota // outside any array: one sample after the other
	arrayStart              // behind '['
	arrayValue              // behind ','
	arrayNext               // behind a sample in an array
	arrayAgain              // in an array, where reading goes on after an error
)

// decoder reads samples from a body, one object, an array or one object a line
// and any mixture of them, and appends them as they come. It is used for one
// body at a time and keeps its buffers for the next.
type decoder struct {
	scanner
	place place
	app   store.Appender
	tally receive.Tally
	empty bool // so far

	names receive.Names
	sample
}

// decode reads the whole body. The error is the reader's; what is wrong with
// single samples is in tally.
func (d *decoder) decode(r io.Reader, app store.Appender) error {
	d.reset(r)
	d.place, d.app, d.tally, d.empty = between, app, receive.Tally{}, true
	if err := d.skipMark(); err != nil {
		d.recover(d.line, err)
	}
	for {
		d.skipSpace()
		c, ok := d.peek()
		if !ok {
			break
		}
		d.empty = false // an array may be
		from := d.line
		if err := d.step(c); err != nil {
			d.recover(from, err)
		}
	}
	if d.place != between {
		d.tally.Unread(d.line, d.unexpected("want ']' at the end of the array"))
	}
	if !errors.Is(d.err, io.EOF) {
		return d.err
	}
	return nil
}

// step reads a sample or what stands between two; c is the next byte.
func (d *decoder) step(c byte) error {
	switch {
	case d.place == between && c == '[':
		d.pos++
		d.place = arrayStart
		return nil
	case c == ']' && d.place != between && d.place != arrayValue:
		d.pos++
		d.place = between
		return nil
	case c == ',' && (d.place == arrayNext || d.place == arrayAgain):
		d.pos++
		d.place = arrayValue
		return nil
	case d.place == arrayNext:
		return d.unexpected("want ',' or ']' between the samples of an array")
	}
	if d.place != between {
		d.place = arrayNext
	}
	return d.readSample()
}

// recover rejects what could not be read, and finds a place from which reading
// can go on: the next line, if what is broken began on this one; else the next
// line that looks like a beginning. from is the line on which it began.
func (d *decoder) recover(from int, err error) {
	d.empty = false
	if d.place != between {
		d.place = arrayAgain
	}
	if c, _ := d.peek(); c == '{' && d.startsLine() && d.line > from {
		// The sample before lacks its end, or this would not look wrong.
		d.tally.Unread(from, errors.New("the object is not closed; want '}' at its end"))
		return
	}
	at := d.line
	if d.skipLine() && d.place != between {
		err = fmt.Errorf("%w; the rest of the line is not read", err)
	}
	d.tally.Unread(at, err)
	for at > from {
		d.skipSpace()
		if c, ok := d.peek(); !ok || c == '{' || c == '[' || c == ']' {
			return
		}
		d.skipLine()
	}
}

// skipMark passes over a byte order mark at the beginning.
func (d *decoder) skipMark() error {
	for i, want := range []byte("\xef\xbb\xbf") {
		c, ok := d.peek()
		switch {
		case ok && c == want:
			d.pos++
			d.fresh++
		case i == 0:
			return nil
		default:
			return d.unexpected("want the rest of a byte order mark")
		}
	}
	return nil
}

// maxKept is how large a buffer may have become and still be kept, in bytes.
const maxKept = 64 << 10

// release forgets what belongs to the body.
func (d *decoder) release() {
	d.scanner = scanner{buf: d.buf, text: d.text}
	if cap(d.text) > maxKept {
		d.text = nil
	}
	d.app, d.tally = nil, receive.Tally{}
	d.sample = sample{labels: d.labels}
}
