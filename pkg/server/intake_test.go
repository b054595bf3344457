package server

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/internal/livetest"
)

// wireClient speaks WebSocket by hand, so that it can say what a library would
// not: pieces of frames, in any portions.
type wireClient struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader
}

// dialByHand makes the handshake.
func dialByHand(t testing.TB, base string, header ...string) *wireClient {
	t.Helper()
	var d net.Dialer
	nc, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	c := &wireClient{t: t, nc: nc, r: bufio.NewReader(nc)}
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	c.write([]byte("GET /ws HTTP/1.1\r\nHost: chartd\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + strings.Join(append(header, "\r\n"), "\r\n")))
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("status %d", resp.StatusCode)
	}
	return c
}

func (c *wireClient) write(b []byte) {
	c.t.Helper()
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *wireClient) close() { _ = c.nc.Close() }

// read returns the next frame.
func (c *wireClient) read() (first byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1])
	switch n {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(c.r, b[:]); err != nil {
			return 0, nil, err
		}
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(c.r, b[:]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(b[:])
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(c.r, payload)
	return head[0], payload, err
}

// masked returns a client's frame.
func masked(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	key := [4]byte{1, 2, 3, byte(len(payload))}
	b = append(b, key[:]...)
	for i := range payload {
		b = append(b, payload[i]^key[i%4])
	}
	return b
}

// Whatever the portions in which a client's bytes arrive, fragments of messages
// with pings between them included, every request is answered, in order.
func TestAnyPortions(t *testing.T) {
	r := newRig(t, rigOptions{})
	rapid.Check(t, func(rt *rapid.T) {
		c := dialByHand(t, r.base)
		defer c.close()
		stream := masked(0x81, `{"t":"hello"}`)
		want := []string{"welcome"}
		for i := range rapid.IntRange(1, 8).Draw(rt, "messages") {
			if rapid.Bool().Draw(rt, "ping before") {
				stream = append(stream, masked(0x89, fmt.Sprint("ping", i))...)
				want = append(want, fmt.Sprint("ping", i))
			}
			if rapid.IntRange(0, 3).Draw(rt, "pong before") == 0 {
				stream = append(stream, masked(0x8a, "unasked")...)
			}
			pad := strings.Repeat(" ", rapid.SampledFrom([]int{0, 60, 100, 300, 5000}).Draw(rt, "pad"))
			text := fmt.Sprintf(`{"t":"ping","id":%d}`, i+1) + pad
			want = append(want, fmt.Sprintf(`{"t":"ok","id":%d}`, i+1))
			at := rapid.IntRange(0, len(text)).Draw(rt, "fragment")
			if at == 0 || at == len(text) {
				stream = append(stream, masked(0x81, text)...)
				continue
			}
			stream = append(stream, masked(0x01, text[:at])...)
			if rapid.Bool().Draw(rt, "ping inside") {
				stream = append(stream, masked(0x89, "inside")...)
				want = append(want[:len(want)-1], "inside", want[len(want)-1])
			}
			stream = append(stream, masked(0x80, text[at:])...)
		}
		for len(stream) > 0 {
			n := min(len(stream), rapid.IntRange(1, 400).Draw(rt, "portion"))
			c.write(stream[:n])
			stream = stream[n:]
		}
		for _, w := range want {
			_, payload, err := c.read()
			if err != nil {
				rt.Fatalf("waiting for %s: %v", w, err)
			}
			if !strings.Contains(string(payload), w) {
				rt.Fatalf("got %s, want %s", payload, w)
			}
		}
	})
}

// What breaks the protocol ends the connection with a code that says so, and
// costs nobody else anything.
func TestBrokenFrames(t *testing.T) {
	r := newRig(t, rigOptions{})
	for _, c := range []struct {
		name  string
		bytes []byte
		code  uint16
	}{
		{"no mask", []byte{0x81, 2, '{', '}'}, 1002},
		{"a reserved opcode", masked(0x83, "x"), 1002},
		{"a reserved bit", masked(0xa1, "{}"), 1002},
		{"a long ping", masked(0x89, strings.Repeat("x", 126)), 1002},
		{"a fragmented ping", masked(0x09, "x"), 1002},
		{"a ping without mask", []byte{0x89, 0}, 1002},
		{"a continuation of nothing", masked(0x80, "x"), 1002},
		{"a message too big", masked(0x81, strings.Repeat("x", 65<<10)), 1009},
		{"a length that is a lie", append([]byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, 1, 2, 3, 4), 1002},
		{"a message in crumbs", append(masked(0x01, ""), bytes.Repeat(masked(0x00, ""), 5000)...), 1002},
		{"a goodbye", masked(0x88, "\x03\xe8"), 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := dialByHand(t, r.base)
			defer cl.close()
			cl.write(masked(0x81, `{"t":"hello"}`))
			if _, b, err := cl.read(); err != nil || !strings.Contains(string(b), "welcome") {
				t.Fatal(string(b), err)
			}
			cl.write(c.bytes)
			first, b, err := cl.read()
			if err != nil || first != 0x88 || len(b) < 2 {
				t.Fatalf("%#x %q %v, want a close frame", first, b, err)
			}
			if code := binary.BigEndian.Uint16(b); code != c.code {
				t.Errorf("closed with %d (%s), want %d", code, b[2:], c.code)
			}
		})
	}
	livetest.Eventually(t, "all connections ended", func() bool { return r.metric("chartd_connections", "") == 0 })
}
