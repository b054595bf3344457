package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

func renderCommand() command {
	return command{
		name: "render", args: "[--config FILE] [--set KEY=VALUE]... CHART -o FILE.svg|FILE.png",
		short: "draw one chart into a file, without a server",
		long: `
Runs the configuration's sources for a few seconds (--for), draws CHART from what
they brought, and writes the picture. The window is that short time too, unless
--window says otherwise: there is nothing older to show. A chart whose samples
are pushed to the server stays empty here; ask the running server instead, for
http://localhost:8080/charts/CHART.svg or .png.`,
		define: func(t terminal, fs *flag.FlagSet) func(context.Context, []string) error {
			r := renderer{terminal: t, collect: quantity.Duration(5 * time.Second)}
			r.file, r.over = configFlag(t, fs), setFlag(fs)
			fs.StringVar(&r.out, "o", "", "write to `FILE`, whose name ends in .svg or .png; - is the standard output, as SVG")
			fs.TextVar(&r.collect, "for", r.collect, "collect samples for `TIME`")
			fs.TextVar(&r.window, "window", quantity.Duration(0), "show `TIME`, as 1m, instead of the time of --for")
			fs.StringVar(&r.size, "size", "", "draw `WxH` px, as 800x400, instead of the chart's own size")
			fs.StringVar(&r.theme, "theme", "", "`light or dark`, for .png; an .svg follows whoever looks at it")
			fs.Func("var", "set a var of the chart, as `NAME=VALUE`; may be repeated", r.addVar)
			return r.run
		},
	}
}

// renderer is what the command line of render says.
type renderer struct {
	terminal
	file             *string
	over             *[]config.Setting
	out, size, theme string
	collect, window  quantity.Duration
	vars             map[string]string
}

func (r *renderer) addVar(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return errors.New("want NAME=VALUE")
	}
	if r.vars == nil {
		r.vars = map[string]string{}
	}
	r.vars[name] = value
	return nil
}

func (r *renderer) run(ctx context.Context, args []string) error {
	format, err := r.format()
	if err != nil {
		return err
	}
	if len(args) != 1 {
		return usageError{"want the name of one CHART"}
	}
	cfg, err := daemon.Load(*r.file, daemon.WithEnv(r.env), daemon.WithSettings(*r.over...))
	if err != nil {
		return err
	}
	chart, ok := cfg.Chart(args[0])
	if !ok {
		names := make([]string, len(cfg.Charts))
		for i, c := range cfg.Charts {
			names[i] = c.Name
		}
		return fmt.Errorf("no chart %q; %s", args[0], problem.OneOf(args[0], names))
	}
	view, err := r.view(chart)
	if err != nil {
		return err
	}
	st, err := collect(ctx, r.terminal, cfg, r.collect.Std())
	if err != nil {
		return err
	}
	if !seen(st, &chart.Spec) {
		fmt.Fprintf(r.err, "chartd: no samples came for %q in %v: the picture is empty; see chartd help render\n", chart.Name, r.collect)
	}
	picture, err := draw(st, &chart.Spec, view, format, plotting.Theme(r.theme))
	if err != nil {
		return err
	}
	if r.out == "-" {
		_, err := r.terminal.out.Write(picture)
		return err
	}
	return os.WriteFile(r.out, picture, 0o644)
}

// format returns what is written, "svg" or "png".
func (r *renderer) format() (string, error) {
	format := strings.ToLower(strings.TrimPrefix(filepath.Ext(r.out), "."))
	if r.out == "-" {
		format = "svg"
	}
	switch {
	case r.out == "":
		return "", usageError{"want -o FILE.svg or -o FILE.png"}
	case format != "svg" && format != "png":
		return "", usageError{fmt.Sprintf("-o %s: the name ends neither in .svg nor in .png", r.out)}
	case r.theme != "" && format == "svg":
		return "", usageError{"--theme is for .png; an .svg follows whoever looks at it"}
	case r.theme != "" && r.theme != string(plotting.Light) && r.theme != string(plotting.Dark):
		return "", usageError{fmt.Sprintf("--theme: no theme %q; light or dark", r.theme)}
	case r.collect <= 0:
		return "", usageError{"--for: want a time above 0"}
	}
	return format, nil
}

// view returns the chart's view as the flags change it.
func (r *renderer) view(chart *config.Chart) (plotting.View, error) {
	window := max(r.collect, plotting.MinWindow)
	change := plotting.Change{Window: &window, Vars: r.vars}
	if r.window != 0 {
		change.Window = &r.window
	}
	if r.size != "" {
		var w, h int
		if n, err := fmt.Sscanf(r.size+"\n", "%dx%d\n", &w, &h); n != 2 || err != nil {
			return plotting.View{}, usageError{fmt.Sprintf("--size: %q is not a width and a height in px; write 800x400", r.size)}
		}
		change.Size = &[2]int{w, h}
	}
	v, err := chart.Change(chart.View(chart.Name), change)
	if err != nil {
		return v, usageError{err.Error()}
	}
	return v, nil
}

// collect runs the sources of cfg for a while and returns what they brought.
func collect(ctx context.Context, t terminal, cfg *config.Config, during time.Duration) (*store.Store, error) {
	log, _, err := daemon.NewLogger(config.Log{Level: "warn", Format: cfg.Log.Format}, t.err)
	if err != nil {
		return nil, err
	}
	st := store.New(cfg.Store, nil)
	m := source.NewManager(st, log.With(zap.String("command", "render")), nil)
	if err := m.Apply(cfg.Sources); err != nil {
		return nil, err
	}
	running, cancel := context.WithTimeout(ctx, during)
	defer cancel()
	if err := m.Run(running); err != nil && running.Err() == nil {
		return nil, err
	}
	return st, ctx.Err()
}

// seen reports whether the store holds a sample of any of the chart's metrics.
func seen(st *store.Store, spec *plotting.Spec) bool {
	for _, metric := range spec.Metrics() {
		if len(st.Select(metric, nil)) > 0 {
			return true
		}
	}
	return false
}

// draw returns the picture that a view shows now.
func draw(st *store.Store, spec *plotting.Spec, view plotting.View, format string, theme plotting.Theme) ([]byte, error) {
	live := plotting.NewLive(spec, st)
	defer live.Close()
	frame, err := live.Render(view, time.Now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("drawing %s: %w", view.Chart, err)
	}
	if format == "svg" {
		return frame.AppendSVG(nil), nil
	}
	if theme == "" {
		theme = plotting.Light
	}
	var b bytes.Buffer
	if err := plotting.PNG(&b, frame, theme, 1); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
