package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
)

// The numbers of samples of each series in the window, beside points.
const (
	manySamples = 100_000
	hugeSamples = 10_000_000
)

// comparison is the rows, and those that this machine cannot run.
type comparison struct {
	dir       string // for the data
	data      string // path
	rows      []*row
	processes []*process
	missing   []string // what to install, and for what
}

// The rows that goals speak of.
const (
	rowTick     = "chartd live tick"
	rowFull     = "chartd full frame"
	rowOpen     = "chartd new view"
	rowTickMany = "chartd live tick, 100 k samples"
	rowFullMany = "chartd full frame, 100 k samples"
	rowTickHuge = "chartd live tick, 10 M samples"
	rowFullHuge = "chartd full frame, 10 M samples"
	rowOpenHuge = "chartd new view, 10 M samples"
	rowGonum    = "gonum/plot with vgsvg"
	rowGoChart  = "go-chart SVG"
	rowECharts  = "ECharts server-side SVG"
	rowVega     = "Vega server-side SVG"
	rowWebAgg   = "matplotlib WebAgg (PNG diff)"
	rowShiny    = "R Shiny renderPlot (PNG, base64)"
	rowNumbers  = "the points' numbers, printed"
	rowSamples  = "the new samples as JSON"
)

// newComparison starts all workers.
func newComparison(ctx context.Context, dir string, say func(format string, args ...any)) (*comparison, error) {
	c := &comparison{dir: dir, data: filepath.Join(dir, "data.csv")}
	if err := newTable().write(c.data); err != nil {
		return c, err
	}
	chartd := func(n int, modes ...[2]string) error {
		return c.start(ctx, self("chartd", strconv.Itoa(n)), modes...)
	}
	goWorker := func(name, worker string) error { return c.start(ctx, self(worker), [2]string{name, "redraw"}) }
	say("starting the rows; ten million samples in four series take a while and 640 MB")
	for _, begin := range []func() error{
		// A process for each mode, so that they do not share garbage.
		func() error { return chartd(points, [2]string{rowTick, modeTick}) },
		func() error { return chartd(points, [2]string{rowFull, modeFull}) },
		func() error { return chartd(points, [2]string{rowOpen, modeOpen}) },
		func() error { return goWorker(rowGonum, "gonum") },
		func() error { return goWorker(rowGoChart, "go-chart") },
		func() error { return c.node(ctx, say) },
		func() error { return c.python(ctx) },
		func() error { return c.r(ctx) },
		func() error { return goWorker(rowNumbers, "numbers") },
		func() error { return goWorker(rowSamples, "samples") },
		func() error {
			return chartd(manySamples, [2]string{rowTickMany, modeTick}, [2]string{rowFullMany, modeFull})
		},
		func() error {
			return chartd(hugeSamples, [2]string{rowTickHuge, modeTick}, [2]string{rowFullHuge, modeFull}, [2]string{rowOpenHuge, modeOpen})
		},
	} {
		if err := begin(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// start starts a worker and adds a row for each of its modes: name, mode.
func (c *comparison) start(ctx context.Context, command []string, modes ...[2]string) error {
	p, err := launch(ctx, command...)
	if err != nil {
		return err
	}
	c.processes = append(c.processes, p)
	for _, m := range modes {
		c.rows = append(c.rows, &row{name: m[0], mode: m[1], process: p})
	}
	return nil
}

// skip says what a row would need.
func (c *comparison) skip(name, need string) {
	c.missing = append(c.missing, fmt.Sprintf("Left out: %s; install %s", name, need))
}

// node adds the rows that run in node, and installs what they need.
func (c *comparison) node(ctx context.Context, say func(format string, args ...any)) error {
	if !works(ctx, "node", "--version") {
		c.skip(rowECharts+" and "+rowVega, "nodejs and npm")
		return nil
	}
	// npm ci would install anew every time; what npm ls finds is there already.
	if !works(ctx, "npm", "ls", "--prefix", "js") {
		say("installing what js/package-lock.json names")
		if !works(ctx, "npm", "ci", "--prefix", "js", "--no-audit", "--no-fund", "--loglevel=error") {
			c.skip(rowECharts+" and "+rowVega, "what js/package.json names, which npm ci could not do here")
			return nil
		}
	}
	for _, r := range [][2]string{{rowECharts, "js/echarts.js"}, {rowVega, "js/vega.js"}} {
		if err := c.start(ctx, []string{"node", r[1], c.data}, [2]string{r[0], "redraw"}); err != nil {
			return err
		}
	}
	return nil
}

// works reports whether a command is there and ends well.
func works(ctx context.Context, command ...string) bool {
	return exec.CommandContext(ctx, command[0], command[1:]...).Run() == nil
}

// python adds matplotlib.
func (c *comparison) python(ctx context.Context) error {
	// The first python3 of the path need not be Debian's.
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if works(ctx, python, "-c", "import matplotlib.backends.backend_webagg_core") {
			return c.start(ctx, []string{python, "other/webagg.py", c.data}, [2]string{rowWebAgg, "redraw"})
		}
	}
	c.skip(rowWebAgg, "python3-matplotlib")
	return nil
}

// r adds Shiny.
func (c *comparison) r(ctx context.Context) error {
	if !works(ctx, "Rscript", "-e", "library(shiny)") {
		c.skip(rowShiny, "r-cran-shiny")
		return nil
	}
	return c.start(ctx, []string{"Rscript", "other/shiny.R", c.data}, [2]string{rowShiny, "redraw"})
}

// row returns a row by name, nil if it was left out.
func (c *comparison) row(name string) *row {
	for _, r := range c.rows {
		if r.name == name {
			return r
		}
	}
	return nil
}

// draw writes down what each process drew last.
func (c *comparison) draw(dir string) error {
	ext := map[string]string{rowWebAgg: ".png", rowShiny: ".png", rowNumbers: ".txt", rowSamples: ".txt"}
	for i, r := range c.rows {
		if i > 0 && c.rows[i-1].process == r.process {
			continue
		}
		suffix := ext[r.name]
		if suffix == "" {
			suffix = ".svg"
		}
		path, err := filepath.Abs(filepath.Join(dir, fmt.Sprintf("%02d%s", i+1, suffix)))
		if err != nil {
			return err
		}
		if err := r.process.ask(&struct{}{}, "draw %s", path); err != nil {
			return err
		}
	}
	return nil
}

// stop ends all workers.
func (c *comparison) stop() error {
	var first error
	for _, p := range c.processes {
		if err := p.stop(); err != nil && first == nil {
			first = err
		}
	}
	c.processes = nil
	return first
}
