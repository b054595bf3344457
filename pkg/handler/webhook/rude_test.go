package webhook

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/secret"
)

// A server that is rude below HTTP, or slow on purpose: each ends in time, and
// says what it was.
func TestRudeServers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	// drip writes a byte at a time, for ever.
	drip := func(first, then string) func(net.Conn) {
		return func(c net.Conn) {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for _, err := c.Write([]byte(first)); err == nil; _, err = c.Write([]byte(then)) {
				<-tick.C
			}
		}
	}
	// pour writes as fast as it is read, for ever.
	pour := func(first, then string) func(net.Conn) {
		return func(c net.Conn) {
			chunk := bytes.Repeat([]byte(then), 4096)
			for _, err := c.Write([]byte(first)); err == nil; _, err = c.Write(chunk) {
			}
		}
	}
	once := func(text string) func(net.Conn) {
		return func(c net.Conn) { _, _ = c.Write([]byte(text)) }
	}
	for name, tt := range map[string]struct {
		does          func(net.Conn)
		tls           bool
		outcome, text string
	}{
		"drips an answer":   {drip(head+"Content-Length: 60000\r\n\r\n{", " "), false, "timeout", "no whole answer within 250ms"},
		"drips chunks":      {drip(head+"Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"), false, "timeout", "no whole answer within 250ms"},
		"drips a header":    {drip(head+"X-Slow: ", "a"), false, "timeout", "no whole answer within 250ms"},
		"says nothing":      {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, false, "timeout", "no whole answer within 250ms"},
		"pours an answer":   {pour(head+"\r\n", " "), false, "too_large", "its answer is larger than 64KiB"},
		"pours chunks":      {pour(head+"Transfer-Encoding: chunked\r\n\r\n", "4\r\n    \r\n"), false, "too_large", "its answer is larger than 64KiB"},
		"pours a header":    {pour(head+"X-Large: ", "a"), false, "unreachable", "what it answers is no HTTP that can be read"},
		"pours headers":     {pour(head, "A: b\r\n"), false, "unreachable", "what it answers is no HTTP that can be read"},
		"asks to wait":      {pour("", "HTTP/1.1 103 Early Hints\r\n\r\n"), false, "unreachable", "what it answers is no HTTP that can be read"},
		"speaks SSH":        {once("SSH-2.0-OpenSSH_9.2\r\n"), false, "unreachable", "what it answers is no HTTP that can be read"},
		"compresses":        {once(head + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"), false, "answer", "its answer is not understood: it is no JSON"},
		"changes protocols": {once("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), false, "status", "its answer is 101 Switching Protocols"},
		"hangs up":          {func(net.Conn) {}, false, "unreachable", "the connection ended before the answer did"},
		"lies about length": {once(head + "Content-Length: 1000\r\n\r\n{}"), false, "unreachable", "the connection ended before the answer did"},
		"has no TLS":        {once("HTTP/1.1 400 Bad Request\r\n\r\n"), true, "unreachable", "what it answers is no HTTP that can be read"},
		"hangs in TLS":      {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, true, "timeout", "no whole answer within 250ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ended, end := context.WithCancel(t.Context())
			var serving sync.WaitGroup
			serving.Go(func() {
				for {
					c, err := ln.Accept()
					if err != nil {
						return
					}
					serving.Go(func() {
						defer func() { _ = c.Close() }()
						// A handshake is given up later than the request that wanted it.
						defer context.AfterFunc(ended, func() { _ = c.Close() })()
						_, _ = c.Read(make([]byte, 4096)) // the request
						tt.does(c)
					})
				}
			})
			defer serving.Wait()
			defer end()
			defer func() { _ = ln.Close() }()
			scheme := "http://"
			if tt.tls {
				scheme = "https://"
			}
			r := &rig{t: t}
			r.on(&Config{URL: secret.URL(scheme + ln.Addr().String() + "/?token=hunter2"), AllowPrivate: true, Timeout: 250e6, Retries: new(0)}, nil)
			r.fails(tt.outcome, tt.text)
		})
	}
}

// A certificate that nobody vouches for is said to be that, and nothing is sent.
func TestUntrustedCertificate(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	srv.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	srv.StartTLS()
	t.Cleanup(srv.Close)
	r := &rig{t: t}
	r.on(&Config{URL: secret.URL(srv.URL), AllowPrivate: true, Retries: new(0)}, nil)
	r.fails("unreachable", "its certificate is not to be trusted")
}
