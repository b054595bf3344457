package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/problem"
)

// parseFlags parses flags wherever they stand among the other arguments, which
// it returns: `chartd render cpu -o cpu.svg`.
func parseFlags(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		taken := len(args) - fs.NArg()
		if fs.NArg() == 0 || taken > 0 && args[taken-1] == "--" {
			return append(rest, fs.Args()...), nil
		}
		rest, args = append(rest, fs.Arg(0)), fs.Args()[1:]
	}
}

// message returns an error for a person. The mistakes of a configuration stand
// alone, one a line, so that an editor can jump to them.
func message(err error) string {
	if _, ok := errors.AsType[*config.Errors](err); ok {
		return err.Error()
	}
	return "chartd: " + err.Error()
}

func unknownCommand(name string, all []command) string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.name
	}
	if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" {
		return "there is no such command; to serve the charts of a file, chartd serve --config " + name
	}
	return "there is no such command; " + problem.OneOf(name, names)
}

// badFlag says what is wrong with a flag, in the way in which flags are written
// here, and which one was meant if there is none of that name.
func badFlag(err error, fs *flag.FlagSet) string {
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return badValue(err.Error(), fs)
	}
	if fs.Name() == "validate" && name == "config" {
		return "there is no flag --config; the file stands alone: chartd validate FILE"
	}
	var all []string
	fs.VisitAll(func(f *flag.Flag) { all = append(all, dashed(f.Name)) })
	name = dashed(strings.TrimLeft(name, "-"))
	if len(all) == 0 {
		return fmt.Sprintf("there is no flag %s, and no other", name)
	}
	return fmt.Sprintf("there is no flag %s; %s", name, problem.OneOf(name, all))
}

// badValue says what is wrong with the value of a flag, or that there is none.
func badValue(text string, fs *flag.FlagSet) string {
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		if f := fs.Lookup(name); f != nil {
			kind, _ := flag.UnquoteUsage(f)
			return fmt.Sprintf("%s: want %s behind it", dashed(name), kind)
		}
	}
	given, rest, ok := strings.Cut(text, " for flag -")
	if !ok {
		given, rest, ok = strings.Cut(text, " for -") // of a flag that is on or off
	}
	name, why, both := strings.Cut(rest, ": ")
	if !ok || !both || fs.Lookup(name) == nil {
		return text
	}
	if why == "parse error" { // as package flag says of all that it reads itself
		want := "a whole number"
		if b, ok := fs.Lookup(name).Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
			want = "true or false"
		}
		_, given, _ = strings.Cut(given, "value ")
		why = fmt.Sprintf("%s is not %s", given, want)
	}
	return dashed(name) + ": " + why
}

// help writes the usage of chartd, or of one command.
func help(t terminal, args []string) int {
	all := commands()
	for _, c := range all {
		if len(args) > 0 && c.name == args[0] {
			helpOne(t.out, c, t)
			return exitOK
		}
	}
	if len(args) > 0 {
		return report(t, usageError{unknownCommand(args[0], all)}, args[0])
	}
	fmt.Fprint(t.out, `chartd draws charts on the server and pushes them live to every browser that
watches. Without a file it shows the machine it runs on.

Usage: chartd [command] [flags]

`)
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, c := range all {
		fmt.Fprintf(w, "  %s\t%s\n", c.name, c.short)
	}
	_ = w.Flush() // as for every write to the terminal
	fmt.Fprint(t.out, `
Without a command, chartd serves. "chartd help COMMAND" says more.

Environment:
  CHARTD_CONFIG  the configuration file, as --config
  CHARTD_LISTEN  the address to listen on, as --listen
  CHARTD_URL     the address that callback asks, as --url
  CHARTD_TOKEN   who callback says it is, as --token

Exit status: 0 it worked, 1 it did not, 2 the command line makes no sense.
`)
	return exitOK
}

func helpOne(w io.Writer, c command, t terminal) {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.define(t, fs)
	fmt.Fprintf(w, "Usage: chartd %s\n\n%s\n", strings.TrimSpace(c.name+" "+c.args), strings.TrimSpace(c.long))
	header := "\nFlags:\n"
	fs.VisitAll(func(f *flag.Flag) {
		kind, text := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "%s  %s\n        %s", header, strings.TrimSpace(dashed(f.Name)+" "+kind), text)
		if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "false" {
			fmt.Fprintf(w, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(w)
		header = ""
	})
}

// dashed returns a flag's name as it is written: -o, --config.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
