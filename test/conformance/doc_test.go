// Package conformance talks to a running chartd as a stranger would: it is
// written from pkg/wire/PROTOCOL.md alone, with another WebSocket library than
// the server's and an XML parser that knows nothing of charts. It imports
// chartd to start it, and nothing else of it.
package conformance

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/chartd/chartd/pkg/daemon"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// configuration has charts whose value axis is pinned, so that nothing but the
// protocol decides when a full is due.
const configuration = `
listen: "127.0.0.1:0"
log: {level: error}
charts:
  wave:
    title: Wave <&'">
    kind: line
    refresh: 250ms
    window: 10s
    size: [400, 200]
    y: {min: -1.5, max: 1.5}
    series: [{metric: wave, name: "{of}"}]
    callbacks:
      - {on: wide, set: {window: 30s}}
  quiet:
    kind: stat
    refresh: 0
    series: [{metric: wave, name: "{of}"}]
`

// chartd is a daemon that runs until the test ends.
type chartd struct {
	t    *testing.T
	http string
	ws   string
	stop func() error // drains it
}

func start(t *testing.T) *chartd {
	t.Helper()
	cfg, err := daemon.Parse(configuration)
	if err != nil {
		t.Fatal(err)
	}
	d, err := daemon.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	stopped := false
	stop := func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("the daemon ended with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	select {
	case <-d.Ready():
	case err := <-done:
		stopped = true
		t.Fatalf("the daemon did not start: %v", err)
	}
	addr := d.Addr().String()
	return &chartd{t: t, http: "http://" + addr, ws: "ws://" + addr + "/ws", stop: stop}
}

// push sends samples as a device would: again, if it is told to try again. They
// are lines of JSON.
func (c *chartd) push(ctx context.Context, lines ...string) error {
	for tries := 0; ; tries++ {
		status, err := c.pushOnce(ctx, lines...)
		switch {
		case err != nil || status == http.StatusNoContent:
			return err
		case status != http.StatusServiceUnavailable || tries == 100:
			return fmt.Errorf("push is answered with %d", status)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *chartd) pushOnce(ctx context.Context, lines ...string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.http+"/api/v1/push", bytes.NewReader([]byte(strings.Join(lines, "\n"))))
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}

// feed pushes a sample of each series, and then goes on with it every 100 ms.
func (c *chartd) feed() {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	send := func(i int) error {
		up, down := float64(i%20)/10-1, 1-float64(i%7)/4
		return c.push(ctx,
			fmt.Sprintf(`{"metric":"wave","labels":{"of":"<up>"},"v":%g}`, up),
			fmt.Sprintf(`{"metric":"wave","labels":{"of":"down & out"},"v":%g}`, down))
	}
	if err := send(0); err != nil {
		c.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for i := 1; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := send(i); err != nil && ctx.Err() == nil {
					c.t.Error(err)
					return
				}
			}
		}
	}()
	c.t.Cleanup(func() {
		cancel()
		<-done
	})
}
