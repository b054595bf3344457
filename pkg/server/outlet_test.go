package server

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// bench is an outlet, who holds it, and the other end.
type bench struct {
	outlet
	wg    sync.WaitGroup
	told  chan error
	wait  time.Duration
	other net.Conn
}

func (b *bench) work(f func())           { b.wg.Go(f) }
func (b *bench) ready(err error)         { b.told <- err }
func (b *bench) patience() time.Duration { return b.wait }

// connect returns an outlet on loopback, over TLS if secure.
func connect(t *testing.T, secure bool) *bench {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	b := &bench{told: make(chan error, 1), wait: 20 * time.Second}
	var d net.Dialer
	if b.other, err = d.DialContext(t.Context(), "tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.(*net.TCPConn).SetWriteBuffer(sendBuffer)
	if secure {
		srv := httptest.NewUnstartedServer(nil) // for its certificate
		srv.StartTLS()
		defer srv.Close()
		nc = tls.Server(nc, srv.TLS)
		b.other = tls.Client(b.other, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the certificate is not what is tested
	}
	b.nc = nc
	b.open(b)
	t.Cleanup(func() {
		_ = b.other.Close()
		_ = b.close()
		b.wg.Wait()
	})
	return b
}

// A peer that reads slowly gets every frame whole and in order, whatever control
// frames were put in between.
func TestNothingComesBetweenHalves(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			b := connect(t, secure)
			const frames = 40
			var sent sync.WaitGroup
			sent.Go(func() {
				for i := range frames {
					payload := bytes.Repeat([]byte{byte(i)}, 100_000+i)
					head := binary.BigEndian.AppendUint64([]byte{0x81, 127}, uint64(len(payload)))
					full, err := b.send(append(head, payload...))
					if err != nil {
						t.Error(err)
						return
					}
					if full {
						if err := <-b.told; err != nil {
							t.Error(err)
							return
						}
					}
				}
				_ = b.control(controlFrame(websocket.CloseMessage, nil))
			})
			sent.Go(func() {
				for range 500 {
					if err := b.control(controlFrame(websocket.PingMessage, []byte("ping"))); err != nil {
						t.Error(err)
					}
				}
			})
			c := &wireClient{t: t, nc: b.other, r: bufio.NewReader(b.other)}
			next, pings := 0, 0
			for {
				first, payload, err := c.read()
				if err != nil {
					t.Fatal(err)
				}
				if first == 0x88 {
					break
				}
				if first == 0x89 && string(payload) == "ping" {
					pings++
					continue
				}
				if first != 0x81 || len(payload) != 100_000+next || !bytes.Equal(payload, bytes.Repeat([]byte{byte(next)}, len(payload))) {
					t.Fatalf("frame %d: begins with %#x, has %d bytes", next, first, len(payload))
				}
				next++
			}
			sent.Wait()
			if next != frames || pings == 0 {
				t.Errorf("%d frames and %d pings arrived", next, pings)
			}
		})
	}
}

// A peer that takes nothing costs a bounded memory, nobody's time, and is given
// up after a while.
func TestPeerThatTakesNothing(t *testing.T) {
	b := connect(t, false)
	b.wait = 50 * time.Millisecond
	frame := append([]byte{0x81, 126, 0xff, 0xff}, make([]byte, 0xffff)...)
	for range 1000 {
		full, err := b.send(frame)
		if err != nil {
			t.Fatal(err)
		}
		if !full {
			continue
		}
		for range 10 * maxControl {
			if err := b.control(controlFrame(websocket.PongMessage, []byte("x"))); err != nil {
				t.Fatal(err)
			}
		}
		b.mu.Lock()
		waiting := len(b.rest)
		b.mu.Unlock()
		if waiting > maxControl {
			t.Fatalf("%d pieces wait", waiting)
		}
		switch err := <-b.told; {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return
		case err != nil:
			t.Fatalf("given up with %v", err)
		}
	}
	t.Error("65 MB are on their way to a peer that reads nothing")
}

// Who reads slowly, but reads, gets a long frame whole: it is who takes nothing
// that is given up.
func TestPeerThatReadsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{told: make(chan error, 1), wait: 10 * time.Second}
		b.nc, b.other = net.Pipe()
		b.open(b)
		frame := append([]byte{0x81, 127, 0, 0, 0, 0, 0, 0x10, 0, 0}, make([]byte, 1<<20)...)
		if full, err := b.send(frame); !full || err != nil {
			t.Fatalf("full %v, %v", full, err)
		}
		got, some := 0, make([]byte, 4<<10)
		for got < len(frame) && len(b.told) == 0 {
			time.Sleep(time.Second) // of the bubble: four minutes for the frame
			_ = b.other.SetReadDeadline(time.Now().Add(time.Minute))
			n, err := b.other.Read(some)
			if got += n; err != nil {
				break
			}
			synctest.Wait()
		}
		if err := <-b.told; err != nil {
			t.Errorf("given up after %d of %d bytes: %v", got, len(frame), err)
		}
		_, _ = b.close(), b.other.Close()
		b.wg.Wait()
	})
}

// However many control frames wait for a peer that reads nothing, the goodbye is
// not left out: without its code, who must not come back would.
func TestGoodbyeAmongManyPongs(t *testing.T) {
	b := connect(t, false)
	if full, err := b.send(append([]byte{0x81, 127, 0, 0, 0, 0, 0, 0x40, 0, 0}, make([]byte, 4<<20)...)); !full || err != nil {
		t.Fatalf("full %v, %v", full, err)
	}
	for range 10 * maxControl {
		if err := b.control(controlFrame(websocket.PongMessage, nil)); err != nil {
			t.Fatal(err)
		}
	}
	goodbye := controlFrame(websocket.CloseMessage, websocket.FormatCloseMessage(4501, ""))
	if err := b.control(goodbye); err != nil {
		t.Fatal(err)
	}
	c := &wireClient{t: t, nc: b.other, r: bufio.NewReader(b.other)}
	_ = b.other.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		first, payload, err := c.read()
		if err != nil {
			t.Fatalf("no close frame: %v", err)
		}
		if first == goodbye[0] {
			if !bytes.Equal(payload, goodbye[2:]) {
				t.Errorf("closed with % x", payload)
			}
			return
		}
	}
}

// A close frame is the last, however it came to be and whether the kernel took
// it or it waits behind what the peer has not read yet.
func TestNothingFollowsTheCloseFrame(t *testing.T) {
	goodbye := controlFrame(websocket.CloseMessage, websocket.FormatCloseMessage(1001, ""))
	tick := []byte{0x81, 2, 'o', 'k'}
	big := append([]byte{0x81, 127, 0, 0, 0, 0, 0, 0x40, 0, 0}, make([]byte, 4<<20)...)
	for name, before := range map[string][]byte{"taken": tick, "waiting": big} {
		for by, say := range map[string]func(*bench) error{
			"us":      func(b *bench) error { return b.control(goodbye) },
			"gorilla": func(b *bench) error { _, err := b.copy(goodbye); return err },
		} {
			t.Run(name+" of "+by, func(t *testing.T) {
				b := connect(t, false)
				kept, err := b.send(before)
				if err != nil || kept != (name == "waiting") {
					t.Fatalf("the frame before: kept %v, %v", kept, err)
				}
				if err := say(b); err != nil {
					t.Fatal(err)
				}
				if full, err := b.send(tick); !full || err != nil {
					t.Errorf("a frame behind it: full %v, %v; want true, and no word of it again", full, err)
				}
				for _, typ := range []byte{websocket.PingMessage, websocket.PongMessage, websocket.CloseMessage} {
					if err := b.control(controlFrame(typ, nil)); err != nil {
						t.Error(err)
					}
				}
				got := make([]byte, len(before)+len(goodbye))
				if _, err := io.ReadFull(b.other, got); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got[len(before):], goodbye) {
					t.Errorf("behind the frame came % x, want % x", got[len(before):], goodbye)
				}
				_ = b.close()
				if more, err := io.ReadAll(b.other); err != nil || len(more) > 0 {
					t.Errorf("behind the close frame came % x, %v", more, err)
				}
			})
		}
	}
}

// After close nothing is written, whoever has the number of the descriptor now.
func TestClosedOutlet(t *testing.T) {
	b := connect(t, false)
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.send([]byte{0x81, 0}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("send: %v", err)
	}
	if err := b.control([]byte{0x89, 0}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("control: %v", err)
	}
	if n, err := b.other.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("the peer read %d bytes, %v", n, err)
	}
}

// A frame that the kernel takes allocates nothing.
func TestSendAllocatesNothing(t *testing.T) {
	b := connect(t, false)
	b.wg.Go(func() { _, _ = io.Copy(io.Discard, b.other) })
	frame := append([]byte{0x81, 100}, make([]byte, 100)...)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := b.send(frame); err != nil {
			t.Error(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
