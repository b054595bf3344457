package ways

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What the page does, done over a socket: each chart is fed by its own way's
// ticks, and each way finds the argument and changes the chart.
func TestProgram(t *testing.T) {
	hook, err := ListenHook(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer hook.Close()
	d, err := New(hook, daemon.WithListen("127.0.0.1:0"), daemon.WithLogger(zap.NewNop()))
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
		"": `<chartd-chart id="Chart3" src="script" events>`, "page.js": `.callback("MyCustomArgs")`, "page.css": "body {", "chartd.js": "export",
	} {
		if status, body := request(t, http.MethodGet, d.URL()+path, "", ""); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("/%s lacks %q: %d %.200s", path, want, status, body)
		}
	}

	c := livetest.Dial(t, d.URL())
	c.Hello("")
	views, mirrors := map[string]string{}, map[string]*wire.Mirror{}
	for _, way := range []string{"go", "webhook", "script"} {
		v := c.Sub(wire.Sub{Chart: way, Events: true}).V
		views[way], mirrors[way] = v, wire.NewMirror(v)
	}
	for way, m := range mirrors {
		for !strings.Contains(string(m.SVG()), "data-name='"+way+"'") {
			c.Send(wire.Resync{V: views[way]})
			c.Frames(m, 1) // the ticks bring data
		}
	}
	for way, title := range map[string]string{"go": "Changed by Go", "webhook": "Changed by a webhook", "script": "Changed by a script"} {
		ask := func(arg string) wire.OK {
			id := c.ID()
			c.Send(wire.Callback{ID: id, V: views[way], Arg: json.RawMessage(arg)})
			return c.OK(id)
		}
		ok := ask(`"MyCustomArgs"`)
		if string(ok.Reply) != `{"by":"`+way+`"}` {
			t.Errorf("%s: %+v", way, ok)
		}
		if full := c.Full(ok.V); !strings.Contains(full.SVG, title) || !strings.Contains(full.SVG, "The last 2m") {
			t.Errorf("%s has not changed: %.400s", way, full.SVG)
		}
	}
}

// The hook answers nobody but chartd.
func TestForged(t *testing.T) {
	hook, err := ListenHook(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer hook.Close()
	for _, header := range []string{"", "v1=00", "t=1700000000,v1=00"} {
		if status, body := request(t, http.MethodPost, hook.url, header, `{"cause":"tick"}`); status != http.StatusUnauthorized || strings.Contains(body, "samples") {
			t.Errorf("%q: %d %s", header, status, body)
		}
	}
}

// The signature was made by `printf '1700000000.{}' | openssl dgst -sha256 -hmac at-least-16-bytes`.
func TestGenuine(t *testing.T) {
	const secret, header = "at-least-16-bytes", "t=1700000000,v1=8cb45b22936947cb6d8ec0d4a61b29ffd41c10ae0cc7d413421dca01a5816ec2"
	at := time.Unix(1700000000, 0)
	for _, c := range []struct {
		name, secret, header, body string
		now                        time.Time
		want                       bool
	}{
		{"right", secret, header, "{}", at, true},
		{"nearly too old", secret, header, "{}", at.Add(maxAge - time.Second), true},
		{"too old", secret, header, "{}", at.Add(maxAge), false},
		{"of the future", secret, header, "{}", at.Add(-maxAge), false},
		{"another secret", secret + "!", header, "{}", at, false},
		{"another body", secret, header, "{ }", at, false},
		{"another time", secret, strings.Replace(header, "1700000000", "1700000001", 1), "{}", at, false},
		{"cut short", secret, header[:len(header)-2], "{}", at, false},
		{"no time", secret, header[len("t=1700000000,"):], "{}", at, false},
		{"nothing", secret, "", "{}", at, false},
	} {
		if got := genuine(c.secret, c.header, []byte(c.body), c.now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// request asks a server and returns its status and its body.
func request(t *testing.T, method, url, signature, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if signature != "" {
		req.Header.Set("Chartd-Signature", signature)
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
	return resp.StatusCode, string(b)
}
