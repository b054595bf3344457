package failure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// hungry subscribes to so many large views that no kernel holds them all.
func hungry(first int) (ms []wire.ClientMessage) {
	for i := range 8 {
		ms = append(ms, wire.Sub{ID: wire.ID(fmt.Sprint(first + i)), Chart: "wide", View: plotting.Change{Size: &[2]int{1200 + first + i, 700}}})
	}
	return ms
}

// array returns messages as one.
func array(ms ...wire.ClientMessage) []byte {
	var b []byte
	for i, m := range ms {
		b = m.AppendJSON(append(b, "[,"[min(i, 1)]))
	}
	return append(b, ']')
}

// A client that reads a few bytes a second is closed once a write has taken
// longer than it may, and leaves nothing behind.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	h := settle(t, "server: {write_timeout: 1s}\nsession: {ttl: 1s, linger: 0}\n")
	h.during(func() {
		const slow = 4
		var clients sync.WaitGroup
		for range slow {
			ws, err := dialBy(h.base, narrow(1))
			if err != nil {
				t.Fatal(err)
			}
			if err := ws.WriteMessage(websocket.TextMessage, array(append([]wire.ClientMessage{wire.Hello{}}, hungry(10)...)...)); err != nil {
				t.Fatal(err)
			}
			clients.Go(func() {
				nc := ws.NetConn()
				defer func() { _ = nc.Close() }()
				sip := time.NewTicker(300 * time.Millisecond)
				defer sip.Stop()
				for range sip.C {
					if h.metric("chartd_connections") == 1 {
						return // the server has closed; what it wrote before is still to be read
					}
					if _, err := nc.Read(make([]byte, 3)); err != nil {
						return
					}
				}
			})
		}
		livetest.Eventually(t, "the slow clients are closed as slow", func() bool {
			return h.metric("chartd_closed_total", `reason="slow_write"`) == slow
		})
		clients.Wait()
	})
	livetest.Eventually(t, "nothing is left of them", func() bool {
		return h.metric("chartd_connections") == 1 && h.metric("chartd_sessions") == 1 && h.metric("chartd_views") == 1
	})
}

// narrow dials with a receive buffer of so many bytes; the kernel has a minimum.
func narrow(bytes int) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return c, c.(*net.TCPConn).SetReadBuffer(bytes) //nolint:forcetypeassert // network is tcp
	}
}

// A connection of which one end is gone, without a word, is found silent after
// two and a half heartbeats; then everything it held is free again.
func TestHalfOpen(t *testing.T) {
	t.Parallel()
	h := settle(t, "server: {heartbeat: 1s}\nsession: {ttl: 1s, linger: 0}\n")
	held := func() (bytes, routines int) {
		if _, err := fmt.Sscan(h.ask("held now"), &bytes, &routines); err != nil {
			t.Fatal(err)
		}
		return bytes, routines
	}
	const clients = 200
	connect := func(cable *cable) {
		for range clients {
			c := livetest.Dial(t, "http://"+cable.address)
			c.Hello("")
			ok := c.Sub(wire.Sub{Chart: "last"})
			c.Full(ok.V)
		}
	}
	alone := func() bool {
		return h.metric("chartd_connections") == 1 && h.metric("chartd_sessions") == 1 && h.metric("chartd_views") == 1
	}
	// Once with a plug that is pulled, so that what is kept for good is there.
	warm := plug(t, h.base)
	connect(warm)
	warm.pull()
	livetest.Eventually(t, "those whose plug was pulled are gone", alone)
	heap, goroutines := held()
	h.during(func() {
		c := plug(t, h.base)
		connect(c)
		seen := h.frames.Load()
		c.freeze()
		livetest.Eventually(t, "the silent are found", func() bool { return h.metric("chartd_closed_total", `reason="silent"`) == clients })
		if ticks := h.frames.Load() - seen; ticks < 15 { // two and a half heartbeats are 25, less the last sign of life
			t.Errorf("found silent after %d ticks of 100 ms; a heartbeat is 1 s", ticks)
		}
		livetest.Eventually(t, "nothing is left of them", alone)
	})
	var bytes, routines int
	livetest.Eventually(t, fmt.Sprintf("goroutines are as many as before, %d", goroutines), func() bool {
		bytes, routines = held()
		return routines <= goroutines+2
	})
	t.Logf("heap %d KiB before, %d KiB after %d half-open connections; %d and %d goroutines", heap>>10, bytes>>10, clients, goroutines, routines)
	if bytes > heap+1<<20 {
		t.Errorf("the heap went from %d to %d bytes", heap, bytes)
	}
}

// cable forwards connections on loopback until it is frozen or pulled.
type cable struct {
	address string
	frozen  chan struct{} // closed: nothing is forwarded any more
	pulled  chan struct{}
	pull    func()
	freeze  func()
}

// plug puts a cable before a daemon.
func plug(t *testing.T, base string) *cable {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{address: ln.Addr().String(), frozen: make(chan struct{}), pulled: make(chan struct{})}
	c.freeze = sync.OnceFunc(func() { close(c.frozen) })
	c.pull = sync.OnceFunc(func() { close(c.pulled) })
	var all sync.WaitGroup
	all.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).Dial("tcp", strings.TrimPrefix(base, "http://"))
			if err != nil {
				_ = near.Close()
				continue
			}
			all.Go(func() {
				<-c.pulled
				_ = near.Close()
				_ = far.Close()
			})
			all.Go(func() { c.forward(far, near) })
			all.Go(func() { c.forward(near, far) })
		}
	})
	t.Cleanup(func() {
		c.pull()
		_ = ln.Close()
		all.Wait()
	})
	return c
}

// forward forwards until it is frozen; then it leaves both ends open.
func (c *cable) forward(to io.Writer, from io.Reader) {
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		select {
		case <-c.frozen:
			return
		default:
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// A client that is stopped takes nothing and says nothing. It is closed, as slow
// if much is for it and as silent if little is; when it goes on, its session does.
func TestFrozenClient(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, yaml, views, reason string }{
		{"full", "server: {write_timeout: 1s}", "wide", "slow_write"},
		{"silent", "server: {heartbeat: 1s}", "pulse", "silent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := settle(t, tt.yaml)
			c := launch(t, self("client", h.base+" "+tt.views))
			first := c.line("session ")
			h.during(func() {
				c.signal(syscall.SIGSTOP)
				livetest.Eventually(t, "the frozen client is closed as "+tt.reason, func() bool {
					return h.metric("chartd_closed_total", `reason="`+tt.reason+`"`) == 1
				})
				livetest.Eventually(t, "its session waits", func() bool { return h.metric("chartd_sessions", `state="waiting"`) == 1 })
			})
			seen := h.frames.Load()
			c.signal(syscall.SIGCONT)
			c.line("ended ")
			if again := c.line("resumed "); again != first {
				t.Errorf("session %s came back as %s", first, again)
			}
			c.line("caught up ")
			<-c.ended
			t.Logf("caught up within %d ticks of the bystander", h.frames.Load()-seen)
			if n := h.metric("chartd_hellos_total", `result="resumed"`); n != 1 {
				t.Errorf("%v sessions were resumed", n)
			}
		})
	}
}

// watch is a client's process. It follows the bystander's chart, comes back once
// when its connection ends, and ends when it has caught up.
func watch(arg string) error {
	base, views, _ := strings.Cut(arg, " ")
	ws, err := dialBy(base, narrow(64<<10))
	if err != nil {
		return err
	}
	say := []wire.ClientMessage{wire.Hello{}, wire.Sub{ID: "1", Chart: "pulse"}}
	if views == "wide" {
		say = append(say, hungry(100)...)
	}
	if err := ws.WriteMessage(websocket.TextMessage, array(say...)); err != nil {
		return err
	}
	f := &follower{ws: ws}
	for frames, said := 0, false; ; {
		n, err := f.read()
		if err != nil {
			if _, closed := errors.AsType[*websocket.CloseError](err); !closed && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
				return fmt.Errorf("not what a closed connection is: %w", err)
			}
			fmt.Println("ended", err)
			break
		}
		if frames += n; frames > 5 && !said { // patches may have come in pairs
			fmt.Println("session", f.welcome.Session)
			said = true
		}
	}
	_ = ws.Close()
	session := f.welcome.Session
	at := f.mirror.Pos()
	if f.ws, err = dial(base); err != nil {
		return err
	}
	defer func() { _ = f.ws.Close() }()
	hello := array(wire.Hello{Session: session}, wire.Sub{ID: "1", Chart: "pulse", Pos: at})
	if !json.Valid(hello) {
		return fmt.Errorf("not JSON: %s", hello)
	}
	if err := f.ws.WriteMessage(websocket.TextMessage, hello); err != nil {
		return err
	}
	f.welcome = wire.Welcome{}
	for frames := 0; frames < 5; {
		said := f.welcome.Session
		n, err := f.read()
		if err != nil {
			return err
		}
		if f.welcome.Resumed && said == "" {
			fmt.Println("resumed", f.welcome.Session)
		}
		frames += n
	}
	fmt.Println("caught up", f.mirror.Pos())
	return nil
}
