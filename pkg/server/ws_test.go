package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

func TestUpgradeRefusals(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) {
		c.Origins = []string{"https://ok.example"}
		c.MaxConnections, c.MaxConnectionsPerAddress = 3, 2
		c.TrustedProxies = []string{"127.0.0.0/8"}
	}})
	refused := func(reason string, status int, header http.Header, want ...string) {
		t.Helper()
		before := r.metric("chartd_http_refused_total", `reason="`+reason+`"`)
		_, err := livetest.TryDial(t, r.base, header, wire.Subprotocol)
		answer, ok := errors.AsType[*livetest.Refused](err)
		if !ok {
			t.Fatalf("%s: the upgrade was not refused: %v", reason, err)
		}
		if answer.Status != status {
			t.Errorf("%s: status %d, want %d", reason, answer.Status, status)
		}
		for _, w := range want {
			if !strings.Contains(answer.Body, w) {
				t.Errorf("%s: %q lacks %q", reason, answer.Body, w)
			}
		}
		if after := r.metric("chartd_http_refused_total", `reason="`+reason+`"`); after != before+1 {
			t.Errorf("%s: counted %v, then %v", reason, before, after)
		}
		if last := r.logs.FilterMessage("request refused").All(); len(last) == 0 || last[len(last)-1].ContextMap()["reason"] != reason {
			t.Errorf("%s: not logged", reason)
		}
	}
	from := func(addr string) http.Header { return http.Header{"X-Forwarded-For": {addr}} }

	refused("origin", 403, http.Header{"Origin": {"https://evil.example"}}, `"https://evil.example"`, "server.origins")
	for _, origin := range []string{"https://ok.example", r.base} {
		c, err := livetest.TryDial(t, r.base, http.Header{"Origin": {origin}, "X-Forwarded-For": {"192.0.2.1"}}, wire.Subprotocol)
		if err != nil {
			t.Fatalf("%s: %v", origin, err)
		}
		c.Hello("")
	}
	refused("address", 429, from("192.0.2.1"), "2 connections from 192.0.2.1", "server.max_connections_per_address")
	third, err := livetest.TryDial(t, r.base, from("192.0.2.2"))
	if err != nil {
		t.Fatal(err)
	}
	refused("total", 503, from("192.0.2.3"), "3 connections", "server.max_connections")
	third.Cut()
	livetest.Eventually(t, "a place is free again", func() bool { return r.metric("chartd_connections", "") == 2 })
	fourth, err := livetest.TryDial(t, r.base, from("192.0.2.3"))
	if err != nil {
		t.Fatal(err)
	}
	fourth.Hello("")
	r.SetReady(false)
	refused("draining", 503, from("192.0.2.4"), "shutting down")
}

func TestSubprotocol(t *testing.T) {
	r := newRig(t, rigOptions{})
	c, err := livetest.TryDial(t, r.base, nil, "other", wire.Subprotocol)
	if err != nil || c.Raw().Subprotocol() != wire.Subprotocol {
		t.Fatalf("got %v", err)
	}
	if c, err = livetest.TryDial(t, r.base, nil); err != nil {
		t.Fatalf("a client that offers none: %v", err)
	}
	c.Hello("")
	_, err = livetest.TryDial(t, r.base, nil, "graphql-ws")
	if answer, ok := errors.AsType[*livetest.Refused](err); !ok || answer.Status != http.StatusBadRequest || !strings.Contains(answer.Body, wire.Subprotocol) {
		t.Fatalf("a client of another protocol: %v", err)
	}
	if got := r.get(wire.Path); got.StatusCode != http.StatusBadRequest || !strings.Contains(got.body, "websocket") {
		t.Errorf("no upgrade at all: %d %q", got.StatusCode, got.body)
	}
}

func TestLive(t *testing.T) {
	for _, compress := range []bool{false, true} {
		t.Run(fmt.Sprintf("compress=%v", compress), func(t *testing.T) {
			r := newRig(t, rigOptions{change: func(c *Config) { c.Compression = compress }})
			d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, EnableCompression: true}
			ws, resp, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(r.base, "http")+wire.Path, nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if got := resp.Header.Get("Sec-Websocket-Extensions"); (got != "") != compress {
				t.Errorf("extensions %q", got)
			}
			c := livetest.New(t, ws)
			w := c.Hello("")
			if w.Session == "" || w.Resumed || w.Server != "chartd/test" {
				t.Fatalf("welcome %+v", w)
			}
			ok := c.Sub(wire.Sub{Chart: "fast"})
			mirror := wire.NewMirror(ok.V)
			if fulls := c.Frames(mirror, 1); fulls != 1 {
				t.Fatal("the first frame is a patch")
			}
			for i := range 5 {
				if err := r.store.Append("load", nil, time.Now().UnixMilli(), float64(i)); err != nil {
					t.Fatal(err)
				}
				c.Frames(mirror, 1)
			}
			c.Send(wire.Resync{V: ok.V})
			before := string(mirror.SVG())
			full := c.Full(ok.V)
			if full.Pos == mirror.Pos() && full.SVG != before {
				t.Error("the patches led elsewhere than the full")
			}
		})
	}
}

// A client that breaks the rules of the transport is told so by a code.
func TestTransportRules(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) { c.MaxMessage = 1 << 10 }})
	t.Run("binary", func(t *testing.T) {
		c := livetest.Dial(t, r.base)
		c.Hello("")
		if err := c.Raw().WriteMessage(websocket.BinaryMessage, []byte{1}); err != nil {
			t.Fatal(err)
		}
		if got := c.Closed(); got.Code != int(wire.CloseProtocol) || !strings.Contains(got.Text, "binary") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("too big", func(t *testing.T) {
		c := livetest.Dial(t, r.base)
		c.Hello("")
		// The close frame may come in before all of this is out; it must not be
		// overtaken by a reset.
		if err := c.Raw().WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", 100<<10))); err != nil && !errors.Is(err, websocket.ErrCloseSent) {
			t.Fatal(err)
		}
		if got := c.Closed(); got.Code != websocket.CloseMessageTooBig {
			t.Errorf("got %v", got)
		}
	})
	t.Run("hello too late", func(t *testing.T) {
		r := newRig(t, rigOptions{session: func(c *session.Config) { c.HelloTimeout = quantity.Duration(100e6) }})
		c := livetest.Dial(t, r.base)
		if got := c.Closed(); got.Code != int(wire.CloseHelloTimeout) {
			t.Errorf("got %v", got)
		}
	})
	livetest.Eventually(t, "all have left", func() bool { return r.metric("chartd_connections", "") == 0 })
}

// A peer that has gone without a word, its socket half open, is found out by
// the heartbeat.
func TestHalfOpenPeersDie(t *testing.T) {
	// A busy machine may well take a while to answer a ping.
	r := newRig(t, rigOptions{change: func(c *Config) { c.Heartbeat = quantity.Duration(1e9) }})
	alive := livetest.Dial(t, r.base) // its reader answers pings
	alive.Hello("")
	dead := livetest.DialDeaf(t, r.base)
	dead.Send(wire.Hello{})
	// Both are there: a connection is counted before its peer knows of it.
	livetest.Eventually(t, "the silent one is gone", func() bool { return r.metric("chartd_connections", "") == 1 })
	ok := alive.Sub(wire.Sub{Chart: "fast"})
	alive.Full(ok.V)
}

// A client that stops reading delays no other, and what waits for it is
// bounded; in the end it is closed for it.
func TestSlowClientHurtsNobody(t *testing.T) {
	const stuck = 4 * time.Second // that is how long a write to the slow one takes
	r := newRig(t, rigOptions{
		change:  func(c *Config) { c.WriteTimeout = quantity.Duration(stuck) },
		session: func(c *session.Config) { c.MessagesPerSecond = 1e6 }, // it is not the flood that ends it
	})
	slow := livetest.DialDeaf(t, r.base)
	slow.Send(wire.Hello{}, wire.Sub{ID: "1", Chart: "fast"})
	good := livetest.Dial(t, r.base)
	good.Hello("")
	ok := good.Sub(wire.Sub{Chart: "fast"})
	mirror := wire.NewMirror(ok.V)
	good.Frames(mirror, 1)
	before := heap()
	// The slow one asks for fulls, over and over, and reads none.
	stop := make(chan struct{})
	flood := make(chan struct{})
	go func() {
		defer close(flood)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if slow.Raw().WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"t":"resync","v":%q}`, ok.V)) != nil {
				return // cut, as it should be
			}
		}
	}()
	worst := time.Duration(0)
	gone := func() bool { return r.metric("chartd_websocket_write_errors_total", `reason="timeout"`) > 0 }
	deadline := time.Now().Add(60 * time.Second)
	for !gone() {
		if time.Now().After(deadline) {
			t.Fatal("the slow client stays")
		}
		if err := r.store.Append("load", nil, time.Now().UnixMilli(), 1); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		good.Frames(mirror, 1)
		worst = max(worst, time.Since(start))
	}
	grown := heap() - before
	close(stop)
	<-flood
	livetest.Eventually(t, "only the good one is there", func() bool { return r.metric("chartd_connections", "") == 1 })
	t.Logf("longest wait for a frame of a 100 ms chart beside a stalled client: %v; the heap grew by %d KiB", worst, grown>>10)
	if grown > 8<<20 {
		t.Errorf("a stalled client costs %d KiB", grown>>10)
	}
	if worst > stuck/2 {
		t.Errorf("a frame was late by %v, as if it had waited for a write of %v", worst, stuck)
	}
}

// heap returns what is on the heap, garbage aside, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A close frame arrives although the peer was still being written to.
func TestCloseArrives(t *testing.T) {
	r := newRig(t, rigOptions{})
	c := livetest.Dial(t, r.base)
	c.Hello("")
	c.Sub(wire.Sub{Chart: "fast"})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := r.hub.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if got := c.Closed(); got.Code != int(wire.CloseShutdown) {
		t.Errorf("got %v", got)
	}
}

// A client may vanish in the middle of the handshake or of a frame.
func TestTornConnections(t *testing.T) {
	r := newRig(t, rigOptions{})
	key := "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	for _, sent := range []string{
		"GET /ws HTTP/1.1\r\nHost: x\r\n",
		"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" + key + "\r\n",
		"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" + key + "\r\n\x81",
		"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" + key + "\r\n\xff\xff\xff",
	} {
		var d net.Dialer
		conn, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(r.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(sent)); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	livetest.Eventually(t, "all have left", func() bool { return r.metric("chartd_connections", "") == 0 })
	if r.metric("chartd_http_panics_total", "") != 0 {
		t.Error("something panicked")
	}
}
