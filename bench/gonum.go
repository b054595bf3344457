package main

import (
	"bytes"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// newGonum returns the row of gonum/plot with its own SVG canvas.
func newGonum() drawer {
	d := newTable()
	var xys [series]plotter.XYs
	for s := range series {
		for i, t := range d.t {
			xys[s] = append(xys[s], plotter.XY{X: float64(t) / 1000, Y: d.v[s][i]})
		}
	}
	return &redrawer{refresh: func(i int, b []byte) ([]byte, error) {
		p := plot.New()
		p.Title.Text = title
		p.X.Tick.Marker = plot.TimeTicks{Format: "15:04:05"}
		p.Y.Label.Text = "%"
		p.Legend.Top = true
		p.Add(plotter.NewGrid())
		for s := range series {
			line, err := plotter.NewLine(xys[s][i : i+points])
			if err != nil {
				return nil, err
			}
			line.Color = plotutil.Color(s)
			p.Add(line)
			p.Legend.Add(names[s], line)
		}
		// A point of SVG is 4/3 px.
		c := vgsvg.New(width*vg.Points(0.75), height*vg.Points(0.75))
		p.Draw(draw.New(c))
		out := bytes.NewBuffer(b)
		if _, err := c.WriteTo(out); err != nil {
			return nil, err
		}
		return out.Bytes(), nil
	}}
}
