package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/source/builtin"
)

// version is set when a release is built: -ldflags "-X main.version=0.1.0".
var version string

// versionNumber returns the release, or what Go knows of the module's version.
func versionNumber() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

func versionCommand() command {
	return command{
		name: "version", short: "say which chartd this is",
		long: "Writes chartd's version, the commit it was built from, and the version of Go.",
		define: func(t terminal, _ *flag.FlagSet) func(context.Context, []string) error {
			return func(_ context.Context, args []string) error {
				if len(args) > 0 {
					return usageError{fmt.Sprintf("unexpected argument %q", args[0])}
				}
				commit := ""
				if info, ok := debug.ReadBuildInfo(); ok {
					for _, s := range info.Settings {
						if s.Key == "vcs.revision" && len(s.Value) >= 12 {
							commit = " " + s.Value[:12]
						}
					}
				}
				fmt.Fprintf(t.out, "chartd %s%s %s %s/%s\n", versionNumber(), commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return nil
			}
		},
	}
}

func schemaCommand() command {
	return command{
		name: "schema", short: "write the configuration's JSON Schema, for editors",
		long: `
Writes the JSON Schema of the configuration: with it, an editor completes keys,
shows what they mean, and underlines mistakes. For editors with the YAML language
server, write it to a file and begin the configuration with

  # yaml-language-server: $schema=chartd.schema.json`,
		define: func(t terminal, _ *flag.FlagSet) func(context.Context, []string) error {
			return func(_ context.Context, args []string) error {
				if len(args) > 0 {
					return usageError{fmt.Sprintf("unexpected argument %q", args[0])}
				}
				out, err := config.Schema(builtin.Kinds())
				if err != nil {
					return err
				}
				_, err = t.out.Write(out)
				return err
			}
		},
	}
}
