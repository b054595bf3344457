package plotting

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes in px.
const (
	titleSize  = 14
	labelSize  = 11
	legendSize = 12
	margin     = 12 // around the chart
	rightEdge  = 22 // room for half a time label
	timeStrip  = 22 // below the data, for time labels
	minPlot    = 60 // height below which title, then legend are left out
	yPitch     = 44 // between ticks of the value axis
)

// box is a rectangle in a frame's units; y points down.
type box struct{ x, y, w, h int64 }

// attribute tells a page where the data are.
func (b box) attribute() string {
	return fmt.Sprintf(" data-rect='%d %d %d %d'", b.x, b.y, b.w, b.h)
}

func (b box) right() int64  { return b.x + b.w }
func (b box) bottom() int64 { return b.y + b.h }

// layout is what stands still in a chart: where its parts are, and the nodes
// of those that are drawn once an epoch.
type layout struct {
	width, height int // px
	data          box // the data rectangle
	left          int // px; the data's left edge, at least
	title         *Node
	axes          *Node // value axis and grid
	legend        legend
}

// typesetter measures and draws text for one layout.
type typesetter struct {
	c     *Canvas
	fonts handler
}

func newTypesetter(width, height int) typesetter {
	c := NewCanvas(width, height)
	// The metrics are those of Liberation Sans, which Arial and Helvetica share.
	return typesetter{c: c, fonts: handler{Plain: text.Plain{Fonts: font.NewCache(liberation.Collection())}, c: c}}
}

func (t typesetter) style(size font.Length, ink Ink, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = 2 // bold, as golang.org/x/image/font counts
	}
	return text.Style{Color: ink, Font: f, Handler: t.fonts}
}

// fit shortens a text to a width in px, with an ellipsis.
func (t typesetter) fit(s string, sty text.Style, width vg.Length) string {
	if sty.Width(s) <= width {
		return s
	}
	runes := []rune(s)
	lo, hi := 0, len(runes)
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if sty.Width(string(runes[:mid])+"…") <= width {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return string(runes[:lo]) + "…"
}

// heading draws the title, and returns the room that is left below it.
func (l *layout) heading(t typesetter, title string) (top vg.Length) {
	l.title = &Node{Key: "h", Type: Group, Open: "<g data-k='h'"}
	if title == "" || l.bare() || l.height < minPlot+timeStrip+margin*3+titleSize {
		return margin
	}
	sty := t.style(titleSize, TextInk, true)
	t.c.Begin()
	sty.Handler.Draw(t.c, t.fit(title, sty, t.c.width-2*margin), sty, vg.Point{X: margin, Y: t.c.height - margin - titleSize})
	l.title = t.c.End("h", "")
	return margin + titleSize + margin
}

// minLeft is how far in, in px, the data begin at least: room for the usual
// labels, so that one more digit does not move the chart.
const minLeft = 56

// axis draws the value axis and its grid by gonum/plot, and pins the data
// rectangle: what is drawn in an epoch never moves it, and between epochs its
// left edge only moves, by steps of 8 px, when a label needs more room than
// any before.
func (l *layout) axis(t typesetter, r valueRange, a Axis, top, bottom vg.Length) {
	if l.bare() {
		l.axes = &Node{Key: "f", Type: Group, Open: "<g data-k='f'"}
		l.data = box{bareMargin * unit, bareMargin * unit, int64(l.width-2*bareMargin) * unit, int64(l.height-2*bareMargin) * unit}
		return
	}
	p := plot.New()
	p.BackgroundColor = nil
	p.TextHandler = t.fonts
	p.X.Min, p.X.Max = 0, 1
	p.HideX()
	p.X.Padding = 0
	p.Y.Min, p.Y.Max = r.min, r.max
	p.Y.Label.TextStyle = t.style(labelSize, MutedInk, false)
	p.Y.Label.Text = t.fit(a.Label, p.Y.Label.TextStyle, t.c.height-top-bottom)
	p.Y.Label.TextStyle.XAlign, p.Y.Label.TextStyle.YAlign = draw.XCenter, draw.YBottom
	p.Y.Tick.Label = t.style(labelSize, MutedInk, false)
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = draw.XRight, draw.YCenter
	p.Y.Tick.Length, p.Y.Tick.Width, p.Y.Width = 0, 0, 0
	p.Y.Padding = 4
	var ticks plot.ConstantTicks
	for v := range r.ticks {
		label := a.Unit.Tick(v, max(r.max, -r.min), r.step)
		ticks = append(ticks, plot.Tick{Value: v, Label: t.fit(label, p.Y.Tick.Label, t.c.width/4)})
	}
	p.Y.Tick.Marker = ticks
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	grid.Horizontal = draw.LineStyle{Color: GridInk, Width: 1}
	p.Add(grid)

	t.c.Begin()
	dc := draw.Crop(draw.NewCanvas(t.c, t.c.width, t.c.height), margin, -rightEdge, bottom, -top)
	natural := p.DataCanvas(dc).Min.X
	l.left = max(l.left, minLeft, (int(natural)+7)/8*8)
	dc = draw.Crop(dc, vg.Length(l.left)-natural, 0, 0, 0)
	p.Draw(dc)
	l.axes = t.c.End("f", "")

	d := p.DataCanvas(dc)
	x0, y0 := t.c.units(vg.Point{X: d.Min.X, Y: d.Max.Y})
	x1, y1 := t.c.units(vg.Point{X: d.Max.X, Y: d.Min.Y})
	l.data = box{x0, y0, x1 - x0, y1 - y0}
}

// bareMargin is what surrounds the data, in px, where a picture is too small
// for anything else.
const bareMargin = 4

// bare reports whether the picture has room for nothing but its data: a
// sparkline, with neither axes nor names.
func (l *layout) bare() bool { return l.width < 160 || l.height < minPlot+timeStrip+2*margin }

// axisTicks is how many ticks a value axis of a height in px has, about.
func axisTicks(height int) int { return max(2, (height-80)/yPitch) }
