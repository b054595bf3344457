package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/chartd/chartd/bench/internal/figures"
)

// printTable writes the rows as a table in Markdown.
func printTable(w io.Writer, c *comparison) {
	fmt.Fprintf(w, "\nPer refresh: one new sample in each of %d series, %s points each in the window, %d×%d px.\n\n", series, number(points), width, height)
	line := tableOf(w, "", "CPU µs", "p10–p90", "bytes", "allocations", "KB allocated", "CPU ×", "bytes ×")
	tick := c.row(rowTick)
	for _, r := range c.rows {
		allocs, alloc := "–", "–"
		if m := figures.Median(r.alloc); m > 0 {
			allocs, alloc = number(figures.Median(r.mallocs)), number(m/1000)
		}
		us, size := figures.Median(r.us), figures.Median(r.sizes)
		bytes := number(size)
		if r == tick {
			bytes += fmt.Sprintf(" (mean %s)", number(figures.Mean(r.sizes)))
		}
		line(r.name, number(us), number(figures.Quantile(r.us, 0.1))+"–"+number(figures.Quantile(r.us, 0.9)), bytes, allocs, alloc,
			number(us/figures.Median(tick.us)), number(size/figures.Median(tick.sizes)))
	}
	fmt.Fprintln(w, "\nMedians; × is how many times chartd's live tick. The last five rows are the same chart with more samples in the window.")
	for _, m := range c.missing {
		fmt.Fprintln(w, m+".")
	}
}

// printBrowser writes what the page pays.
func printBrowser(w io.Writer, b *browserResult) {
	fmt.Fprintf(w, "\nIn the page, %s: CPU time of its main thread per refresh, in µs.\n\n", b.version)
	line := tableOf(w, "", "script, style, layout", "p10–p90", "a frame", "p10–p90", "more than a dot's", "whole browser")
	spread := func(us []float64) string {
		if len(us) == 0 {
			return "–"
		}
		return number(figures.Quantile(us, 0.1)) + "–" + number(figures.Quantile(us, 0.9))
	}
	for _, way := range []struct{ way, name string }{
		{byPatch, "chartd's patch, by chartd.js"}, {byReplace, "replacing chartd's SVG, innerHTML"}, {byDot, "a dot that changes its colour"},
	} {
		layout, frame := b.layout[way.way], b.frame[way.way]
		line(way.name, number(figures.Median(layout)), spread(layout), number(figures.Median(frame)), spread(frame),
			number(figures.Median(frame)-figures.Median(b.frame[byDot])), number(figures.Median(b.whole[way.way])))
	}
	fmt.Fprintln(w, "\nScript, style, layout is what a refresh asks of the page, without painting. A frame is all of it, painting included; what it costs more\n"+
		"than a dot's is the refresh's own. Whole browser is a frame on all threads, those that fill the pixels included.")
	fmt.Fprintf(w, "A patch to replacing, round by round, the median: script, style, layout %s (p10–p90 %s–%s); a frame above a dot's %s (%s–%s).\n",
		fraction(figures.Median(b.layoutRatios())), fraction(figures.Quantile(b.layoutRatios(), 0.1)), fraction(figures.Quantile(b.layoutRatios(), 0.9)),
		fraction(figures.Median(b.paintRatios())), fraction(figures.Quantile(b.paintRatios(), 0.1)), fraction(figures.Quantile(b.paintRatios(), 0.9)))
	fmt.Fprintf(w, "One patch a second keeps the main thread busy for %s µs a second, %s while the window glides at the display's rate.\n",
		number(b.still), number(b.gliding))
}

// layoutRatios is script, style and layout of a patch over those of replacing,
// round by round: what else the machine does hits both of a round.
func (b *browserResult) layoutRatios() []float64 {
	return ratios(b.layout[byPatch], b.layout[byReplace], nil)
}

// paintRatios is the same with painting, of what a frame costs more than the
// least change's.
func (b *browserResult) paintRatios() []float64 {
	return ratios(b.frame[byPatch], b.frame[byReplace], b.frame[byDot])
}

// ratios divides what is above a base, which is 0 if there is none, pair by
// pair.
func ratios(xs, ys, base []float64) []float64 {
	rs := make([]float64, min(len(xs), len(ys)))
	for i := range rs {
		below := 0.0
		if base != nil {
			below = base[i]
		}
		rs[i] = (xs[i] - below) / (ys[i] - below)
	}
	return rs
}

// printLoad writes what a daemon with many views uses.
func printLoad(w io.Writer, l *loadResult) {
	fmt.Fprintf(w, "\nA daemon with %s different views of %d series at 1 s, each watched over a socket, for %v:\n", number(loadViews), series, loadTime)
	fmt.Fprintf(w, "%.1f %% of one core, samples and sockets included; %s ticks a second, %s late or skipped; %s kB/s sent; all opened within %.1f s.\n",
		100*l.share, number(l.ticks), number(l.late), number(l.bytes/1000), l.opened.Seconds())
}

// tableOf writes a table's head and returns what writes a line of it.
func tableOf(w io.Writer, head ...string) func(cells ...string) {
	widths := make([]int, len(head))
	for i, h := range head {
		widths[i] = len([]rune(h))
	}
	widths[0] = 34
	line := func(cells ...string) {
		for i, cell := range cells {
			pad := strings.Repeat(" ", max(0, widths[i]-len([]rune(cell))))
			if i == 0 {
				fmt.Fprintf(w, "| %s%s ", cell, pad)
			} else {
				fmt.Fprintf(w, "| %s%s ", pad, cell)
			}
		}
		fmt.Fprintln(w, "|")
	}
	line(head...)
	fmt.Fprintf(w, "| ---%s", strings.Repeat(" | --:", len(head)-1)+" |\n")
	return line
}

// number writes x with three digits that matter.
func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case x == 0:
		return "0"
	case math.Abs(x) < 1:
		return fmt.Sprintf("%.2f", x)
	case math.Abs(x) < 10:
		return fmt.Sprintf("%.1f", x)
	}
	text := fmt.Sprintf("%.0f", x)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
