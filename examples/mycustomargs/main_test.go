package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// buffer is a bytes.Buffer that several goroutines may write to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// What the page does, done over a socket: the chart is alive, callbacks reach
// the handler, the hooks hear of them.
func TestProgram(t *testing.T) {
	yaml, err := files.ReadFile("chartd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := daemon.Parse(string(yaml))
	if err != nil {
		t.Fatal(err)
	}
	var out buffer
	d, err := newDaemon(cfg.WithListen("127.0.0.1:0"), &out, daemon.WithLogger(zap.NewNop()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	defer stop()
	<-d.Ready()

	for path, want := range map[string]string{
		"": `<chartd-chart id="Chart1" src="waves" events>`, "page.js": "chart.callback(", "page.css": "body {", "chartd.js": "export",
	} {
		if body := get(t, d.URL()+path); !strings.Contains(body, want) {
			t.Errorf("/%s lacks %q: %.200s", path, want, body)
		}
	}

	c := livetest.Dial(t, d.URL())
	c.Hello("")
	v := c.Sub(wire.Sub{Chart: "waves", Events: true}).V
	m := wire.NewMirror(v)
	for !strings.Contains(string(m.SVG()), "data-name='sine'") {
		c.Frames(m, 1) // the ticks bring data
	}
	ask := func(arg string) wire.ServerMessage {
		t.Helper()
		id := c.ID()
		message := wire.Callback{ID: id, V: v}
		if arg != "" {
			message.Arg = json.RawMessage(`"` + arg + `"`)
		}
		c.Send(message)
		for {
			switch m := c.Next().(type) {
			case wire.OK:
				if m.ID == id {
					if m.V != "" {
						v = m.V
					}
					return m
				}
			case wire.Failure:
				if m.ID == id {
					return m
				}
			}
		}
	}
	if got, ok := ask("MyCustomArgs").(wire.OK); !ok || string(got.Reply) != `{"hz":0.1}` {
		t.Errorf("MyCustomArgs: %+v", got)
	}
	if full := c.Full(v); !strings.Contains(full.SVG, "Waves, since you asked") {
		t.Error("the chart has not changed")
	}
	if got, ok := ask("faster").(wire.OK); !ok || string(got.Reply) != `{"hz":0.125}` {
		t.Errorf("faster: %+v", got)
	}
	if got, ok := ask("").(wire.Failure); !ok || got.Err.Code != wire.CodeCallbackCanceled || !strings.Contains(got.Err.Message, "say what you want") {
		t.Errorf("no argument: %+v", got)
	}
	if got, ok := ask("louder").(wire.OK); !ok || got.Handled == nil || *got.Handled {
		t.Errorf("louder: %+v", got)
	}
	var refused wire.ServerMessage
	for range 12 {
		if refused = ask("faster"); isFailure(refused) {
			break
		}
	}
	if f, ok := refused.(wire.Failure); !ok || !strings.Contains(f.Err.Message, "more than two samples a second can show") {
		t.Errorf("too fast: %+v", refused)
	}
	want := "MyCustomArgs: BeforeCallback\nMyCustomArgs: AfterCallback, error <nil>\n" +
		"MyCustomArgs: BeforeCallbackResponseProcess\nMyCustomArgs: AfterCallbackResponseProcess\n"
	if got := out.String(); !strings.HasPrefix(got, "chartd is live at "+d.URL()+"\n"+want) {
		t.Errorf("printed %q", got)
	}
}

func isFailure(m wire.ServerMessage) bool {
	_, ok := m.(wire.Failure)
	return ok
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
