package plotting

import (
	"math"
	"strconv"
)

// scale maps times and values to a frame's units for one epoch.
type scale struct {
	t0      int64   // ms at x = 0
	perMs   float64 // units per ms
	bottom  int64   // y of min
	min     float64 // value at bottom
	perUnit float64 // units per 1 of value
}

// farOut bounds y, so that a value far beyond a pinned axis stays a number that
// every renderer takes; it is clipped long before.
const farOut = 100_000

func (s *scale) x(t int64) int64 { return round(float64(t-s.t0) * s.perMs) }

// far is x of a time that may be any, and then is out of sight.
func (s *scale) far(t int64) int64 {
	return round(max(-clipFar, min(clipFar, (float64(t)-float64(s.t0))*s.perMs)))
}

func (s *scale) y(v float64) int64 {
	return s.bottom - round(max(-farOut, min(farOut, (v-s.min)*s.perUnit)))
}

// shape is a way of drawing a line's points as a path, written so that a new
// point is appended. Numbers are relative to the point before, which keeps
// them short.
type shape interface {
	// begin starts at a point behind a break.
	begin(b []byte, x, y int64) []byte
	// alone draws a point between two breaks, large enough to be seen.
	alone(b []byte, x, y int64) []byte
	// to goes on to a point.
	to(b []byte, dx, dy int64) []byte
	// stop ends before a break.
	stop(b []byte) []byte
	// tail ends the path where it is now.
	tail() string
}

// maxShapes is in how many ways one line is drawn at most.
const maxShapes = 2

// lineShape joins the points by straight lines.
type lineShape struct{}

func (lineShape) begin(b []byte, x, y int64) []byte {
	return append(appendXY(append(b, 'M'), x, y), "l0 0"...)
}
func (lineShape) alone(b []byte, x, y int64) []byte { return appendDot(b, x, y) }
func (lineShape) to(b []byte, dx, dy int64) []byte  { return appendXY(append(b, ' '), dx, dy) }
func (lineShape) stop(b []byte) []byte              { return b }
func (lineShape) tail() string                      { return "" }

// stepShape holds each value until the next one.
type stepShape struct{}

func (stepShape) begin(b []byte, x, y int64) []byte {
	return append(appendXY(append(b, 'M'), x, y), "h0"...)
}

func (stepShape) alone(b []byte, x, y int64) []byte { return appendDot(b, x, y) }

func (stepShape) to(b []byte, dx, dy int64) []byte {
	b = strconv.AppendInt(append(b, 'h'), dx, 10)
	if dy != 0 {
		b = strconv.AppendInt(append(b, 'v'), dy, 10)
	}
	return b
}
func (stepShape) stop(b []byte) []byte { return b }
func (stepShape) tail() string         { return "" }

// dotShape draws each point by itself.
type dotShape struct{}

func (dotShape) begin(b []byte, x, y int64) []byte {
	return append(appendXY(append(b, 'M'), x, y), "h0"...)
}

func (d dotShape) alone(b []byte, x, y int64) []byte { return d.begin(b, x, y) }

func (dotShape) to(b []byte, dx, dy int64) []byte {
	return append(appendXY(append(b, 'm'), dx, dy), "h0"...)
}
func (dotShape) stop(b []byte) []byte { return b }
func (dotShape) tail() string         { return "" }

// fillShape fills from the line down to a base line.
type fillShape struct {
	down string // "V3400": the way back to the base line
}

func newFillShape(base int64) fillShape { return fillShape{"V" + strconv.FormatInt(base, 10)} }

func (f fillShape) begin(b []byte, x, y int64) []byte {
	b = strconv.AppendInt(append(b, 'M'), x, 10)
	b = append(append(b, ' '), f.down[1:]...)
	b = strconv.AppendInt(append(b, 'V'), y, 10)
	return append(b, "l0 0"...)
}

// alone is a bar of two px.
func (f fillShape) alone(b []byte, x, y int64) []byte {
	b = strconv.AppendInt(append(b, 'M'), x-unit, 10)
	b = append(append(b, ' '), f.down[1:]...)
	b = strconv.AppendInt(append(b, 'V'), y, 10)
	return append(b, "h20"...)
}

func (fillShape) to(b []byte, dx, dy int64) []byte { return appendXY(append(b, ' '), dx, dy) }
func (f fillShape) stop(b []byte) []byte           { return append(b, f.down...) }
func (f fillShape) tail() string                   { return f.down }

// appendDot writes a dot of four px, in the stroke of a line, and ends in its
// middle, so that the end of the path is the newest value here, too.
func appendDot(b []byte, x, y int64) []byte {
	return append(appendXY(append(b, 'M'), x, y), "l-11 0 11-11 11 11-11 11-11-11 11 0"...)
}

// appendXY writes two numbers as SVG reads them in the fewest bytes: a minus
// sign separates by itself.
func appendXY(b []byte, x, y int64) []byte {
	b = strconv.AppendInt(b, x, 10)
	if y >= 0 {
		b = append(b, ' ')
	}
	return strconv.AppendInt(b, y, 10)
}

// drawn is a chunk as one path.
type drawn struct {
	text []byte
	ends []uint16 // len(text) behind each point
	node *Node
	// alone says that the last point was drawn as one that stands alone.
	alone bool
}

// draw brings the chunk's path up to date: a node that differs from the one
// before if the path does. Points before c.dirty are as they were at the last
// call; d.node has its key and start tag from the beginning. goesOn says that
// the line does, in the next chunk.
//
// The text grows in place, which older frames do not see, as they know its old
// length; before text that they do see is written over, it is copied.
func (d *drawn) draw(c *chunk, s *scale, sh shape, goesOn bool) {
	from := min(c.dirty, len(d.ends))
	if from >= len(c.pts) && len(d.ends) == len(c.pts) && d.node.Live != nil && !d.turns(c, goesOn) {
		return
	}
	if from > 0 && c.begins(from-1) {
		from-- // what comes behind it decides how it is drawn
	}
	end := 0
	if from > 0 {
		end = int(d.ends[from-1])
	}
	if end < len(d.text) {
		d.text = append(make([]byte, 0, cap(d.text)), d.text[:end]...)
	}
	d.ends = d.ends[:from]

	prev := point{v: math.NaN()}
	switch {
	case from > 0:
		prev = c.pts[from-1]
	case c.joins > 0:
		start := c.joins - 1
		if _, fills := sh.(fillShape); fills {
			start = 0 // overlap, so that no seam shows through
		}
		for _, p := range c.join[start:c.joins] {
			d.text = d.step(prev, p, s, sh)
			prev = p
		}
	}
	for i, p := range c.pts[from:] {
		on := goesOn
		if next := from + i + 1; next < len(c.pts) {
			on = !math.IsNaN(c.pts[next].v)
		}
		if d.alone = !on && c.begins(from+i); d.alone {
			d.text = sh.alone(d.text, s.x(p.t), s.y(p.v))
		} else {
			d.text = d.step(prev, p, s, sh)
		}
		d.ends = append(d.ends, uint16(len(d.text))) //nolint:gosec // at most 160 points of 60 bytes
		prev = p
	}
	if d.text == nil {
		d.text = []byte{}
	}
	d.node = &Node{Key: d.node.Key, Type: Path, Open: d.node.Open, Live: d.text}
	if len(d.text) > 0 { // a path that begins with its tail is none
		d.node.Tail = sh.tail()
	}
}

// turns reports whether the last point is drawn otherwise once the line goes
// on, or does not any more.
func (d *drawn) turns(c *chunk, goesOn bool) bool {
	n := len(c.pts)
	return n > 0 && c.begins(n-1) && d.alone == goesOn
}

// step writes the way from one point to the next.
func (d *drawn) step(prev, p point, s *scale, sh shape) []byte {
	wasBreak, isBreak := math.IsNaN(prev.v), math.IsNaN(p.v)
	switch {
	case isBreak && wasBreak:
		return d.text
	case isBreak:
		return sh.stop(d.text)
	case wasBreak:
		return sh.begin(d.text, s.x(p.t), s.y(p.v))
	}
	return sh.to(d.text, s.x(p.t)-s.x(prev.t), s.y(p.v)-s.y(prev.v))
}
