package main

import (
	"context"
	"flag"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/chartd/chartd/pkg/pipe"
	"github.com/chartd/chartd/pkg/quantity"
)

func pipeCommand() command {
	return command{
		name: "pipe", args: "[--match REGEXP] [--title TEXT] [--window TIME]",
		short: "show live charts of what a command prints: vmstat 1 | chartd pipe",
		long: `
Reads lines from its input, finds the numbers and what they are called, and
serves live charts of them; the address stands on the standard error, and the
lines go through to the standard output.

  vmstat 1 | chartd pipe
  ping example.com | chartd pipe --match 'time=([0-9.]+)'
  tail -f data.csv | chartd pipe --title Lab

Tables with headers (vmstat, iostat, free, docker stats), CSV, JSON objects and
key=value are understood; a regular expression finds numbers elsewhere. It goes
on serving after the input's end, until Ctrl-C. A program that keeps its lines
back when it writes to a pipe is cured by stdbuf -oL; one whose tables have
decimal commas, by LC_ALL=C.`,
		define: func(t terminal, fs *flag.FlagSet) func(context.Context, []string) error {
			var window quantity.Duration
			c := pipe.Config{Version: "chartd/" + versionNumber()}
			env, _ := t.env("CHARTD_LISTEN")
			fs.StringVar(&c.Listen, "listen", env, "the `ADDR` to listen on, instead of port 8080 of this machine alone, or a free one; also CHARTD_LISTEN")
			fs.StringVar(&c.Match, "match", "", "find the numbers by `REGEXP`: its groups, named as (?P<name>…) or not")
			fs.StringVar(&c.Title, "title", "", "write `TEXT` above the charts")
			fs.TextVar(&window, "window", quantity.Duration(0), "show the last `TIME`, as 5m, instead of what suits the lines")
			fs.BoolVar(&c.Exit, "exit", false, "end with the input")
			return func(ctx context.Context, args []string) error {
				if len(args) > 0 {
					return usageError{fmt.Sprintf("unexpected argument %q; the lines come from the standard input", args[0])}
				}
				c.Window = window
				if ps := c.Validate(); len(ps) > 0 {
					return usageError{"--" + ps[0].Error()}
				}
				ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
				defer stop()
				defer context.AfterFunc(ctx, stop)()
				return pipe.Run(ctx, c, t.in, t.out, t.err)
			}
		},
	}
}
