package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// receiver is a real client whose server writes frames as they are.
func receiver(t *testing.T, compress bool) (write io.Writer, client *websocket.Conn) {
	t.Helper()
	accepted := make(chan *websocket.Conn, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{EnableCompression: compress}
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}))
	t.Cleanup(srv.Close)
	d := websocket.Dialer{EnableCompression: compress}
	c, resp, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	s := <-accepted
	if s == nil {
		t.FailNow()
	}
	t.Cleanup(func() { _, _ = c.Close(), s.Close() })
	return s.NetConn(), c
}

// lengths are on both sides of what the headers of RFC 6455 hold.
var lengths = []int{3, 100, 124, 125, 126, 127, 200, 1024, 4096, 65534, 65535, 65536, 65537, 200_000}

// sized returns a message of n bytes.
func sized(n int) *Message { return seal(fmt.Appendf(blank(n), `"%0*d"`, n-2, 0), false) }

// A client that somebody else wrote reads what Frame and Packed made.
func TestFramesAreRead(t *testing.T) {
	for _, packed := range []bool{false, true} {
		t.Run(fmt.Sprintf("packed %v", packed), func(t *testing.T) {
			server, client := receiver(t, packed)
			var d Deflater
			for _, n := range lengths {
				m := sized(n)
				b := m.Frame()
				if packed {
					b = m.Packed(&d)
				}
				sent := make(chan error, 1)
				go func() { _, err := server.Write(b); sent <- err }()
				kind, got, err := client.ReadMessage()
				if err != nil || kind != websocket.TextMessage || !bytes.Equal(got, m.JSON()) {
					t.Fatalf("%d bytes: got %d bytes of kind %d, %v", n, len(got), kind, err)
				}
				if err := <-sent; err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestFrame(t *testing.T) {
	for _, n := range lengths {
		m := sized(n)
		b := m.Frame()
		var said uint64
		var head int
		switch b[1] {
		case 126:
			said, head = uint64(binary.BigEndian.Uint16(b[2:])), 4
		case 127:
			said, head = binary.BigEndian.Uint64(b[2:]), 10
		default:
			said, head = uint64(b[1]), 2
		}
		if b[0] != 0x81 || said != uint64(n) || !bytes.Equal(b[head:], m.JSON()) || m.Len() != n {
			t.Errorf("%d bytes: header % x, said %d", n, b[:head], said)
		}
	}
}

// What compresses is sent compressed, and made once; what does not is sent as
// it is.
func TestPacked(t *testing.T) {
	var d Deflater
	long := sized(20_000)
	b := long.Packed(&d)
	if b[0] != 0xc1 || len(b) > 1000 {
		t.Errorf("20,000 zeros became %d bytes that begin with %#x", len(b), b[0])
	}
	if again := long.Packed(&d); &again[0] != &b[0] {
		t.Error("it was compressed twice")
	}
	noise := make([]byte, 2000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	if m := seal(append(blank(0), noise...), false); &m.Packed(&d)[0] != &m.Frame()[0] {
		t.Error("noise is sent compressed, and longer")
	}
}

// Many ask for the same message, compressed, at the same time.
func TestPackedForMany(t *testing.T) {
	var d Deflater
	m, other := sized(20_000), sized(30_000)
	want := bytes.Clone(sized(20_000).Packed(&d))
	var work sync.WaitGroup
	for range 16 {
		work.Go(func() {
			other.Packed(&d)
			if !bytes.Equal(m.Packed(&d), want) {
				t.Error("the frame differs")
			}
		})
	}
	work.Wait()
}

func BenchmarkPacked(b *testing.B) {
	var d Deflater
	svg := strings.Repeat("l12-3h4l9 15v-2", 1400)
	b.ReportAllocs()
	for b.Loop() {
		m := Encode(Full{V: "cpu~1f", Pos: Pos{E: "e", R: 1}, SVG: svg})
		m.Packed(&d)
	}
}
