package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/config/strictyaml"
	"github.com/chartd/chartd/pkg/source/builtin"
)

func validateCommand() command {
	return command{
		name: "validate", args: "[--set KEY=VALUE]... FILE",
		short: "check a configuration and name every mistake",
		long: `
Checks FILE ("-" is the standard input) as serve would read it and writes every
mistake with its line and column, what is wrong, and what would be right.
Environment variables that FILE refers to must be set, or have defaults. Nothing
is started: whether an address is free, or a source can be reached, is not known.`,
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
				return nil
			}
		},
	}
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
