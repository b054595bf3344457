package failure

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/wire"
)

// house is a daemon in a process of its own, and a bystander who watches it.
type house struct {
	*process
	base string

	calm   float64      // which part of the ticks the bystander misses when nothing happens
	known  bool         // calm is
	frames atomic.Int64 // that the bystander got
	lost   atomic.Pointer[string]
}

// settle starts a daemon with more sections of a configuration, and a bystander.
func settle(t *testing.T, yaml string) *house {
	t.Helper()
	h := &house{process: launch(t, self("daemon", yaml))}
	h.base = strings.TrimSuffix(h.line("chartd is live at "), "/")
	h.bystand()
	return h
}

// bystand lets the bystander count frames until the test ends. Each patch must fit.
func (h *house) bystand() {
	h.t.Helper()
	ws, err := dial(h.base)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`[{"t":"hello"},{"t":"sub","id":1,"chart":"pulse"}]`)); err != nil {
		h.t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		f := &follower{ws: ws}
		for {
			n, err := f.read()
			h.frames.Add(int64(n))
			if err != nil {
				h.lost.Store(new(err.Error()))
				return
			}
		}
	})
	h.t.Cleanup(func() { // before the daemon's own, which comes first
		_ = ws.Close()
		reading.Wait()
	})
	livetest.Eventually(h.t, "the bystander sees frames", func() bool { return h.frames.Load() > 3 })
}

func dial(base string) (*websocket.Conn, error) {
	return dialBy(base, (&net.Dialer{}).DialContext)
}

func dialBy(base string, by func(ctx context.Context, network, address string) (net.Conn, error)) (*websocket.Conn, error) {
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: patience, NetDialContext: by}
	ws, resp, err := d.DialContext(context.Background(), "ws"+strings.TrimPrefix(base, "http")+wire.Path, nil)
	if resp != nil {
		_ = resp.Body.Close()
	}
	return ws, err
}

// follower follows the first view that it is told of.
type follower struct {
	ws      *websocket.Conn
	mirror  *wire.Mirror
	welcome wire.Welcome
}

// read reads a message and returns how many frames it brought.
func (f *follower) read() (frames int, err error) {
	_, b, err := f.ws.ReadMessage()
	if err != nil {
		return 0, err
	}
	ms, err := wire.ParseServer(b)
	if err != nil {
		return 0, err
	}
	for _, m := range ms {
		switch m := m.(type) {
		case wire.Welcome:
			f.welcome = m
		case wire.OK:
			if f.mirror == nil {
				f.mirror = wire.NewMirror(m.V)
			}
		}
		if f.mirror == nil {
			continue
		}
		was := f.mirror.Pos()
		if _, err := f.mirror.Take(m); err != nil {
			return frames, err
		}
		if f.mirror.Pos() != was {
			frames++
		}
	}
	return frames, nil
}

// client connects and says hello.
func (h *house) client() *livetest.Client {
	h.t.Helper()
	c := livetest.Dial(h.t, h.base)
	c.Hello("")
	return c
}

// do asks over HTTP and returns status and body.
func (h *house) do(method, path, body string) (status int, answer string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, h.base+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// metric returns the sum of a metric's lines that contain every one of labels.
func (h *house) metric(name string, labels ...string) (sum float64) {
	h.t.Helper()
	status, body := h.do(http.MethodGet, "/metrics", "")
	if status != http.StatusOK {
		h.t.Fatalf("/metrics: %d %s", status, body)
	}
	return livetest.Sum(h.t, body, name, labels...)
}

// ticks returns how many ticks the bystander's chart has had, and how many more
// came too late to be drawn.
func (h *house) ticks() (drawn, late float64) {
	h.t.Helper()
	status, body := h.do(http.MethodGet, "/metrics", "")
	if status != http.StatusOK {
		h.t.Fatalf("/metrics: %d %s", status, body)
	}
	return livetest.Sum(h.t, body, "chartd_ticks_total", `chart="pulse"`), livetest.Sum(h.t, body, "chartd_skipped_ticks_total", `chart="pulse"`, `reason="late"`)
}

// phase is how many frames a phase must have to be judged.
const phase = 15

// missed returns which part of the ticks the bystander misses while something is
// done, and fails the test if there are more ticks than the refresh asks for.
func (h *house) missed(do func()) (part float64) {
	h.t.Helper()
	start := time.Now()
	drawn, late := h.ticks()
	frames := h.frames.Load()
	do()
	livetest.Eventually(h.t, "the bystander goes on", func() bool { return h.frames.Load() >= frames+phase || h.lost.Load() != nil })
	d, l := h.ticks()
	got := float64(h.frames.Load() - frames)
	all := d - drawn + l - late
	if most := float64(time.Since(start)/(100*time.Millisecond)) + 2; d-drawn > most {
		h.t.Errorf("%v ticks where there is time for %v", d-drawn, most)
	}
	return max(0, all-got-1) / max(all, 1) // one may be on its way
}

// during does something and fails the test if the bystander misses more ticks of
// it than of the calm before: two are what a busy machine may take.
func (h *house) during(do func()) {
	h.t.Helper()
	for n := 0; !h.known; n++ { // a machine that is still busy starting things is not calm
		h.calm = h.missed(func() {})
		h.known = h.calm < 0.05 || n == 4
	}
	before := h.calm
	meanwhile := h.missed(do)
	if why := h.lost.Load(); why != nil {
		h.t.Errorf("the bystander was cut off: %s", *why)
	}
	h.t.Logf("the bystander missed %.1f %% of its ticks before and %.1f %% meanwhile", before*100, meanwhile*100)
	if meanwhile > before+2.0/phase {
		h.t.Errorf("the bystander missed %.1f %% of its ticks before and %.1f %% meanwhile", before*100, meanwhile*100)
	}
}
