package server

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

// However they come, no more are admitted in any time than the rate allows, with
// a tenth of a second's worth on top, and each is told the wait that it has.
func TestTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 5000).Draw(t, "rate")
		var turns turns
		start := time.Unix(1_000_000, 0)
		now := start
		var begun []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "arrivals") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "after µs")) * time.Microsecond)
			wait, ok := turns.take(now, rate)
			if !ok {
				continue
			}
			if wait < 0 || wait > patience {
				t.Fatalf("a wait of %v", wait)
			}
			at := now.Add(wait)
			if n := len(begun); n > 0 && at.Before(begun[n-1]) {
				t.Fatal("who came later goes first")
			}
			begun = append(begun, at)
		}
		for i := range begun {
			for j := i; j < len(begun); j++ {
				in := begun[j].Sub(begun[i]) + time.Second/10
				if most := int(in.Seconds()*float64(rate)) + 2; j-i+1 > most {
					t.Fatalf("%d began within %v at %d a second", j-i+1, in, rate)
				}
			}
		}
	})
	var turns turns
	now := time.Now()
	admitted := 0
	for range 10_000 {
		if _, ok := turns.take(now, 1000); ok {
			admitted++
		}
	}
	if admitted != 1101 {
		t.Errorf("of a crowd, %d are admitted at 1000 a second with a patience of %v", admitted, patience)
	}
}

func TestTolls(t *testing.T) {
	var tolls tolls
	now := time.Now()
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range 8 {
		if !tolls.pay(a, now, 2, 8) {
			t.Fatalf("the %dth is refused", i)
		}
	}
	if tolls.pay(a, now, 2, 8) || !tolls.pay(b, now, 2, 8) {
		t.Error("one address does not pay for itself alone")
	}
	if tolls.pay(a, now.Add(499*time.Millisecond), 2, 8) || !tolls.pay(a, now.Add(time.Second), 2, 8) {
		t.Error("the rate is another")
	}
	for i := range 3 * maxTolls { // a crowd, each of which comes once
		tolls.pay(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), now.Add(time.Duration(i)*time.Second), 2, 8)
	}
	if n := len(tolls.by); n > maxTolls {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestPicturesPerSecond(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) {
		c.PicturesPerSecond = 1
		c.TrustedProxies = []string{"127.0.0.1"}
	}})
	get := func(from, title string) answer {
		return r.get("/charts/cpu.svg?title="+title, "X-Forwarded-For", from)
	}
	var last answer
	for i := range 10 {
		last = get("192.0.2.1", strings.Repeat("x", i+1))
	}
	if last.StatusCode != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" || !strings.Contains(last.body, "server.pictures_per_second") {
		t.Errorf("the tenth: %d %s", last.StatusCode, last.body)
	}
	if got := get("192.0.2.1", "x"); got.StatusCode != http.StatusOK {
		t.Errorf("one that is there: %d %s", got.StatusCode, got.body)
	}
	if got := get("192.0.2.2", "other"); got.StatusCode != http.StatusOK {
		t.Errorf("somebody else: %d %s", got.StatusCode, got.body)
	}
	if n := r.metric("chartd_http_refused_total", `reason="picture_rate"`); n == 0 {
		t.Error("not counted")
	}
}

// A message that is short on the wire and long when it is unpacked is as long as
// it is unpacked.
func TestCompressedBomb(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) { c.Compression = true }})
	d := websocket.Dialer{EnableCompression: true}
	for _, size := range []int{60 << 10, 8 << 20} { // it is packed before anybody waits for it
		var packed bytes.Buffer
		z, err := flate.NewWriter(&packed, flate.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = z.Write([]byte(`{"t":"ping","id":1,"pad":"`))
		_, _ = z.Write(bytes.Repeat([]byte("x"), size))
		_, _ = z.Write([]byte(`"}`))
		_ = z.Flush()
		payload := bytes.TrimSuffix(packed.Bytes(), []byte{0, 0, 0xff, 0xff})
		if len(payload) > 60<<10 {
			t.Fatalf("%d bytes are no bomb", len(payload))
		}
		// The mask is zero; 0xc1 is FIN, RSV1, text.
		frame := binary.BigEndian.AppendUint16([]byte{0xc1, 0x80 | 126}, uint16(len(payload)))
		if len(payload) < 126 {
			frame = []byte{0xc1, 0x80 | byte(len(payload))}
		}
		frame = append(append(frame, 0, 0, 0, 0), payload...)
		ws, resp, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(r.base, "http")+wire.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		c := livetest.New(t, ws)
		c.Hello("")
		before := r.metric("chartd_websocket_received_bytes_total", "")
		if _, err := ws.NetConn().Write(frame); err != nil {
			t.Fatal(err)
		}
		if size < 64<<10 {
			if ok := livetest.Until[wire.OK](c, nil); ok.ID != "1" {
				t.Errorf("got %v", ok)
			}
			continue
		}
		if got := c.Closed(); got.Code != websocket.CloseMessageTooBig || !strings.Contains(got.Text, "server.max_message") {
			t.Errorf("got %v", got)
		}
		if n := r.metric("chartd_websocket_received_bytes_total", "") - before; n > 64<<10+1 {
			t.Errorf("%v bytes were unpacked", n)
		}
	}
}

// A message that is begun must end in time, whatever comes between its pieces,
// and who is too slow is told so by the code.
func TestMessageMustEnd(t *testing.T) {
	r := newRig(t, rigOptions{change: func(c *Config) { c.MessageTimeout = quantity.Duration(300e6) }})
	for _, how := range []struct {
		name  string
		first []byte
		then  []byte
	}{
		{"a header that does not end", []byte{0x81}, nil},
		{"a payload that does not end", []byte{0x81, 0x80 | 100, 0, 0, 0, 0, '{'}, []byte{'"'}},
		{"fragments that do not end", []byte{0x01, 0x81, 0, 0, 0, 0, '{'}, []byte{0x00, 0x81, 0, 0, 0, 0, ' '}},
		{"pings inside of it", []byte{0x01, 0x81, 0, 0, 0, 0, '{'}, []byte{0x89, 0x80, 0, 0, 0, 0}},
	} {
		t.Run(how.name, func(t *testing.T) {
			c := dialByHand(t, r.base)
			defer c.close()
			c.write(how.first)
			var code wire.CloseCode
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for {
					first, payload, err := c.read()
					if err != nil {
						return
					}
					if first == 0x80|websocket.CloseMessage && len(payload) >= 2 {
						code = wire.CloseCode(binary.BigEndian.Uint16(payload))
						return // and does not let the server wait for an answer
					}
				}
			}()
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-ended:
					tick.Stop()
					if code != wire.CloseSlowMessage {
						t.Errorf("closed with %d; want %d", code, wire.CloseSlowMessage)
					}
					return
				case <-tick.C:
					// Once it is closed, only what was read counts.
					_, _ = c.nc.Write(how.then)
				}
			}
		})
	}
}

// Pings have to be answered: who sends them in a flood is closed.
func TestPingFlood(t *testing.T) {
	r := newRig(t, rigOptions{})
	c := livetest.Dial(t, r.base)
	c.Hello("")
	for range 20 * maxControls {
		if err := c.Raw().WriteControl(websocket.PingMessage, []byte("x"), time.Now().Add(time.Minute)); err != nil {
			break // closed already
		}
	}
	if got := c.Closed(); got.Code != int(wire.CloseFlood) {
		t.Errorf("got %v", got)
	}
	livetest.Eventually(t, "it is counted", func() bool { return r.metric("chartd_closed_total", `reason="flood"`) == 1 })
}
