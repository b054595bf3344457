package plotting

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Sizes of a legend in px. A row is as high as a finger needs.
const (
	legendRow    = 24
	swatch       = 10
	swatchGap    = 6
	entryGap     = 18
	valueGap     = 12
	longestEntry = 220
	shortEntry   = 48 // a name beside values is not cut shorter than that
)

// entry is one name in a legend.
type entry struct {
	name   string
	text   string // the name as far as there is room
	line   int    // of the chart
	ink    int    // index of the series' colour
	hidden bool
}

// legend is the names of the series below the data, and values beside them
// where the chart asks for some.
type legend struct {
	node   *Node // as last drawn
	values []LegendValue
	cells  []*valueCell // of node's kids, at their place; nil for what stands still
	unit   Unit
}

// valueCell is a value in a legend.
type valueCell struct {
	line int // of the chart
	what LegendValue
}

// key draws the legend at the bottom, and returns its height. r is the range of
// the values, none of which moves anything.
func (l *layout) key(t typesetter, h header, r valueRange, room vg.Length) (height vg.Length) {
	entries, values := h.entries, h.spec.LegendValues
	if h.spec.Legend == LegendNone || l.bare() || room < minPlot+legendRow {
		entries = nil
	}
	g := &l.legend
	*g = legend{node: &Node{Key: "n", Type: Group, Open: "<g data-k='n'"}, values: values, unit: h.spec.Y.Unit}
	// The legend takes a third of the room at most; what is left out is on the
	// chart, and in the view's description.
	most := max(1, int(room/3/legendRow))
	switch {
	case len(entries) == 0:
		return 0
	case len(values) > 0 && most > 1:
		return g.table(t, entries, r, most)
	default:
		return g.flow(t, entries, most)
	}
}

// wrap returns the names one behind the other, in rows, with the room that each
// takes; what is more than most rows is left out.
func wrap(t typesetter, sty text.Style, entries []entry, most int) (rows [][]entry, widths []vg.Length) {
	width := t.c.width - 2*margin
	rows = [][]entry{nil}
	x := vg.Length(0)
	for _, e := range entries {
		e.text = t.fit(e.name, sty, min(width-swatch-swatchGap, longestEntry))
		w := swatch + swatchGap + sty.Width(e.text) + entryGap
		if x > 0 && x+w-entryGap > width {
			rows, x = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		widths = append(widths, w)
		x += w
	}
	return rows[:min(len(rows), most)], widths
}

// flow writes the names one behind the other.
func (g *legend) flow(t typesetter, entries []entry, most int) (height vg.Length) {
	sty := t.style(legendSize, TextInk, false)
	rows, widths := wrap(t, sty, entries, most)
	i := 0
	for r, row := range rows {
		x := vg.Length(margin)
		for _, e := range row {
			g.add(e.draw(t, sty, "n"+strconv.Itoa(i), x, legendLine(len(rows), r)), nil)
			x += widths[i]
			i++
		}
	}
	return legendRow*vg.Length(len(rows)) + 4
}

// legendLine returns the base line of one of a legend's rows.
func legendLine(rows, row int) vg.Length {
	return margin - 2 + legendRow*vg.Length(rows-1-row)
}

// draw draws a swatch and the name. A page finds the series by data-entry.
func (e entry) draw(t typesetter, sty text.Style, key string, x, y vg.Length) *Node {
	t.c.Begin()
	t.c.SetColor(SeriesInk(e.ink))
	t.c.SetLineWidth(4)
	t.c.Stroke(vg.Path{{Type: vg.MoveComp, Pos: vg.Point{X: x, Y: y + 4}}, {Type: vg.LineComp, Pos: vg.Point{X: x + swatch, Y: y + 4}}})
	sty.Handler.Draw(t.c, e.text, sty, vg.Point{X: x + swatch + swatchGap, Y: y})
	class := ""
	if e.hidden {
		class = "off"
	}
	n := t.c.End(key, class)
	open := AppendEscaped(append([]byte(n.Open), " data-entry='"...), []byte(e.name))
	n.Open = string(append(open, '\''))
	return n
}

// table writes the names in as many columns as fit, with their values, under a
// head that says what those are. Room is kept for the widest value, so that
// nothing moves when they change. Where names alone would be twice as many,
// there are no values.
func (g *legend) table(t typesetter, entries []entry, r valueRange, most int) (height vg.Length) {
	sty, head := t.style(legendSize, TextInk, false), t.style(labelSize, MutedInk, false)
	width := t.c.width - 2*margin
	value := vg.Length(0)
	for _, s := range g.unit.samples(r) {
		value = max(value, sty.Width(s))
	}
	for _, v := range g.values {
		value = max(value, head.Width(string(v)))
	}
	value += valueGap
	name := vg.Length(shortEntry)
	for _, e := range entries {
		name = max(name, min(sty.Width(e.name)+1, longestEntry))
	}
	values := g.values
	for len(values) > 1 && swatch+swatchGap+shortEntry+value*vg.Length(len(values)) > width {
		values = values[:len(values)-1]
	}
	beside := value * vg.Length(len(values))
	name = min(name, width-swatch-swatchGap-beside)
	cell := swatch + swatchGap + name + beside
	across := min(max(1, int((width+entryGap)/(cell+entryGap))), len(entries))
	rows := (len(entries) + across - 1) / across
	rows = min(rows, most-1)
	if shown := rows * across; shown < len(entries) {
		// Which line is which says more than what the values of a few are.
		if names, _ := wrap(t, sty, entries, most); len(slices.Concat(names...)) >= 2*shown {
			return g.flow(t, entries, most)
		}
		entries = entries[:shown]
	}

	t.c.Begin()
	for col := range across {
		for i, v := range values {
			right := head
			right.XAlign = text.XRight
			right.Handler.Draw(t.c, string(v), right, vg.Point{X: margin + vg.Length(col)*(cell+entryGap) + cell - value*vg.Length(len(values)-1-i), Y: legendLine(rows+1, 0) - 3})
		}
	}
	g.add(t.c.End("nh", ""), nil)
	for i, e := range entries {
		x, y := margin+vg.Length(i%across)*(cell+entryGap), legendLine(rows+1, 1+i/across)
		key := "n" + strconv.Itoa(i)
		e.text = t.fit(e.name, sty, name)
		g.add(e.draw(t, sty, key, x, y), nil)
		if e.hidden {
			continue
		}
		for j, v := range values {
			ux, uy := t.c.units(vg.Point{X: x + cell - value*vg.Length(len(values)-1-j), Y: y + legendSize - sty.FontExtents().Ascent})
			open := appendAttr([]byte("<text data-k='"+key+"."+strconv.Itoa(j)+"' class='ff' text-anchor='end' font-size='120' x='"), "", ux)
			open = appendAttr(open, "' y='", uy)
			g.add(&Node{Key: key + "." + strconv.Itoa(j), Type: Text, Open: string(append(open, '\'')), Live: []byte{}}, &valueCell{e.line, v})
		}
	}
	return legendRow*vg.Length(rows+1) + 4
}

func (g *legend) add(n *Node, c *valueCell) {
	g.node.Kids, g.cells = append(g.node.Kids, n), append(g.cells, c)
}

// follow brings the values up to date with what the lines show of a range of
// time in ms, and returns the legend: the same node if none has changed.
func (g *legend) follow(lines []*line, from, to int64) *Node {
	if len(g.values) == 0 {
		return g.node
	}
	var kids []*Node
	last, sum := -1, summary{}
	for i, c := range g.cells {
		if c == nil {
			continue
		}
		if c.line != last {
			last, sum = c.line, lines[c.line].tally.over(from, to)
		}
		text := g.unit.Value(sum.get(c.what))
		if string(g.node.Kids[i].Live) == text {
			continue
		}
		if kids == nil {
			kids = slices.Clone(g.node.Kids)
		}
		kids[i] = &Node{Key: kids[i].Key, Type: Text, Open: kids[i].Open, Live: []byte(text)}
	}
	if kids != nil {
		g.node = &Node{Key: g.node.Key, Type: Group, Open: g.node.Open, Kids: kids}
	}
	return g.node
}

// samples returns texts of which one is at least as wide as any value in the
// range, or nearly.
func (u Unit) samples(r valueRange) []string {
	texts := []string{"–", u.Value(r.min), u.Value(r.max), u.Value(r.max * 0.8888), u.Value(r.min * 0.8888)}
	mag := max(math.Abs(r.min), math.Abs(r.max))
	for _, p := range u.prefixes() {
		if p.div > mag {
			break
		}
		for _, x := range []float64{0.888, 8.88, 88.8, 888} {
			v := x * p.div
			if v <= mag {
				texts = append(texts, u.Value(math.Copysign(v, r.min)))
			}
		}
	}
	return texts
}
