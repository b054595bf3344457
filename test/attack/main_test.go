// Package attack tries to get more out of chartd than it gives: each test is an
// attack on a whole daemon over real sockets, and says how it is refused. What a
// daemon says and logs meanwhile is searched for every secret that it was told.
package attack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// What the daemons of these tests are told and must not tell.
const (
	wallToken   = "wall-3b1f9d2c7e6a4d58"
	callToken   = "call-9c4e8a1b2d7f6e35"
	rootToken   = "root-5a7d3c9e1f2b8d46"
	ingestToken = "ingest-8e2d6b4c9f1a7e53"
	jwtSecret   = "jwt-6f3a9c1e8b5d2f7a4c6e9b1d3f5a7c8e"
	linkSecret  = "link-2d8f4b6e1c9a7d3f5b8e2c4a6d9f1b7e"
)

const (
	issuer   = "https://id.example.com"
	audience = "chartd"
)

// config is what they are told, but for the keys.
const config = `
charts:
  cpu: {title: CPU, refresh: 100ms, window: 1m, vars: {host: a}, series: [{metric: m, labels: {host: $host}}], callbacks: [{on: "zoom", set: {window: 2m}}]}
  cpu-hidden: {title: Plan Nine, refresh: 1s, window: 1m, series: [{metric: m}]}
  shared: {title: Shared, refresh: 1s, window: 1m, scope: shared, series: [{metric: m}], callbacks: [{on: "zoom", set: {window: 5m}}]}
auth:
  tokens:
    - {name: wall, token: %q, read: [cpu]}
    - {name: call, token: %q, read: [cpu, shared], callback: [cpu, shared]}
    - {name: root, token: %q, admin: true}
  jwt: {secret: %q, keys: [%q], issuer: %q, audience: %q, leeway: 0}
  links: {secret: %q}
  ingest:
    - {name: telegraf, token: %q}
`

// target is a daemon under attack.
type target struct {
	*daemon.Daemon
	t     testing.TB
	base  string
	keys  keys
	yaml  string
	links auth.Links

	mu      sync.Mutex
	said    bytes.Buffer // on every socket
	logged  bytes.Buffer
	secrets map[string]string // what must not be said, and by what name
	kept    map[string]string // what must not be logged, but is said to its owner
}

// attacked starts a daemon, with more sections. When the test ends, all that it
// said and logged is searched for secrets.
func attacked(t *testing.T, more ...string) *target {
	t.Helper()
	return attackedWith(t, func(yaml string) string { return yaml + strings.Join(more, "\n") })
}

// attackedWith is attacked with another configuration.
func attackedWith(t *testing.T, change func(yaml string) string) *target {
	t.Helper()
	k, err := issued()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "issuer.pem")
	if err := os.WriteFile(file, k.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	g := &target{
		t: t, keys: k, links: auth.Links{Secret: linkSecret}, kept: map[string]string{},
		secrets: map[string]string{
			"a token": wallToken, "a token that may call": callToken, "the admin's token": rootToken,
			"an ingest token": ingestToken, "the JWT secret": jwtSecret, "the links' secret": linkSecret,
		},
	}
	g.yaml = change(fmt.Sprintf(config, wallToken, callToken, rootToken, jwtSecret, file, issuer, audience, linkSecret, ingestToken))
	cfg, err := daemon.Parse(g.yaml)
	if err != nil {
		t.Fatal(err)
	}
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), logged{g}, zap.DebugLevel))
	g.Daemon, err = daemon.New(cfg, daemon.WithListen("127.0.0.1:0"), daemon.WithLogger(log))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	failed := make(chan error, 1)
	running.Go(func() { failed <- g.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		if err := <-failed; err != nil {
			t.Errorf("run: %v", err)
		}
		g.search()
	})
	select {
	case <-g.Ready():
	case <-time.After(patience):
		t.Fatal("the daemon does not start")
	}
	g.base = strings.TrimSuffix(g.URL(), "/")
	now := time.Now().UnixMilli()
	for i := range int64(20) {
		if err := g.Store().Append("m", store.LabelsOf(map[string]string{"host": "a"}), now-(20-i)*500, float64(i)); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// logged keeps a daemon's log.
type logged struct{ *target }

func (l logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.logged.Write(b)
}

func (l logged) Sync() error { return nil }

// heard is a connection whose other end is overheard.
type heard struct {
	net.Conn
	*target
}

func (h heard) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said.Write(b[:n])
	return n, err
}

func (g *target) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return heard{c, g}, nil
}

// search fails the test if anything was said that should not be.
func (g *target) search() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, secret := range g.secrets {
		if bytes.Contains(g.said.Bytes(), []byte(secret)) {
			g.t.Errorf("%s was said on a socket", name)
		}
		if bytes.Contains(g.logged.Bytes(), []byte(secret)) {
			g.t.Errorf("%s was logged", name)
		}
	}
	for name, secret := range g.kept {
		if bytes.Contains(g.logged.Bytes(), []byte(secret)) {
			g.t.Errorf("%s was logged", name)
		}
	}
	if g.logged.Len() == 0 || g.said.Len() == 0 {
		g.t.Error("nothing was overheard")
	}
}

// conceal adds a secret. A JWT is told by its signature, and by its claims.
func (g *target) conceal(name, secret string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.secrets[name] = secret
	return secret
}

// answer is an HTTP answer, read.
type answer struct {
	*http.Response
	body string
}

// do asks over a socket; header is names and values in turn.
func (g *target) do(method, path, body string, header ...string) answer {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, g.base+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: g.dial}).RoundTrip(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return answer{resp, string(b)}
}

func (g *target) get(path string, header ...string) answer {
	g.t.Helper()
	return g.do("GET", path, "", header...)
}

// connect opens a WebSocket and says nothing; header is as in do.
func (g *target) connect(header ...string) *livetest.Client {
	g.t.Helper()
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: patience, NetDialContext: g.dial}
	ws, resp, err := d.DialContext(context.Background(), "ws"+strings.TrimPrefix(g.base, "http")+wire.Path, h)
	if err != nil {
		g.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return livetest.New(g.t, ws)
}

// enter connects with a token, which must be good.
func (g *target) enter(token string) (*livetest.Client, wire.Welcome) {
	g.t.Helper()
	return g.resume(token, "")
}

// resume is enter with the token of a session.
func (g *target) resume(token, session string) (*livetest.Client, wire.Welcome) {
	g.t.Helper()
	c := g.connect()
	c.Send(wire.Hello{Token: token, Session: session})
	w := livetest.Until[wire.Welcome](c, nil)
	g.mu.Lock()
	g.kept["a session's token"] = w.Session
	g.mu.Unlock()
	return c, w
}

// turnedAway says hello, and subscribes in the same breath, and fails the test
// unless that ends with this error and close code.
func (g *target) turnedAway(c *livetest.Client, token string, code wire.ErrorCode, how wire.CloseCode, why string) {
	g.t.Helper()
	c.Send(wire.Hello{Token: token}, wire.Sub{ID: "1", Chart: "cpu"}, wire.Callback{ID: "2", V: "cpu", Arg: []byte(`"zoom"`)})
	m := c.Next()
	f, ok := m.(wire.Failure)
	if !ok {
		g.t.Fatalf("%T came first", m)
	}
	if f.Err.Code != code || !strings.Contains(f.Err.Message, why) {
		g.t.Errorf("refused with %v; want %s and %q", f.Err, code, why)
	}
	if e := c.Closed(); e.Code != int(how) {
		g.t.Errorf("closed with %v; want %v", e, how)
	}
}

// refused sends a request, and returns the error that answers it.
func refused(t testing.TB, c *livetest.Client, code wire.ErrorCode, m wire.ClientMessage) wire.Failure {
	t.Helper()
	c.Send(m)
	f := livetest.Until(c, func(f wire.Failure) bool { return f.ID == m.RequestID() })
	if f.Err.Code != code {
		t.Errorf("%v; want %s", f.Err, code)
	}
	return f
}

// metric returns the sum of a metric's lines that contain every one of labels.
func (g *target) metric(name string, labels ...string) float64 {
	g.t.Helper()
	a := g.get("/metrics", "Authorization", "Bearer "+rootToken)
	if a.StatusCode != http.StatusOK {
		g.t.Fatalf("/metrics: %d %s", a.StatusCode, a.body)
	}
	return livetest.Sum(g.t, a.body, name, labels...)
}

// bearer is the header of a token.
func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }
