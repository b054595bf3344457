package plotting

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// unit is how many units of a frame one px has: a frame's numbers are whole
// tenths of a px.
const unit = 10

// Canvas is a vg.Canvas that records SVG markup. One vg.Length is one px, and
// the origin is the lower left corner, as vg has it; what is written has y
// downwards and whole units. Between Begin and End, what is drawn is gathered
// into one keyed node.
//
// Colours are Inks and become classes; any other colour counts as TextInk.
// Images are not drawn: no chart of ours has one.
type Canvas struct {
	width, height vg.Length
	out           []byte
	now           pen
	stack         []pen
}

// pen is the state that Push and Pop keep.
type pen struct {
	ink   Ink
	width vg.Length
	dash  []vg.Length
	m     matrix
}

// matrix maps (x, y) to (a·x + c·y + e, b·x + d·y + f).
type matrix struct{ a, b, c, d, e, f float64 }

func (m matrix) apply(p vg.Point) (x, y float64) {
	return m.a*float64(p.X) + m.c*float64(p.Y) + m.e, m.b*float64(p.X) + m.d*float64(p.Y) + m.f
}

// then returns the map that does n first and m after it.
func (m matrix) then(n matrix) matrix {
	return matrix{
		a: m.a*n.a + m.c*n.b, b: m.b*n.a + m.d*n.b,
		c: m.a*n.c + m.c*n.d, d: m.b*n.c + m.d*n.d,
		e: m.a*n.e + m.c*n.f + m.e, f: m.b*n.e + m.d*n.f + m.f,
	}
}

var _ vg.CanvasSizer = (*Canvas)(nil)

// NewCanvas returns an empty canvas of a size in px.
func NewCanvas(width, height int) *Canvas {
	c := &Canvas{width: vg.Length(width), height: vg.Length(height)}
	c.now.m = matrix{a: 1, d: 1}
	vg.Initialize(c)
	return c
}

// Size returns the size in px.
func (c *Canvas) Size() (w, h vg.Length) { return c.width, c.height }

// Begin starts a keyed node; what is drawn until End belongs to it.
func (c *Canvas) Begin() { c.out = nil }

// End closes the node and returns it: a Raw <g> with the key and, if it is not
// empty, the class.
func (c *Canvas) End(key, class string) *Node {
	open := "<g data-k='" + key + "'"
	if class != "" {
		open += " class='" + class + "'"
	}
	n := &Node{Key: key, Type: Raw, Open: open, Live: c.out}
	c.out = nil
	return n
}

// SetLineWidth sets the stroke's width in px.
func (c *Canvas) SetLineWidth(w vg.Length) { c.now.width = w }

// SetLineDash sets the pattern of dashes in px; where it starts is ignored.
func (c *Canvas) SetLineDash(pattern []vg.Length, _ vg.Length) { c.now.dash = slices.Clone(pattern) }

// SetColor sets the ink for what follows.
func (c *Canvas) SetColor(col color.Color) {
	ink, ok := col.(Ink)
	if !ok {
		ink = TextInk
	}
	c.now.ink = ink
}

// Rotate turns the coordinates counter-clockwise, in radians.
func (c *Canvas) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	c.now.m = c.now.m.then(matrix{a: cos, b: sin, c: -sin, d: cos})
}

// Translate moves the coordinates' origin.
func (c *Canvas) Translate(p vg.Point) {
	c.now.m = c.now.m.then(matrix{a: 1, d: 1, e: float64(p.X), f: float64(p.Y)})
}

// Scale stretches the coordinates.
func (c *Canvas) Scale(x, y float64) { c.now.m = c.now.m.then(matrix{a: x, d: y}) }

// Push keeps the pen's state for Pop.
func (c *Canvas) Push() { c.stack = append(c.stack, c.now) }

// Pop returns to the state of the last Push.
func (c *Canvas) Pop() {
	c.now = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
}

// Stroke draws a line along the path; one of no width is not drawn.
func (c *Canvas) Stroke(p vg.Path) {
	if c.now.width <= 0 || len(p) == 0 {
		return
	}
	c.out = append(c.out, "<path class='"...)
	c.out = c.now.ink.appendClass(c.out, 's')
	if w := round(float64(c.now.width) * unit); w != unit {
		c.out = appendAttr(c.out, "' stroke-width='", w)
	}
	if len(c.now.dash) > 0 {
		c.out = append(c.out, "' stroke-dasharray='"...)
		for i, d := range c.now.dash {
			if i > 0 {
				c.out = append(c.out, ' ')
			}
			c.out = strconv.AppendInt(c.out, round(float64(d)*unit), 10)
		}
	}
	c.path(p)
}

// Fill fills the path.
func (c *Canvas) Fill(p vg.Path) {
	if len(p) == 0 {
		return
	}
	c.out = append(c.out, "<path class='"...)
	c.out = c.now.ink.appendClass(c.out, 'f')
	c.path(p)
}

// path writes d and closes the element.
func (c *Canvas) path(p vg.Path) {
	c.out = append(c.out, "' d='"...)
	var at vg.Point
	for i, comp := range p {
		switch comp.Type {
		case vg.MoveComp:
			c.pair('M', comp.Pos)
		case vg.LineComp:
			// One-letter commands for level and upright lines are most of a grid.
			x0, y0 := c.units(at)
			switch x, y := c.units(comp.Pos); {
			case i > 0 && y == y0:
				c.out = strconv.AppendInt(append(c.out, 'H'), x, 10)
			case i > 0 && x == x0:
				c.out = strconv.AppendInt(append(c.out, 'V'), y, 10)
			default:
				c.pair('L', comp.Pos)
			}
		case vg.ArcComp:
			at = c.arc(comp, i == 0)
			continue
		case vg.CurveComp:
			if len(comp.Control) == 1 {
				c.pair('Q', comp.Control[0])
			} else {
				c.pair('C', comp.Control[0])
				c.pair(' ', comp.Control[1])
			}
			c.pair(' ', comp.Pos)
		case vg.CloseComp:
			c.out = append(c.out, 'Z')
		}
		at = comp.Pos
	}
	c.out = append(c.out, "'/>"...)
}

// arc writes an arc about comp.Pos in pieces of at most half a turn, which SVG
// can tell apart, and returns its end.
func (c *Canvas) arc(comp vg.PathComp, first bool) vg.Point {
	at := func(angle float64) vg.Point {
		sin, cos := math.Sincos(angle)
		return comp.Pos.Add(vg.Point{X: comp.Radius * vg.Length(cos), Y: comp.Radius * vg.Length(sin)})
	}
	if first {
		c.pair('M', at(comp.Start))
	} else {
		c.pair('L', at(comp.Start))
	}
	steps := int(math.Abs(comp.Angle)/(math.Pi*0.99)) + 1
	sweep := byte('0')
	if comp.Angle < 0 { // y points down in what is written, so the sense turns
		sweep = '1'
	}
	r := round(float64(comp.Radius) * unit * math.Hypot(c.now.m.a, c.now.m.b))
	for i := 1; i <= steps; i++ {
		c.out = strconv.AppendInt(append(c.out, 'A'), r, 10)
		c.out = strconv.AppendInt(append(c.out, ' '), r, 10)
		c.out = append(c.out, " 0 0 "...)
		c.out = append(c.out, sweep)
		c.pair(' ', at(comp.Start+comp.Angle*float64(i)/float64(steps)))
	}
	return at(comp.Start + comp.Angle)
}

// FillString writes text with its left end on the base line at p.
func (c *Canvas) FillString(f font.Face, p vg.Point, s string) {
	c.text(s, f.Font, p, "")
}

// DrawImage does nothing.
func (c *Canvas) DrawImage(vg.Rectangle, image.Image) {}

// text writes a <text>. An anchor ("middle", "end") lets the browser place it
// by its own font's width, so that a font other than the one we measured with
// keeps columns straight.
func (c *Canvas) text(s string, f font.Font, p vg.Point, anchor string) {
	x, y := c.units(p)
	c.out = append(c.out, "<text class='"...)
	c.out = c.now.ink.appendClass(c.out, 'f')
	if turn := math.Atan2(c.now.m.b, c.now.m.a); math.Abs(turn) > 1e-3 {
		c.out = appendAttr(c.out, "' transform='translate(", x)
		c.out = appendAttr(c.out, " ", y)
		c.out = appendAttr(c.out, ")rotate(", round(-turn*180/math.Pi))
		c.out = append(c.out, ')')
	} else {
		c.out = appendAttr(c.out, "' x='", x)
		c.out = appendAttr(c.out, "' y='", y)
	}
	c.out = appendAttr(c.out, "' font-size='", round(float64(f.Size)*unit))
	if f.Weight > 0 {
		c.out = append(c.out, "' font-weight='600"...)
	}
	if anchor != "" {
		c.out = append(append(c.out, "' text-anchor='"...), anchor...)
	}
	c.out = append(c.out, "'>"...)
	c.out = AppendEscaped(c.out, []byte(s))
	c.out = append(c.out, "</text>"...)
}

// units maps a point to what is written: whole units, y downwards.
func (c *Canvas) units(p vg.Point) (x, y int64) {
	fx, fy := c.now.m.apply(p)
	return round(fx * unit), round((float64(c.height) - fy) * unit)
}

func (c *Canvas) pair(cmd byte, p vg.Point) {
	x, y := c.units(p)
	c.out = strconv.AppendInt(append(c.out, cmd), x, 10)
	c.out = strconv.AppendInt(append(c.out, ' '), y, 10)
}

func appendAttr(b []byte, attr string, v int64) []byte {
	return strconv.AppendInt(append(b, attr...), v, 10)
}

// round is to the nearest, halves up, so that neighbours round alike
// everywhere on the axis.
func round(f float64) int64 { return int64(math.Floor(f + 0.5)) }

// handler is a text.Handler that lays out like gonum's plain one, and draws on
// a Canvas with anchors in place of measured widths.
type handler struct {
	text.Plain
	c *Canvas
}

// Draw writes text at pt as sty says; several lines stand below each other.
func (h handler) Draw(_ vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	c := h.c
	c.Push()
	defer c.Pop()
	c.SetColor(sty.Color)
	c.Translate(pt)
	if sty.Rotation != 0 {
		c.Rotate(sty.Rotation)
	}
	anchor := ""
	switch sty.XAlign {
	case text.XCenter:
		anchor = "middle"
	case text.XRight:
		anchor = "end"
	}
	ext := h.Extents(sty.Font)
	lines := h.Lines(txt)
	// As text.Plain has it: the block's top lies YAlign·height above pt, and
	// each base line a font size below the one before.
	top := sty.Height(txt)*vg.Length(sty.YAlign) - ext.Ascent
	for i, line := range lines {
		c.text(line, sty.Font, vg.Point{Y: top + vg.Length(len(lines)-i)*sty.Font.Size}, anchor)
	}
}
