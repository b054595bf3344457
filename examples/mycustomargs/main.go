// Command mycustomargs is a chartd of one's own: a chart whose data and whose
// RefreshCallback are Go, hooks around every callback, and a page that raises
// them with Chart1.callback("MyCustomArgs").
package main

import (
	"context"
	"embed"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
)

//go:embed chartd.yaml index.html page.js page.css
var files embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends. What the hooks hear is written to w.
func run(ctx context.Context, w io.Writer) error {
	yaml, err := files.ReadFile("chartd.yaml")
	if err != nil {
		return err
	}
	cfg, err := daemon.Parse(string(yaml))
	if err != nil {
		return err
	}
	d, err := newDaemon(cfg, w)
	if err != nil {
		return err
	}
	return d.Run(ctx)
}

// newDaemon is where chartd and this program meet.
func newDaemon(cfg *config.Config, w io.Writer, more ...daemon.Option) (*daemon.Daemon, error) {
	page := http.FileServerFS(files)
	return daemon.New(cfg, append(more,
		daemon.WithCallback("waves", (&generator{hz: 0.1}).refresh),
		daemon.WithHook("waves", report(w)),
		daemon.WithPage("GET /{$}", page),
		daemon.WithPage("GET /page.js", page),
		daemon.WithPage("GET /page.css", page),
		daemon.WithAnnounce(w),
	)...)
}
