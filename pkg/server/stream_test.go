package server

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

// Whatever bytes a client sends, right or wrong, what it is told is a stream that
// every WebSocket client can read to its end; who watches beside it notices
// nothing, and nothing of it is left.
func TestWhateverIsSaid(t *testing.T) {
	echo := func(c *session.Chart) {
		c.Callback = func(_ context.Context, call *session.Call) error { return call.Reply(call.Arg()) }
	}
	r := newRig(t, rigOptions{
		change:  func(c *Config) { c.Compression, c.MaxMessage = true, 4<<10 },
		session: func(c *session.Config) { c.TTL, c.Linger = quantity.Duration(50e6), quantity.Duration(50e6) },
		charts:  func(m map[string]*session.Chart) { echo(m["cpu"]) },
	})
	beside := livetest.Dial(t, r.base)
	beside.Hello("")
	mirror := wire.NewMirror(beside.Sub(wire.Sub{Chart: "fast"}).V)
	beside.Frames(mirror, 1)
	token := ""
	rapid.Check(t, func(rt *rapid.T) {
		packs := rapid.Bool().Draw(rt, "packs")
		var header []string
		if packs {
			header = []string{"Sec-WebSocket-Extensions: permessage-deflate"}
		}
		c := dialByHand(t, r.base, header...)
		defer c.close()
		said := saying(rt, packs, token)
		heard := make(chan error, 1)
		go func() { heard <- listen(c, packs, &token) }()
		for len(said) > 0 {
			n := min(len(said), rapid.IntRange(1, 3000).Draw(rt, "portion"))
			if _, err := c.nc.Write(said[:n]); err != nil {
				break // it has heard enough
			}
			said = said[n:]
		}
		if rapid.Bool().Draw(rt, "cut") {
			c.close()
		} else {
			_ = c.nc.(*net.TCPConn).CloseWrite()
		}
		if err := <-heard; err != nil {
			rt.Fatal(err)
		}
	})
	if err := r.store.Append("load", nil, time.Now().UnixMilli(), 7); err != nil {
		t.Fatal(err)
	}
	beside.Frames(mirror, 1)
	if n := r.metric("chartd_http_panics_total", ""); n != 0 {
		t.Errorf("%v panics", n)
	}
	for name, want := range map[string]float64{"chartd_connections": 1, "chartd_sessions": 1, "chartd_views": 1, "chartd_subscriptions": 1} {
		livetest.Eventually(t, name+" is what it was", func() bool { return r.metric(name, "") == want })
	}
	if s := r.hub.Stats(); s != (session.Stats{Connections: 1, Sessions: 1, Views: 1}) {
		t.Errorf("left are %+v", s)
	}
}

// saying draws what a client says behind its handshake.
func saying(rt *rapid.T, packs bool, token string) []byte {
	var out []byte
	if rapid.IntRange(0, 7).Draw(rt, "greets") > 0 {
		out = masked(0x81, fmt.Sprintf(`[{"t":"hello","session":%q},{"t":"sub","id":0,"chart":"fast","events":true}]`,
			rapid.SampledFrom([]string{"", token}).Draw(rt, "session")))
	}
	text := rapid.OneOf(
		rapid.SampledFrom([]string{
			`{"t":"sub","id":1,"chart":"cpu","events":true}`, `{"t":"sub","id":1,"chart":"cpu","view":{"window":"20s"},"pos":{"e":"abc","r":18446744073709551615}}`,
			`{"t":"sub","id":2,"chart":"fast","view":{"paused":true}}`, `{"t":"sub","id":2,"chart":"no\ud800"}`, `{"t":"ping","id":-1e999}`,
			`{"t":"callback","id":3,"v":"fast~x"}`, `{"t":"callback","id":3,"v":"\u0000"}`, `[]`, `{"t":"hello"}`, `{"t":"auth","id":4,"token":"x"}`,
			"\xff\xfe", `{"t":"sub","chart":"\xff"}`, "", `[[[[`, `{"t":"ping","id":1}` + strings.Repeat(" ", 2000),
		}),
		rapid.Custom(func(rt *rapid.T) string {
			v := rapid.SampledFrom([]string{"fast", "cpu"}).Draw(rt, "chart")
			spec := testChart(v, map[string]time.Duration{"fast": 100 * time.Millisecond, "cpu": 10 * time.Second}[v]).Spec
			id := spec.View(v).ID()
			return fmt.Sprintf(rapid.SampledFrom([]string{
				`{"t":"unsub","id":5,"v":%q}`, `{"t":"resync","v":%q}`, `{"t":"set","id":6,"v":%q,"view":{"window":"30s"}}`,
				`{"t":"set","id":6,"v":%q,"view":{"title":"<&\u2028\ud83d"}}`, `{"t":"callback","id":7,"v":%q,"arg":"\ud83d\u0000"}`,
				`{"t":"set","id":6,"v":%q,"view":{"paused":true}}`, `{"t":"callback","id":7,"v":%q,"arg":{"view":{"size":[99,99]}}}`,
			}).Draw(rt, "about"), id)
		}),
	)
	payload := rapid.SliceOfN(rapid.Byte(), 0, 130)
	for range rapid.IntRange(0, 12).Draw(rt, "frames") {
		first := byte(0x81)
		what := ""
		switch rapid.IntRange(0, 19).Draw(rt, "kind") {
		default:
			what = text.Draw(rt, "text")
		case 0, 1:
			first, what = 0x89, string(rapid.SliceOfN(rapid.Byte(), 0, 125).Draw(rt, "ping"))
		case 2:
			first, what = 0x8a, string(rapid.SliceOfN(rapid.Byte(), 0, 125).Draw(rt, "pong"))
		case 3, 4:
			one := text.Draw(rt, "fragmented")
			at := rapid.IntRange(0, len(one)).Draw(rt, "at")
			out = append(out, masked(0x01, one[:at])...)
			if rapid.Bool().Draw(rt, "ping inside") {
				out = append(out, masked(0x89, "inside")...)
			}
			first, what = 0x80, one[at:]
		case 5, 6:
			var b bytes.Buffer
			z, _ := flate.NewWriter(&b, 1)
			_, _ = z.Write([]byte(text.Draw(rt, "packed")))
			_ = z.Flush()
			first, what = 0xc1, strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
		case 7:
			first, what = 0xc1, string(payload.Draw(rt, "no deflate"))
		case 8:
			code := binary.BigEndian.AppendUint16(nil, uint16(rapid.IntRange(990, 5010).Draw(rt, "code")))
			first, what = 0x88, string(append(code, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "reason")...))
		case 9:
			first, what = rapid.Byte().Draw(rt, "first"), string(payload.Draw(rt, "payload"))
		case 10:
			out = append(out, payload.Draw(rt, "noise")...)
			continue
		case 11:
			what = strings.Repeat("x", rapid.IntRange(4000, 9000).Draw(rt, "long"))
		}
		out = append(out, masked(first, what)...)
	}
	return out
}

// listen reads to the end what a server says, and returns what is wrong with it:
// RFC 6455, RFC 7692, PROTOCOL.md. token becomes that of a welcome.
func listen(c *wireClient, packs bool, token *string) error {
	for {
		first, payload, err := c.read()
		if err != nil {
			return nil //nolint:nilerr // it was cut, by whomever
		}
		switch {
		case first == 0x81:
		case first == 0xc1 && packs:
			z := flate.NewReader(io.MultiReader(bytes.NewReader(payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
			if payload, err = io.ReadAll(z); err != nil {
				return fmt.Errorf("a message that cannot be unpacked: %w", err)
			}
		case first == 0x88:
			if err := goodbye(payload); err != nil {
				return err
			}
			if rest, _ := io.ReadAll(c.r); len(rest) > 0 {
				return fmt.Errorf("% x behind the close frame", rest)
			}
			return nil
		case (first == 0x89 || first == 0x8a) && len(payload) <= 125:
			continue
		default:
			return fmt.Errorf("a frame of %d bytes that begins with %#x", len(payload), first)
		}
		ms, err := wire.ParseServer(payload)
		if err != nil {
			return fmt.Errorf("%q: %w", payload, err)
		}
		for _, m := range ms {
			if w, ok := m.(wire.Welcome); ok {
				*token = w.Session
			}
		}
	}
}

// goodbye returns what is wrong with the payload of a close frame.
func goodbye(payload []byte) error {
	if len(payload) == 0 {
		return nil
	}
	if len(payload) < 2 || len(payload) > 125 || !utf8.Valid(payload[2:]) {
		return fmt.Errorf("a close frame with %q", payload)
	}
	code := int(binary.BigEndian.Uint16(payload))
	if code >= 3000 && code <= 4999 || slices.Contains([]int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}, code) {
		return nil
	}
	return errors.New("a close frame with the code " + fmt.Sprint(code))
}

// What cannot be unpacked breaks the protocol, and is told so.
func TestNoDeflate(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) { c.Compression = true }})
	for name, payload := range map[string]string{"a reserved block": "\x07", "a tree that does not end": "\xed\xbd\x07"} {
		t.Run(name, func(t *testing.T) {
			c := dialByHand(t, r.base, "Sec-WebSocket-Extensions: permessage-deflate")
			defer c.close()
			c.write(masked(0xc1, payload))
			first, b, err := c.read()
			if err != nil || first != 0x80|websocket.CloseMessage || wire.CloseCode(binary.BigEndian.Uint16(b)) != wire.CloseProtocol {
				t.Errorf("%#x %q %v; want close code %d", first, b, err, wire.CloseProtocol)
			}
		})
	}
}

// A client that unpacks only with a short window is sent nothing packed, unless it
// can do without.
func TestShortWindows(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) { c.Compression = true }})
	const short = "permessage-deflate; server_max_window_bits=9"
	for offer, want := range map[string]byte{
		short: 0x81, "permessage-deflate": 0xc1, short + ", permessage-deflate; client_max_window_bits": 0xc1,
	} {
		t.Run(offer, func(t *testing.T) {
			c := dialByHand(t, r.base, "Sec-WebSocket-Extensions: "+offer)
			defer c.close()
			c.write(masked(0x81, `[{"t":"hello"},{"t":"sub","chart":"cpu"}]`))
			for n := 0; n < 1000; { // the welcome is short
				first, payload, err := c.read()
				if err != nil {
					t.Fatal(err)
				}
				if n = len(payload); n >= 1000 && first != want {
					t.Errorf("a full begins with %#x; want %#x", first, want)
				}
			}
		})
	}
}

// Pings inside of a message count as those between messages do.
func TestPingFloodInside(t *testing.T) {
	r := newRig(t, rigOptions{})
	c := dialByHand(t, r.base)
	defer c.close()
	c.write(append(masked(0x01, "{"), bytes.Repeat(masked(0x89, ""), 20*maxControls)...))
	for {
		first, b, err := c.read()
		switch {
		case err != nil:
			t.Fatal(err)
		case first == 0x80|websocket.PongMessage:
		case first == 0x80|websocket.CloseMessage && wire.CloseCode(binary.BigEndian.Uint16(b)) == wire.CloseFlood:
			return
		default:
			t.Fatalf("%#x %q; want close code %d", first, b, wire.CloseFlood)
		}
	}
}
