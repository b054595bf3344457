package server

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

// Bounds of one connection that are not settings.
const (
	// sendBuffer bounds what the kernel holds for a peer that stops reading, in
	// bytes; left to itself it grows to megabytes.
	sendBuffer = 64 << 10
	// compressFrom is the shortest message worth compressing, in bytes: about
	// what one packet carries.
	compressFrom = 1400
	// closeTimeout is how long a peer has to answer a close frame.
	closeTimeout = time.Second
)

// conn is one client's WebSocket: the session.Conn that a session writes to,
// and the loop that reads what the client says. A session has one writer at a
// time; Close and ping may come from anywhere.
type conn struct {
	ws           *websocket.Conn
	client       *session.Client // nil if the hub took none
	metrics      *metrics
	log          *zap.Logger
	left         func() // says that the connection is over
	writeTimeout time.Duration
	silence      time.Duration // how long the peer may say nothing
	compress     bool
	closing      atomic.Bool
}

// Write implements session.Conn.
func (c *conn) Write(m *wire.Message) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(c.writeTimeout)); err != nil {
		return err
	}
	if err := c.ws.WriteMessage(websocket.TextMessage, m.JSON()); err != nil {
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			c.metrics.writeErrors.WithLabelValues("timeout").Inc()
			return os.ErrDeadlineExceeded // gorilla hides it behind a type of its own
		}
		c.metrics.writeErrors.WithLabelValues("gone").Inc()
		return err
	}
	c.metrics.written.Add(float64(m.Len()))
	return nil
}

// Close implements session.Conn. It says goodbye with a code and lets the
// reading loop wait for the peer's own goodbye: cutting the connection at once
// could lose the frame on its way. Only the first call counts. It blocks for at
// most a second, and only if the peer takes no bytes.
func (c *conn) Close(how wire.Close) {
	if c.closing.Swap(true) {
		return
	}
	deadline := time.Now().Add(closeTimeout)
	if err := c.ws.WriteControl(websocket.CloseMessage, how.Payload(), deadline); err != nil {
		c.cut()
		return
	}
	if err := c.ws.SetReadDeadline(deadline); err != nil {
		c.cut()
	}
}

// cut ends the connection without a word; the reading loop notices.
func (c *conn) cut() { _ = c.ws.Close() } // what it could say is that it is closed

// ping asks the peer for a sign of life. A ping that cannot be sent needs no
// answer here: the write deadline or the silence will tell.
func (c *conn) ping() {
	if !c.closing.Load() {
		_ = c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.writeTimeout))
	}
}

// live is the connection's own goroutine: after connect, which finds it a
// session, it reads until the connection ends.
//
// Thousands of them are parked here most of the time, so the way down to the
// socket is kept short: what a message sets off happens in a goroutine of its
// own, or the stack that it takes would stay with this one.
func (c *conn) live(connect func()) {
	c.aside(connect)
	c.ws.SetPongHandler(c.pong)
	err := c.alive()
	for err == nil {
		var typ int
		var r io.Reader
		if typ, r, err = c.ws.NextReader(); err != nil {
			break
		}
		c.aside(func() { err = c.take(typ, r) })
	}
	c.aside(func() { c.end(err) })
}

// aside runs f in another goroutine and waits for it.
func (c *conn) aside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				c.metrics.panics.Inc()
				c.log.Error("a message's handling panicked", zap.Any("panic", v), zap.Stack("stack"))
				c.Close(wire.Close{Code: wire.CloseInternal, Reason: "the server's log has more"})
			}
		}()
		f()
	}()
	<-done
}

// pong takes a sign of life.
func (c *conn) pong(string) error { return c.alive() }

// alive gives the peer time until the next sign of life.
func (c *conn) alive() error {
	err := c.ws.SetReadDeadline(time.Now().Add(c.silence))
	// Close sets closing first and its own, shorter deadline second, so
	// whichever came last, the shorter one holds.
	if c.closing.Load() {
		err = c.ws.SetReadDeadline(time.Now().Add(closeTimeout))
	}
	return err
}

// take reads one message and hands it to the client.
func (c *conn) take(typ int, r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.metrics.received.Add(float64(len(b)))
	switch {
	case c.closing.Load(), c.client == nil:
		// Only the close frame counts now.
	case typ != websocket.TextMessage:
		c.Close(wire.Close{Code: wire.CloseProtocol, Reason: "a binary message; " + wire.Subprotocol + " is text"})
	default:
		c.client.Handle(b)
	}
	return c.alive()
}

// end tells everybody that the connection is over.
func (c *conn) end(err error) {
	defer c.left()
	defer c.cut()
	err = c.meaning(err)
	if c.client != nil {
		c.client.Gone(err)
	}
}

// meaning turns what reading ended with into what it means, and sees to it that
// the peer can learn it.
func (c *conn) meaning(err error) error {
	_, closed := errors.AsType[*websocket.CloseError](err)
	network, broken := errors.AsType[net.Error](err)
	switch {
	case c.closing.Load(), closed:
	case broken && network.Timeout():
		silent := wire.Close{Code: wire.CloseSilent, Reason: "no answer to pings for " + c.silence.String()}
		c.Close(silent)
		return silent
	case broken, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
	default:
		// A message too big or a broken frame: gorilla has said so in a close
		// frame. What is unread must be read, or the kernel answers with a
		// reset that overtakes it.
		c.closing.Store(true)
		if c.ws.SetReadDeadline(time.Now().Add(closeTimeout)) == nil {
			_, _ = io.CopyN(io.Discard, c.ws.NetConn(), 1<<20)
		}
	}
	return err
}
