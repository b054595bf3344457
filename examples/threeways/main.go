// Command threeways serves one chart three times: answered by a Go function, by
// a webhook, and by a script. Each compares the argument of
// ChartN.callback("MyCustomArgs") and changes the chart; each brings a sample
// when the chart ticks. Package ways beside it has all three.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/chartd/chartd/examples/threeways/ways"
	"github.com/chartd/chartd/pkg/daemon"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context) error {
	hook, err := ways.ListenHook(ctx)
	if err != nil {
		return err
	}
	defer hook.Close()
	d, err := ways.New(hook, daemon.WithAnnounce(os.Stdout))
	if err != nil {
		return err
	}
	return d.Run(ctx)
}
