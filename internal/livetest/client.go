// Package livetest is what tests of a running chartd share: a client over a real
// socket, which speaks the protocol with gorilla/websocket and reads it with
// package wire; and how to wait, to read /metrics, and to keep a process's log.
package livetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/pkg/wire"
)

// patience is how long a test waits for what should come at once. It is long
// because a machine that runs tests is busy; no test waits that long when it
// passes.
const patience = 30 * time.Second

// Client is one connection. Its methods fail the test where they cannot do
// what they say; they are for one goroutine.
type Client struct {
	t  testing.TB
	ws *websocket.Conn
	id int

	in   chan wire.ServerMessage
	done chan struct{} // closed when the reader has ended; then err is set
	err  error
	quit chan struct{}
	cut  sync.Once
}

// Dial connects to the daemon at base ("http://127.0.0.1:1234/"). The
// connection is cut when the test ends.
func Dial(t testing.TB, base string) *Client {
	t.Helper()
	c, err := TryDial(t, base, nil, wire.Subprotocol)
	if err != nil {
		t.Fatalf("dial %s: %v", base, err)
	}
	return c
}

// Refused is an upgrade that the server answered with something else.
type Refused struct {
	Status int
	Body   string
}

// Error returns status and body.
func (r *Refused) Error() string { return fmt.Sprintf("refused: %d %s", r.Status, r.Body) }

// TryDial connects with a header and offers subprotocols. The error is a
// *Refused if there was an answer.
func TryDial(t testing.TB, base string, header http.Header, protocols ...string) (*Client, error) {
	t.Helper()
	ws, err := dial(base, header, protocols)
	if err != nil {
		return nil, err
	}
	return New(t, ws), nil
}

// DialDeaf connects and never reads, not even a ping. Of the methods, only Send
// and Raw are of use.
func DialDeaf(t testing.TB, base string) *Client {
	t.Helper()
	ws, err := dial(base, nil, []string{wire.Subprotocol})
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{t: t, ws: ws, done: make(chan struct{}), quit: make(chan struct{})}
	close(c.done)
	t.Cleanup(c.Cut)
	return c
}

func dial(base string, header http.Header, protocols []string) (*websocket.Conn, error) {
	d := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: patience, ReadBufferSize: 1024, WriteBufferSize: 512}
	url := "ws" + strings.TrimPrefix(strings.TrimSuffix(base, "/"), "http") + wire.Path
	ws, resp, err := d.DialContext(context.Background(), url, header)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	if errors.Is(err, websocket.ErrBadHandshake) {
		b, readErr := io.ReadAll(resp.Body)
		return nil, errors.Join(&Refused{resp.StatusCode, string(b)}, readErr)
	}
	return ws, err
}

// New makes a client of a connection, which is cut when the test ends.
func New(t testing.TB, ws *websocket.Conn) *Client {
	c := &Client{t: t, ws: ws, in: make(chan wire.ServerMessage, 256), done: make(chan struct{}), quit: make(chan struct{})}
	t.Cleanup(c.Cut)
	go c.read() // Cut waits for it
	return c
}

// read hands messages on until the connection ends. It stops reading while
// nobody takes them, as a slow page does.
func (c *Client) read() {
	defer close(c.done)
	for {
		_, b, err := c.ws.ReadMessage()
		if err != nil {
			c.err = err
			return
		}
		ms, err := wire.ParseServer(b)
		if err != nil {
			c.err = fmt.Errorf("%w in %s", err, b)
			return
		}
		for _, m := range ms {
			select {
			case c.in <- m:
			case <-c.quit:
				c.err = errors.New("cut")
				return
			}
		}
	}
}

// Cut ends the connection without a word, as a pulled plug does, and waits for
// the reader.
func (c *Client) Cut() {
	c.cut.Do(func() {
		close(c.quit)
		_ = c.ws.Close() // it may be closed already
	})
	<-c.done
}

// Send writes messages as one, an array if they are several.
func (c *Client) Send(ms ...wire.ClientMessage) {
	c.t.Helper()
	var b []byte
	for i, m := range ms {
		b = append(b, "[,"[min(i, 1)])
		b = m.AppendJSON(b)
	}
	b = append(b, ']')
	if err := c.ws.WriteMessage(websocket.TextMessage, b); err != nil {
		c.t.Fatalf("send %s: %v", b, err)
	}
}

// Raw returns the connection itself.
func (c *Client) Raw() *websocket.Conn { return c.ws }

// Next returns the next message.
func (c *Client) Next() wire.ServerMessage {
	c.t.Helper()
	select {
	case m := <-c.in:
		return m
	default:
	}
	select {
	case m := <-c.in:
		return m
	case <-c.done:
		select {
		case m := <-c.in:
			return m
		default:
		}
		c.t.Fatalf("the connection ended while a message was awaited: %v", c.err)
	case <-time.After(patience):
		c.t.Fatal("no message came")
	}
	return nil
}

// Until returns the first message of type M that fits, and drops those before.
// A nil fit takes any.
func Until[M wire.ServerMessage](c *Client, fit func(M) bool) M {
	c.t.Helper()
	for start := time.Now(); ; {
		if m, ok := c.Next().(M); ok && (fit == nil || fit(m)) {
			return m
		}
		if time.Since(start) > patience {
			c.t.Fatalf("many messages came, but no %T that fits", *new(M))
		}
	}
}

// Hello says hello, with the token of a session to resume or "", and returns
// the welcome.
func (c *Client) Hello(session string) wire.Welcome {
	c.t.Helper()
	c.Send(wire.Hello{Session: session})
	return Until[wire.Welcome](c, nil)
}

// ID returns a fresh request id.
func (c *Client) ID() wire.ID {
	c.id++
	return wire.ID(fmt.Sprint(c.id))
}

// Sub subscribes and returns the ok.
func (c *Client) Sub(s wire.Sub) wire.OK {
	c.t.Helper()
	s.ID = c.ID()
	c.Send(s)
	return c.OK(s.ID)
}

// OK returns the answer to a request, and fails at an error.
func (c *Client) OK(id wire.ID) wire.OK {
	c.t.Helper()
	for {
		switch m := c.Next().(type) {
		case wire.OK:
			if m.ID == id {
				return m
			}
		case wire.Failure:
			if m.ID == id {
				c.t.Fatalf("request %s: %v", id, m.Err)
			}
		}
	}
}

// Full waits for a full of a view ("" for any).
func (c *Client) Full(v string) wire.Full {
	c.t.Helper()
	return Until(c, func(m wire.Full) bool { return v == "" || m.V == v })
}

// Closed waits for the connection's end, drops what comes before, and returns
// the close frame.
func (c *Client) Closed() *websocket.CloseError {
	c.t.Helper()
	for {
		select {
		case <-c.in:
		case <-c.done:
			e, ok := errors.AsType[*websocket.CloseError](c.err)
			if !ok {
				c.t.Fatalf("the connection ended without a close frame: %v", c.err)
			}
			return e
		case <-time.After(patience):
			c.t.Fatal("the connection stays open")
		}
	}
}

// Frames follows a view by a mirror until n frames have come, and returns how
// many of them were fulls. Every patch must fit.
func (c *Client) Frames(m *wire.Mirror, n int) (fulls int) {
	c.t.Helper()
	for range n {
		for at := m.Pos(); m.Pos() == at; {
			msg := c.Next()
			if _, err := m.Take(msg); err != nil {
				c.t.Fatalf("mirror: %v", err)
			}
			if full, ok := msg.(wire.Full); ok && full.Pos == m.Pos() {
				fulls++
			}
		}
	}
	return fulls
}
