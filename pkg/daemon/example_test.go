package daemon_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/session"
)

// A RefreshCallback of one's own with hooks: the page's
// Chart1.callback("MyCustomArgs") reaches it with that argument.
func Example() {
	cfg, _ := daemon.Parse(`{listen: "localhost:0", log: {level: warn}, charts: {dice: {refresh: 1s, series: [{metric: dice}]}}}`)
	d, _ := daemon.New(cfg,
		daemon.WithCallback("dice", func(_ context.Context, call *session.Call) error {
			if call.ArgString() == "MyCustomArgs" {
				fmt.Println("asked for", call.ArgString())
				return call.SetWindow(15 * time.Minute) // for its caller
			}
			return call.AppendNow("dice", nil, 4) // a tick: the chart's data
		}),
		daemon.WithHook("dice", session.Hook{
			Before: func(_ context.Context, call *session.Call) error { note("before", call); return nil },
			After:  func(_ context.Context, call *session.Call, _ error, _ time.Duration) { note("after", call) },
		}),
	)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { fmt.Println("ended:", d.Run(ctx)) })
	ask(d, "dice", "MyCustomArgs") // what the page does
	stop()
	running.Wait()
	// Output:
	// before client
	// asked for MyCustomArgs
	// after client
	// ended: <nil>
}

// note prints what a hook hears of a page's callbacks.
func note(when string, call *session.Call) {
	if call.Cause() == session.CauseClient {
		fmt.Println(when, call.Cause())
	}
}

// ask does in Go what a page does with Chart1.callback(arg).
func ask(d *daemon.Daemon, chart, arg string) {
	<-d.Ready()
	ws, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(d.URL(), "http")+"ws", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	defer func() { _ = ws.Close() }()
	send := func(format string, args ...any) {
		if err := ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, args...)); err != nil {
			fmt.Println(err)
		}
	}
	send(`[{"t":"hello"},{"t":"sub","id":1,"chart":%q}]`, chart)
	view := regexp.MustCompile(`"v":"([^"]+)"`)
	for asked := false; ; {
		_, b, err := ws.ReadMessage()
		if err != nil {
			fmt.Println(err)
			return
		}
		switch v := view.FindSubmatch(b); {
		case strings.Contains(string(b), `"t":"ok","id":2`):
			return
		case strings.Contains(string(b), `"t":"error"`):
			fmt.Println(string(b))
			return
		case !asked && v != nil:
			send(`{"t":"callback","id":2,"v":%q,"arg":%q}`, v[1], arg)
			asked = true
		}
	}
}
