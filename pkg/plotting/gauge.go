package plotting

import (
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// A gauge's arc leaves out a third of the circle, at its foot.
const (
	gaugeFrom = 7 * math.Pi / 6 // counter-clockwise from the right
	gaugeTurn = 4 * math.Pi / 3
)

// gauges is a dial for each line, with its newest value.
type gauges struct {
	*readings
	dials []dial
}

// dial is the place of one gauge, in units.
type dial struct{ x, y, r, thick int64 }

func newGauges(h header, lines []*line) body {
	g := &gauges{readings: newReadings(h, lines, true, 2)}
	g.draw = g.gauge
	return g
}

func (g *gauges) begin(h header, _, _ int64) {
	ts, room := g.restart(h)
	cells := g.cells(room, 1.15)
	g.dials = make([]dial, len(cells))
	ts.c.Begin()
	r := g.y.now
	for i, c := range cells {
		size := min(c.w*9/10, (c.h-26*unit)*115/100)
		d := dial{x: c.x + c.w/2, r: max(size/2-size/14, unit)}
		d.thick = max(size/9, 4*unit)
		d.y = c.y + (c.h-22*unit)/2 + d.r/5
		g.dials[i] = d

		centre := vg.Point{X: vg.Length(d.x) / unit, Y: ts.c.height - vg.Length(d.y)/unit}
		ts.c.SetColor(GridInk)
		ts.c.SetLineWidth(vg.Length(d.thick) / unit)
		ts.c.Stroke(vg.Path{{Type: vg.ArcComp, Pos: centre, Radius: vg.Length(d.r) / unit, Start: gaugeFrom, Angle: -gaugeTurn}})
		// The ends of the scale, below those of the arc.
		if size := vg.Length(max(d.r/8, 9*unit)) / unit; d.r > 30*unit {
			sty := ts.style(size, MutedInk, false)
			sty.XAlign = -0.5
			foot := vg.Length(d.r)/unit*0.5 + vg.Length(d.thick)/unit*0.5 + size*1.7
			dx := vg.Length(d.r) / unit * 0.866
			for _, end := range []struct {
				v float64
				x vg.Length
			}{{r.min, -dx}, {r.max, dx}} {
				label := ts.fit(h.spec.Y.Unit.Tick(end.v, max(r.max, -r.min), r.step), sty, dx)
				sty.Handler.Draw(ts.c, label, sty, centre.Add(vg.Point{X: end.x, Y: -foot}))
			}
		}
	}
	g.still = append(g.still, ts.c.End("f", ""))
	g.names(ts, func(i int) (x, y, width, size int64) {
		d := g.dials[i]
		size = max(min(d.r/5, 16*unit), 10*unit)
		return d.x, d.y + d.r*62/100 + size/2, d.r * 13 / 10, size
	})
	g.nothing(room)
}

// gauge draws the i-th arc up to its value, and the value.
func (g *gauges) gauge(i int, old []*Node) []*Node {
	d, v, key := g.dials[i], g.values[i], strconv.Itoa(i)
	share := (v - g.y.now.min) / (g.y.now.max - g.y.now.min)
	if math.IsNaN(share) {
		share = 0
	}
	share = max(0, min(1, share))
	at := func(angle float64) (x, y int64) {
		sin, cos := math.Sincos(angle)
		return d.x + round(float64(d.r)*cos), d.y - round(float64(d.r)*sin)
	}
	x, y := at(gaugeFrom)
	p := appendXY([]byte{'M'}, x, y)
	if turn := gaugeTurn * share; turn > 1e-4 {
		p = appendAttr(p, "A", d.r)
		p = appendAttr(p, " ", d.r)
		if turn > math.Pi {
			p = append(p, " 0 1 1 "...)
		} else {
			p = append(p, " 0 0 1 "...)
		}
		x, y = at(gaugeFrom - turn)
		p = appendXY(p, x, y)
	}
	arc := &Node{Key: "g" + key, Type: Path, Live: p}
	class, ok := reached(g.limits, v, 's')
	if !ok {
		class = "sc c" + strconv.Itoa(g.lines[i].index%Colors)
	}
	arc.Open = "<path data-k='" + arc.Key + "' class='" + class + "' stroke-width='" + strconv.FormatInt(d.thick, 10) + "'"
	size := max(d.r*38/100, 10*unit)
	value := g.head.spec.Y.Unit.Value(v)
	size = fitting(value, size, (d.r-d.thick)*19/10)
	text := textNode("v"+key, "ff b", d.x, d.y+size/4, size, value)
	return []*Node{kept(old[0], arc), kept(old[1], text)}
}
