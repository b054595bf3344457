package main

import (
	"fmt"
	"io"
	"math"

	"github.com/chartd/chartd/bench/internal/figures"
)

// goal is one thing that shall hold.
type goal struct {
	what  string
	got   float64 // NaN: not measured
	limit float64 // got is at most this
	unit  string  // behind got and limit
}

// met reports whether the goal holds; ok is false if it was not measured.
func (g goal) met() (yes, ok bool) { return g.got <= g.limit, !math.IsNaN(g.got) }

func (g goal) verdict() string {
	switch yes, measured := g.met(); {
	case !measured:
		return "not measured"
	case yes:
		return "ok"
	}
	return "MISS"
}

// goals compares what was measured with what shall hold. l and b may be nil.
func goals(c *comparison, l *loadResult, b *browserResult) []goal {
	us := func(name string) float64 { return c.median(name, func(r *row) []float64 { return r.us }) }
	size := func(name string) float64 { return c.median(name, func(r *row) []float64 { return r.sizes }) }
	allocs := func(name string) float64 { return c.median(name, func(r *row) []float64 { return r.mallocs }) }
	alloc := func(name string) float64 { return c.median(name, func(r *row) []float64 { return r.alloc }) }

	gs := []goal{
		{"live tick, CPU: gonum's", us(rowTick) / us(rowGonum), 1. / 200, ""},
		{"live tick, CPU: ECharts'", us(rowTick) / us(rowECharts), 1. / 1000, ""},
		{"live tick, allocations: 100 k samples to 1 k", allocs(rowTickMany) / allocs(rowTick), 1.25, "×"},
		{"live tick, allocated for a sample more in the window", (alloc(rowTickMany) - alloc(rowTick)) / (series * (manySamples - points)), 1, " B"},
		{"patch, bytes: gonum's", size(rowTick) / size(rowGonum), 1. / 200, ""},
		{"patch, bytes: the samples as JSON", size(rowTick) / size(rowSamples), 5, "×"},
		{"full frame, CPU: gonum's", us(rowFull) / us(rowGonum), 1. / 10, ""},
		{"full frame, CPU: ECharts'", us(rowFull) / us(rowECharts), 1. / 50, ""},
		{"full frame, bytes: gonum's", size(rowFull) / size(rowGonum), 1. / 2, ""},
		{"full frame, CPU: 10 M samples to 1 k", us(rowFullHuge) / us(rowFull), 2, "×"},
		{"live tick, CPU: 10 M samples to 1 k", us(rowTickHuge) / us(rowTick), 1.5, "×"},
		{"new view of 10 M samples", us(rowOpenHuge) / 1000, 100, " ms"},
	}
	share, late, onTime, layout, frame := math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if l != nil {
		share, late = 100*l.share, l.late
		onTime = math.Abs(l.ticks/loadViews-1) * 100
	}
	if b != nil {
		layout, frame = figures.Median(b.layoutRatios()), figures.Median(b.paintRatios())
	}
	return append(gs,
		goal{"2,000 views × 4 series at 1 s", share, 10, " % of a core"},
		goal{"… ticks late or skipped", late, 0, ""},
		goal{"… ticks missing or too many", onTime, 1, " %"},
		goal{"page, script, style, layout: replacing's", layout, 1. / 8, ""},
		goal{"… with painting, above a dot's frame", frame, 1. / 8, ""},
	)
}

func (c *comparison) median(name string, of func(*row) []float64) float64 {
	if r := c.row(name); r != nil {
		return figures.Median(of(r))
	}
	return math.NaN()
}

// printGoals writes the goals and reports whether none is missed.
func printGoals(w io.Writer, gs []goal) bool {
	fmt.Fprint(w, "\nThe goals:\n\n")
	line := tableOf(w, "", "measured", "at most", "")
	held := true
	for _, g := range gs {
		line(g.what, g.text(g.got), g.text(g.limit), g.verdict())
		yes, measured := g.met()
		held = held && (yes || !measured)
	}
	return held
}

// text writes a value: a ratio below 1 as a fraction.
func (g goal) text(x float64) string {
	switch {
	case math.IsNaN(x):
		return number(x)
	case g.unit == "" && x > 0 && x < 1:
		return fraction(x)
	}
	return number(x) + g.unit
}

// fraction writes a ratio below 1 as 1/n.
func fraction(x float64) string { return "1/" + number(1/x) }
