// Command chartd draws charts on the server and pushes them live to every
// browser that watches. `chartd help` says how it is used.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // what was asked did not work
	exitUsage   = 2 // what was asked makes no sense
)

func main() {
	os.Exit(run(context.Background(), terminal{os.Stdin, os.Stdout, os.Stderr, os.LookupEnv}, os.Args[1:]))
}

// terminal is what a command reads, writes and asks.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
}

// command is a subcommand. define adds its flags to fs and returns what runs
// when they are parsed, with the other arguments.
type command struct {
	name, args, short, long string
	define                  func(t terminal, fs *flag.FlagSet) func(ctx context.Context, args []string) error
}

func commands() []command {
	return []command{serveCommand(), pipeCommand(), validateCommand(), renderCommand(), signCommand(), callbackCommand(), schemaCommand(), healthcheckCommand(), versionCommand()}
}

// usageError says that the command line makes no sense.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

// run executes a command line and returns the exit code. Without a subcommand
// it serves.
func run(ctx context.Context, t terminal, args []string) int {
	name := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	} else if slices.ContainsFunc(args, func(a string) bool { return a == "-h" || a == "-help" || a == "--help" }) {
		name, args = "help", nil
	}
	if slices.Contains(args, "--version") || slices.Contains(args, "-version") {
		name, args = "version", nil
	}
	if name == "help" {
		return help(t, args)
	}
	all := commands()
	at := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if at < 0 {
		return report(t, usageError{unknownCommand(name, all)}, name)
	}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	do := all[at].define(t, fs)
	rest, err := parseFlags(fs, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return help(t, []string{name})
	case err != nil:
		err = usageError{badFlag(err, fs)}
	default:
		err = do(ctx, rest)
	}
	return report(t, err, name)
}

// report tells what went wrong, if anything, and returns the exit code.
func report(t terminal, err error, name string) int {
	if err == nil {
		return exitOK
	}
	if _, ok := errors.AsType[usageError](err); ok {
		more := "chartd help"
		if slices.ContainsFunc(commands(), func(c command) bool { return c.name == name }) {
			more += " " + name
		}
		fmt.Fprintf(t.err, "chartd %s: %v\nRun %q for usage.\n", name, err, more)
		return exitUsage
	}
	fmt.Fprintln(t.err, message(err))
	return exitFailure
}
