package wire

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// tap keeps what was read from a connection.
type tap struct {
	net.Conn
	read bytes.Buffer
}

func (c *tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Write(p[:n])
	return n, err
}

// sockets connects n clients over loopback to a server with a write buffer as
// small as chartd's.
func sockets(t testing.TB, n int, compress bool) (servers, clients []*websocket.Conn, taps []*tap) {
	t.Helper()
	accepted := make(chan *websocket.Conn, n)
	pool := &sync.Pool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{
			EnableCompression: compress, Subprotocols: []string{Subprotocol},
			ReadBufferSize: 256, WriteBufferSize: 1024, WriteBufferPool: pool,
		}
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}))
	t.Cleanup(srv.Close)
	for range n {
		tapped := &tap{}
		d := websocket.Dialer{
			EnableCompression: compress, Subprotocols: []string{Subprotocol},
			NetDialContext: func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
				tapped.Conn, err = new(net.Dialer).DialContext(ctx, network, addr)
				return tapped, err
			},
		}
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
		servers, clients, taps = append(servers, s), append(clients, c), append(taps, tapped)
	}
	return servers, clients, taps
}

// cut takes the first frame of a server's stream apart.
func cut(t *testing.T, stream []byte) (head byte, payload, rest []byte) {
	t.Helper()
	if len(stream) < 2 {
		t.Fatalf("a frame of %d bytes", len(stream))
	}
	n, at := uint64(stream[1]), 2
	switch n {
	case 126:
		n, at = uint64(binary.BigEndian.Uint16(stream[2:])), 4
	case 127:
		n, at = binary.BigEndian.Uint64(stream[2:]), 10
	}
	return stream[0], stream[at : at+int(n)], stream[at+int(n):]
}

// A message of any length, on both sides of what the write buffer and the
// headers hold, is one frame for its first receiver and for those after it; the
// bytes are the same, and compressed they are fewer.
func TestSendMakesOneFrame(t *testing.T) {
	for _, offered := range []bool{false, true} {
		for _, compress := range []bool{false, true} {
			t.Run(fmt.Sprintf("offered %v, compress %v", offered, compress), func(t *testing.T) {
				servers, clients, taps := sockets(t, 1, offered)
				for _, size := range []int{100, 125, 126, 127, 200, 1023, 1024, 1025, 1028, 1029, 1039, 2048, 3000, 65535, 65536, 200_000} {
					m := &Message{json: []byte(fmt.Sprintf(`"%0*d"`, size-2, size))}
					taps[0].read.Reset()
					var sent [3][]byte
					for i := range sent {
						result := make(chan error, 1)
						go func() { result <- m.Send(servers[0], compress) }()
						kind, got, err := clients[0].ReadMessage()
						if err != nil || kind != websocket.TextMessage || !bytes.Equal(got, m.JSON()) {
							t.Fatalf("%d bytes, sent %d times: got %d bytes of kind %d, %v", size, i+1, len(got), kind, err)
						}
						if err := <-result; err != nil {
							t.Fatal(err)
						}
						if prepared := m.prepared != nil; prepared != (compress || i > 0) {
							t.Fatalf("%d bytes, sent %d times: prepared is %v", size, i+1, prepared)
						}
					}
					stream := taps[0].read.Bytes()
					want := byte(0x81) // final, text
					if offered && compress {
						want |= 0x40
					}
					for i := range sent {
						var head byte
						if head, sent[i], stream = cut(t, stream); head != want {
							t.Fatalf("%d bytes, frame %d begins with %#x, want %#x", size, i, head, want)
						}
						if !bytes.Equal(sent[i], sent[0]) {
							t.Fatalf("%d bytes: frames 0 and %d differ", size, i)
						}
					}
					if len(stream) > 0 {
						t.Fatalf("%d bytes: %d bytes are left behind the last frame", size, len(stream))
					}
					if offered && compress != (len(sent[0]) < size) {
						t.Errorf("%d bytes became %d", size, len(sent[0]))
					}
				}
			})
		}
	}
}

// Many connections are sent one message at the same time.
func TestSendToMany(t *testing.T) {
	for _, compress := range []bool{false, true} {
		servers, clients, _ := sockets(t, 16, compress)
		m := Encode(Full{V: "cpu~1f", Pos: Pos{E: "e", R: 1}, SVG: strings.Repeat("<path d='M0 0l12-3'/>", 500)})
		var work sync.WaitGroup
		for i, c := range clients {
			work.Go(func() {
				if err := m.Send(servers[i], compress); err != nil {
					t.Error(err)
				}
			})
			work.Go(func() {
				if _, got, err := c.ReadMessage(); err != nil || !bytes.Equal(got, m.JSON()) {
					t.Errorf("compress %v, client %d: %d bytes, %v", compress, i, len(got), err)
				}
			})
		}
		work.Wait()
	}
}

func TestSendClose(t *testing.T) {
	servers, clients, _ := sockets(t, 1, false)
	bye := Close{Code: CloseShutdown, Reason: strings.Repeat("ü", 200)}
	if err := servers[0].WriteMessage(websocket.CloseMessage, bye.Payload()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := clients[0].NextReader(); !websocket.IsCloseError(err, int(CloseShutdown)) {
		t.Errorf("closed with %v", err)
	}
}

// BenchmarkSend is what it costs to send a patch over loopback: to its only
// receiver, and to one of many.
func BenchmarkSend(b *testing.B) {
	patch := Patch{V: "cpu~1f", Pos: Pos{E: "k3f9", R: 43}, Base: 42, Ops: typical()}.AppendJSON(nil)
	servers, clients, taps := sockets(b, 1, false)
	var reader sync.WaitGroup
	reader.Go(func() { _, _ = io.Copy(io.Discard, taps[0].Conn) })
	for _, c := range []struct {
		name string
		many bool
	}{{"only receiver", false}, {"one of many", true}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			m := &Message{json: patch}
			m.sent.Store(c.many)
			for b.Loop() {
				if !c.many {
					m = &Message{json: patch}
				}
				if err := m.Send(servers[0], false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	_ = clients[0].Close()
	reader.Wait()
}
