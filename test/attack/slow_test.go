package attack

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
)

// Clients that say what they have to say one byte at a time hold nothing for long,
// and nobody up.
func TestSlowloris(t *testing.T) {
	const upgrade = "GET /ws HTTP/1.1\r\nHost: chartd\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	for _, tt := range []struct {
		name string
		say  string // at once
		then string // again and again, a byte at a time
	}{
		{"a header", "GET / HTTP/1.1\r\nHost: chartd\r\nX-A: ", "a"},
		{"a request line", "GET /", "a"},
		{"headers without end", "GET / HTTP/1.1\r\n", "X-A: b\r\n"},
		{"samples as JSON", "POST /api/v1/push HTTP/1.1\r\nHost: chartd\r\nContent-Length: 100000\r\n\r\n", `{"metric":"a","v":1}` + "\n"},
		{"samples as lines", "POST /write HTTP/1.1\r\nHost: chartd\r\nContent-Length: 100000\r\n\r\n", "a v=1\n"},
		{"samples in chunks", "POST /write HTTP/1.1\r\nHost: chartd\r\nTransfer-Encoding: chunked\r\n\r\n", "6\r\na v=1\n\r\n"},
		{"a frame's header", upgrade + "\x81", "\xff"},
		{"a frame", upgrade + "\x81\xfe\x10\x00\x00\x00\x00\x00", " "},
		{"fragments", upgrade + "\x01\x81\x00\x00\x00\x00 ", "\x00\x81\x00\x00\x00\x00 "},
		{"fragments of nothing", upgrade + "\x01\x80\x00\x00\x00\x00", "\x00\x80\x00\x00\x00\x00"},
		{"pings in a message", upgrade + "\x01\x80\x00\x00\x00\x00", "\x89\x80\x00\x00\x00\x00"},
		{"no hello", upgrade, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := besiege(t, "server: {request_timeout: 1s, message_timeout: 1s}\nsession: {hello_timeout: 1s}\n")
			s.during(func(more func() bool) {
				var clients sync.WaitGroup
				for range 50 {
					clients.Go(func() {
						nc, err := s.raw()
						if err != nil {
							t.Error(err)
							return
						}
						defer func() { _ = nc.Close() }()
						trickle(t, nc, tt.say, tt.then)
					})
				}
				clients.Wait()
				for more() { // the rest of the time
					<-time.After(10 * time.Millisecond)
				}
			})
		})
	}
}

// trickle writes a text at once and another one byte after byte, until the other
// side ends it. It does not answer a close: it is no friend.
func trickle(t *testing.T, nc net.Conn, say, then string) {
	if _, err := nc.Write([]byte(say)); err != nil {
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = nc.SetReadDeadline(time.Now().Add(patience))
		buf := make([]byte, 4096)
		for {
			if _, err := nc.Read(buf); err != nil {
				if e, ok := err.(net.Error); ok && e.Timeout() { //nolint:errorlint // as net returns it
					t.Error("it goes on and on")
				}
				return
			}
		}
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ended:
			return
		case <-tick.C:
			if then == "" {
				continue
			}
			if _, err := nc.Write([]byte{then[i%len(then)]}); err != nil {
				<-ended
				return
			}
		}
	}
}

// A client may not fill the server with requests that never come: those beyond
// the bound are closed, by address first.
func TestSilentConnections(t *testing.T) {
	s := besiege(t, "server: {max_requests: 60, max_connections_per_address: 40}\n")
	s.during(func(more func() bool) {
		var open []net.Conn
		closed := 0
		for range 100 {
			nc, err := s.raw()
			if err != nil {
				closed++
				continue
			}
			open = append(open, nc)
		}
		for _, nc := range open {
			_ = nc.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			if _, err := nc.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "timeout") {
				closed++
			}
		}
		if closed < 60 {
			t.Errorf("of 100 connections that say nothing, %d were closed", closed)
		}
		for _, nc := range open {
			_ = nc.Close()
		}
		for more() {
			<-time.After(10 * time.Millisecond)
		}
	})
	livetest.Eventually(t, "there is room again", func() bool {
		status, _ := s.ask("GET", "/healthz", nil)
		return status == 200
	})
	if s.metric("chartd_http_refused_total", `reason="requests"`) < 60 {
		t.Error("not counted")
	}
	if !bytes.Contains([]byte(s.logs.String()), []byte("server.max_connections_per_address")) {
		t.Error("the log does not name the setting")
	}
}
