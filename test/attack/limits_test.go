package attack

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// Messages that break the rules of the protocol or of the transport are answered
// as documented, and the next client finds everything as it was.
func TestMalformed(t *testing.T) {
	s := besiege(t, "")
	frame := func(first byte, masked bool, payload string) []byte {
		b := []byte{first, byte(len(payload))}
		if len(payload) > 125 {
			b = binary.BigEndian.AppendUint16([]byte{first, 126}, uint16(len(payload)))
		}
		if masked {
			b[1] |= 0x80
			b = append(b, 0, 0, 0, 0)
		}
		return append(b, payload...)
	}
	tests := []struct {
		name string
		send []byte
		code int // of the close frame
	}{
		{"a mask is missing", frame(0x81, false, "{}"), websocket.CloseProtocolError},
		{"a reserved bit", frame(0xa1, true, "{}"), websocket.CloseProtocolError},
		{"an unknown opcode", frame(0x83, true, "{}"), websocket.CloseProtocolError},
		{"an unknown control opcode", frame(0x8b, true, ""), websocket.CloseProtocolError},
		{"a ping in fragments", frame(0x09, true, "x"), websocket.CloseProtocolError},
		{"a ping that is too long", frame(0x89, true, strings.Repeat("x", 126)), websocket.CloseProtocolError},
		{"a continuation of nothing", frame(0x80, true, "{}"), websocket.CloseProtocolError},
		{"a message inside of a message", append(frame(0x01, true, "{"), frame(0x81, true, "{}")...), websocket.CloseProtocolError},
		{"a length that cannot be", []byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, websocket.CloseProtocolError},
		{"a length of gigabytes", []byte{0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, websocket.CloseMessageTooBig},
		{"a binary message", frame(0x82, true, "{}"), int(wire.CloseProtocol)},
		{"a close with a code that cannot be", frame(0x88, true, "\x00\x01"), websocket.CloseProtocolError},
		{"fragments that are too long together", bytes.Repeat(append(frame(0x01, true, strings.Repeat(" ", 60_000)), bytes.Repeat(frame(0x00, true, strings.Repeat(" ", 60_000)), 3)...), 1), websocket.CloseMessageTooBig},
	}
	s.during(func(more func() bool) {
		for again := true; again; again = more() {
			for _, tt := range tests {
				c := s.client()
				if _, err := c.Raw().NetConn().Write(tt.send); err != nil {
					t.Errorf("%s: %v", tt.name, err)
				}
				if got := c.Closed(); got.Code != tt.code {
					t.Errorf("%s: closed with %v, want %d", tt.name, got, tt.code)
				}
			}
			for _, text := range []string{
				strings.Repeat("[", 60_000),
				strings.Repeat(`{"a":`, 10_000),
				`{"t":"sub","id":1,"chart":"other","view":{"vars":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}}`,
				"[" + strings.Repeat(`{"t":"ping"},`, 100) + `{"t":"ping"}]`,
				`{"t":"ping","id":1`, "\x00", `"`, "", "nil", `{"t":5}`,
			} {
				c := s.client()
				if err := c.Raw().WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
					t.Error(err)
				}
				if f := livetest.Until[wire.Failure](c, nil); f.Err.Code != wire.CodeBadMessage {
					t.Errorf("%.20q is answered with %v", text, f.Err)
				}
				c.Cut()
			}
		}
	})
}

// Each cap refuses with its name, and counts.
func TestCaps(t *testing.T) {
	t.Run("max_connections", func(t *testing.T) {
		s := besiege(t, "server: {max_connections: 3}\n")
		s.client()
		s.client()
		turnedAwayByHTTP(t, s, http.StatusServiceUnavailable, "server.max_connections", "total")
	})
	t.Run("max_connections_per_address", func(t *testing.T) {
		s := besiege(t, "server: {max_connections_per_address: 3}\n")
		s.client()
		s.client()
		turnedAwayByHTTP(t, s, http.StatusTooManyRequests, "server.max_connections_per_address", "address")
	})
	t.Run("max_upgrades_per_second", func(t *testing.T) {
		s := besiege(t, "server: {max_upgrades_per_second: 1}\n")
		waiting := make(chan error, 20)
		for range 20 {
			go func() {
				ws, err := s.tryDial()
				if err == nil {
					err = ws.Close()
				}
				waiting <- err
			}()
		}
		named := 0
		for range 20 {
			if answer, ok := errors.AsType[*livetest.Refused](<-waiting); ok && answer.Status == http.StatusServiceUnavailable && strings.Contains(answer.Body, "server.max_upgrades_per_second") {
				named++
			}
		}
		if named < 15 || s.metric("chartd_http_refused_total", `reason="upgrades"`) != float64(named) {
			t.Errorf("%d of 20 were told to come later", named)
		}
	})
	t.Run("max_sessions", func(t *testing.T) {
		s := besiege(t, "session: {max_sessions: 2}\n")
		s.client()
		closedAtHello(t, s, "session.max_sessions", "max_sessions")
	})
	t.Run("max_sessions_per_address", func(t *testing.T) {
		s := besiege(t, "session: {max_sessions_per_address: 2}\n")
		s.client()
		closedAtHello(t, s, "session.max_sessions_per_address", "max_sessions_per_address")
	})
	t.Run("max_subscriptions", func(t *testing.T) {
		s := besiege(t, "session: {max_subscriptions: 1}\n")
		c := s.client()
		c.Sub(wire.Sub{Chart: "other"})
		beyond(t, s, c, wire.CodeTooManyViews, "session.max_subscriptions", "max_subscriptions")
	})
	t.Run("max_views", func(t *testing.T) {
		s := besiege(t, "session: {max_views: 2, linger: 0}\n")
		c := s.client()
		c.Sub(wire.Sub{Chart: "other"})
		beyond(t, s, c, wire.CodeOverloaded, "session.max_views", "max_views")
	})
	t.Run("new_views_per_minute", func(t *testing.T) {
		s := besiege(t, "session: {new_views_per_minute: 1}\n")
		c := s.client()
		c.Sub(wire.Sub{Chart: "other"})
		beyond(t, s, c, wire.CodeRateLimited, "session.new_views_per_minute", "new_views_per_minute")
	})
	t.Run("max_body", func(t *testing.T) {
		s := besiege(t, "sources: {push: {type: push, max_body: 64KiB}, influx: {type: influx, max_body: 64KiB}}\n")
		var bomb bytes.Buffer
		z := gzip.NewWriter(&bomb)
		for range 1000 {
			_, _ = z.Write(bytes.Repeat([]byte("m v=1\n"), 5000))
		}
		_ = z.Close()
		told := 0
		s.during(func(more func() bool) {
			for more() || told < 10 {
				for path, body := range map[string]string{"/write": bomb.String(), "/api/v1/push": strings.Repeat(" ", 70<<10)} {
					header := []string{}
					if path == "/write" {
						header = []string{"Content-Encoding", "gzip"}
					}
					status, text := s.ask(http.MethodPost, path, strings.NewReader(body), header...)
					if status == 0 {
						continue // cut off while it was still sending
					}
					told++
					if status != http.StatusRequestEntityTooLarge || !strings.Contains(text, "max_body") {
						t.Fatalf("%s: %d %s", path, status, text)
					}
				}
			}
		})
	})
	t.Run("a header", func(t *testing.T) {
		s := besiege(t, "")
		if status, _ := s.ask(http.MethodGet, "/", nil, "X-Long", strings.Repeat("x", 64<<10)); status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("status %d", status)
		}
	})
	t.Run("write_timeout", func(t *testing.T) {
		s := besiege(t, "server: {write_timeout: 500ms}\nsession: {messages_per_second: 1000000}\n")
		s.during(func(more func() bool) {
			for more() {
				nc, err := s.raw()
				if err != nil {
					t.Fatal(err)
				}
				deaf(nc)
				_ = nc.Close()
			}
		})
		if s.metric("chartd_closed_total", `reason="slow_write"`)+s.metric("chartd_closed_total", `reason="slow_queue"`) == 0 {
			t.Error("no deaf client was closed")
		}
	})
}

// deaf makes a server answer and reads nothing, until it is closed.
func deaf(nc net.Conn) {
	_, _ = nc.Write([]byte("GET /ws HTTP/1.1\r\nHost: chartd\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"))
	say := func(text string) error {
		b := binary.BigEndian.AppendUint16([]byte{0x81, 0xfe}, uint16(len(text)))
		_, err := nc.Write(append(append(b, 0, 0, 0, 0), text...))
		return err
	}
	if say(`[{"t":"hello"},{"t":"sub","id":1,"chart":"other"}]`+strings.Repeat(" ", 200)) != nil {
		return
	}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		_ = nc.SetWriteDeadline(time.Now().Add(patience))
		if say(`{"t":"callback","id":2,"v":"none","arg":"`+strings.Repeat("x", 100)+`"}`) != nil {
			return
		}
	}
}

func turnedAwayByHTTP(t *testing.T, s *siege, status int, setting, reason string) {
	t.Helper()
	_, err := s.tryDial()
	answer, ok := errors.AsType[*livetest.Refused](err)
	if !ok || answer.Status != status || !strings.Contains(answer.Body, setting) {
		t.Errorf("got %v", err)
	}
	if s.metric("chartd_http_refused_total", fmt.Sprintf("reason=%q", reason)) != 1 {
		t.Error("not counted")
	}
	if !strings.Contains(s.logs.String(), setting) {
		t.Error("not logged")
	}
}

func closedAtHello(t *testing.T, s *siege, setting, limit string) {
	t.Helper()
	c := livetest.New(t, s.dial())
	c.Send(wire.Hello{})
	if got := c.Closed(); got.Code != int(wire.CloseOverloaded) || !strings.Contains(got.Text, setting) {
		t.Errorf("closed with %v", got)
	}
	if s.metric("chartd_refused_total", fmt.Sprintf("limit=%q", limit)) != 1 {
		t.Error("not counted")
	}
	if !strings.Contains(s.logs.String(), setting) {
		t.Error("not logged")
	}
}

func beyond(t *testing.T, s *siege, c *livetest.Client, code wire.ErrorCode, setting, limit string) {
	t.Helper()
	f := refused(t, c, code, wire.Sub{ID: c.ID(), Chart: "other", View: plotting.Change{Size: &[2]int{333, 222}}})
	if !strings.Contains(f.Err.Message, setting) {
		t.Errorf("told %q", f.Err.Message)
	}
	if s.metric("chartd_refused_total", fmt.Sprintf("limit=%q", limit)) != 1 {
		t.Error("not counted")
	}
	if !strings.Contains(s.logs.String(), setting) {
		t.Error("not logged")
	}
}
