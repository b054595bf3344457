package main

import (
	"bytes"
	"time"

	chart "github.com/wcharczuk/go-chart/v2"
)

// newGoChart returns the row of go-chart's SVG renderer.
func newGoChart() drawer {
	d := newTable()
	times := make([]time.Time, len(d.t))
	for i, t := range d.t {
		times[i] = time.UnixMilli(t).UTC()
	}
	return &redrawer{refresh: func(i int, b []byte) ([]byte, error) {
		c := chart.Chart{
			Title: title, Width: width, Height: height,
			XAxis: chart.XAxis{ValueFormatter: chart.TimeValueFormatterWithFormat("15:04:05")},
		}
		for s := range series {
			c.Series = append(c.Series, chart.TimeSeries{Name: names[s], XValues: times[i : i+points], YValues: d.v[s][i : i+points]})
		}
		c.Elements = []chart.Renderable{chart.Legend(&c)}
		out := bytes.NewBuffer(b)
		err := c.Render(chart.SVG, out)
		return out.Bytes(), err
	}}
}
