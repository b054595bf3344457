package plotting

import (
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// bars is a bar for each line, as long as its newest value.
type bars struct {
	*readings
	cells []box
	scale scale
	base  int64 // y of 0, or of the end of the axis that is nearer to it
}

func newBars(h header, lines []*line) body {
	b := &bars{readings: newReadings(h, lines, true, 2)}
	b.draw = b.bar
	return b
}

func (b *bars) begin(h header, _, _ int64) {
	ts, room := b.restart(h)
	l := &b.layout
	l.axis(ts, b.y.now, h.axis(), vg.Length(room.y)/unit, timeStrip+margin-4)
	d := l.data
	b.scale = scale{bottom: d.bottom(), min: b.y.now.min, perUnit: float64(d.h) / (b.y.now.max - b.y.now.min)}
	b.base = min(max(b.scale.y(0), d.y), d.bottom())
	b.still = append(b.still, l.axes)
	if len(b.limits) > 0 {
		b.still = append(b.still, thresholdLines(ts, b.limits, b.y.now, &b.scale, d))
	}
	b.cells = make([]box, len(b.lines))
	n := int64(len(b.lines))
	for i := range b.cells {
		b.cells[i] = box{d.x + int64(i)*d.w/n, d.y, d.w / n, d.h}
	}
	b.names(ts, func(i int) (x, y, width, size int64) {
		c := b.cells[i]
		return c.x + c.w/2, d.bottom() + 16*unit, c.w - 4*unit, labelSize * unit
	})
	b.nothing(d)
}

// bar draws the i-th bar, rounded at its free end, and its value beside that.
func (b *bars) bar(i int, old []*Node) []*Node {
	c, v, key := b.cells[i], b.values[i], strconv.Itoa(i)
	width := min(c.w*6/10, 90*unit)
	x, y := c.x+(c.w-width)/2, b.base
	if !math.IsNaN(v) {
		y = min(max(b.scale.y(v), c.y), c.bottom())
	}
	dir := int64(1) // down from the free end to the base
	if y > b.base {
		dir = -1
	}
	r := min(4*unit, width/2, max(y-b.base, b.base-y))
	d := appendXY([]byte{'M'}, x, b.base)
	d = appendAttr(d, "V", y+dir*r)
	d = appendXY(append(d, 'Q'), x, y)
	d = appendXY(append(d, ' '), x+r, y)
	d = appendAttr(d, "H", x+width-r)
	d = appendXY(append(d, 'Q'), x+width, y)
	d = appendXY(append(d, ' '), x+width, y+dir*r)
	d = appendAttr(d, "V", b.base)
	d = append(d, 'Z')
	bar := &Node{Key: "g" + key, Type: Path, Live: d}
	paint, ok := reached(b.limits, v, 'f')
	if !ok {
		paint = "fc c" + strconv.Itoa(b.lines[i].index%Colors)
	}
	bar.Open = "<path data-k='" + bar.Key + "' class='" + paint + "'"
	// The value stands beyond the bar's end, or within it where there is no
	// room outside.
	const above, below = 6 * unit, 15 * unit
	label, class := y-above, "ff"
	switch room := b.layout.data; {
	case dir > 0 && label-labelSize*unit < room.y:
		label, class = y+below, "fb"
	case dir < 0 && y+below > room.bottom():
		label, class = y-above, "fb"
	case dir < 0:
		label = y + below
	}
	value := b.head.spec.Y.Unit.Value(v)
	text := textNode("v"+key, class, x+width/2, label, fitting(value, labelSize*unit, c.w), value)
	return []*Node{kept(old[0], bar), kept(old[1], text)}
}
