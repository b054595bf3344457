package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
)

func serveCommand() command {
	return command{
		name: "serve", args: "[--config FILE] [--listen ADDR] [--set KEY=VALUE]...",
		short: "draw and push charts until stopped (the default)",
		long: `
Serves the charts of FILE, or, without one, of this machine, and writes one line
with the address when it can be reached. Whatever FILE may say, --set says for
this run alone; VALUE is YAML, as in --set 'server.origins=["https://a.example"]'.

FILE is read again when it changes, and on SIGHUP; a mistake in it is logged,
and what was there goes on. SIGTERM and SIGINT end chartd after the last frames
are sent; a second one ends it at once.`,
		define: func(t terminal, fs *flag.FlagSet) func(context.Context, []string) error {
			file, listen, over := configFlag(t, fs), listenFlag(t, fs), setFlag(fs)
			return func(ctx context.Context, args []string) error {
				if len(args) > 0 {
					return usageError{fmt.Sprintf("unexpected argument %q; the file is given by --config", args[0])}
				}
				return serve(ctx, t, *file, *listen, *over)
			}
		},
	}
}

// configFlag and listenFlag define the flags that the environment may stand in
// for.
func configFlag(t terminal, fs *flag.FlagSet) *string {
	file, _ := t.env("CHARTD_CONFIG")
	return fs.String("config", file, "read the configuration from `FILE`; also CHARTD_CONFIG")
}

func listenFlag(t terminal, fs *flag.FlagSet) *string {
	addr, _ := t.env("CHARTD_LISTEN")
	return fs.String("listen", addr, "the `ADDR` to listen on, as \":8080\", in place of the configuration's; also CHARTD_LISTEN")
}

// setFlag defines the flag that stands in for any setting of the configuration.
func setFlag(fs *flag.FlagSet) *[]config.Setting {
	over := new([]config.Setting)
	fs.Func("set", "put `KEY=VALUE`, as server.max_connections=500, in the place of what the configuration says; may be repeated", func(s string) error {
		one, err := config.ParseSetting(s)
		*over = append(*over, one)
		return err
	})
	return over
}

func serve(ctx context.Context, t terminal, file, listen string, over []config.Setting) error {
	opts := []daemon.Option{
		daemon.WithAnnounce(t.out), daemon.WithVersion("chartd/" + versionNumber()), daemon.WithEnv(t.env), daemon.WithSettings(over...),
	}
	if file != "" {
		opts = append(opts, daemon.WithConfigFile(file))
	}
	if listen != "" {
		if err := config.CheckListen(listen); err != nil {
			return usageError{fmt.Sprintf("--listen: %v", err)}
		}
		opts = append(opts, daemon.WithListen(listen))
	}
	// Some libraries write to Go's own log, such as what a server said unasked,
	// which may be a secret that it was sent. Whatever matters is an error, too.
	defer zap.RedirectStdLog(zap.NewNop())()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// Once the drain has begun, a second signal kills as it usually does.
	defer context.AfterFunc(ctx, stop)()
	d, err := daemon.New(nil, opts...) // reads the file, or the default
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case err := <-done:
			return err
		case <-hangup:
			_ = d.ReloadFile() // logged and counted there
		}
	}
}
