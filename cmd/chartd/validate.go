package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/config/strictyaml"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/builtin"
	"github.com/chartd/chartd/pkg/source/host"
)

func validateCommand() command {
	return command{
		name: "validate", args: "[--set KEY=VALUE]... FILE",
		short: "check a configuration and name every mistake",
		long: `
Checks FILE ("-" is the standard input) as serve would read it and writes every
mistake with its line and column, what is wrong, and what would be right.
Environment variables that FILE refers to must be set, or have defaults. Nothing
is started: whether an address is free, or a source can be reached, is not known.
What is in order but will show nothing, as far as that can be told, is noted.`,
		define: func(t terminal, fs *flag.FlagSet) func(context.Context, []string) error {
			over := setFlag(fs)
			return func(_ context.Context, args []string) error {
				if len(args) != 1 {
					return usageError{"want one FILE"}
				}
				cfg, err := read(t, args[0], *over)
				if err != nil {
					return err
				}
				fmt.Fprintf(t.out, "ok: %s, %s\n", count(len(cfg.Charts), "chart"), count(len(cfg.Sources), "source"))
				for _, note := range notes(cfg) {
					fmt.Fprintln(t.out, "note: "+note)
				}
				return nil
			}
		},
	}
}

// notes says what is no mistake and will show nothing all the same: metrics of
// this machine under a name that they do not have, or without their source.
func notes(cfg *config.Config) []string {
	if len(cfg.Charts) == 0 {
		return []string{"there is no chart, so there will be nothing to see"}
	}
	asked := slices.ContainsFunc(slices.Collect(maps.Values(cfg.Sources)), func(s source.Config) bool { _, ok := s.(*host.Config); return ok })
	metrics := host.Metrics()
	var out []string
	for _, c := range cfg.Charts {
		for i, s := range c.Series {
			if !strings.HasPrefix(s.Metric, "host_") {
				continue
			}
			where := fmt.Sprintf("charts.%s.series[%d]", c.Name, i)
			switch known := slices.Contains(metrics, s.Metric); {
			case known && !asked:
				out = append(out, where+": "+s.Metric+" comes from a source of type host, and there is none; write sources: {host: {type: host}}")
			case !known && asked:
				out = append(out, where+": this machine brings no "+s.Metric+"; "+problem.OneOf(s.Metric, metrics))
			}
		}
	}
	return out
}

// read reads a configuration from a file or from the standard input.
func read(t terminal, file string, over []config.Setting) (*config.Config, error) {
	if file != "-" {
		return config.Load(file, builtin.Kinds(), t.env, over...)
	}
	data, err := io.ReadAll(io.LimitReader(t.in, strictyaml.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the standard input: %w", err)
	}
	return config.Parse("stdin", data, builtin.Kinds(), t.env, over...)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
