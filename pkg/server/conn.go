package server

import (
	"errors"
	"io"
	"net"
	"net/netip"
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
// and what reads what the client says. gorilla made the handshake and reads
// messages; what is written comes ready and goes through the outlet.
type conn struct {
	out    outlet      // first: what a delivery needs
	in     intake      // if polled
	polled bool        // the poller wakes it; otherwise it has a reader of its own
	gone   atomic.Bool // cut; what is still unread does not count
	number int32       // among the poller's
	server *Server
	rules  *rules // of when it was opened

	ws     *websocket.Conn
	client atomic.Pointer[session.Client] // nil if the hub took none
	addr   netip.Addr
	at     int          // its place in conns; guarded by conns.mu
	slot   uint8        // of the heartbeat in which it is pinged
	seen   atomic.Int64 // when the peer last gave a sign of life, ns since the server's start
	bye    atomic.Pointer[wire.Close]

	second   int64 // of the server's uptime, in which the peer
	controls int   // sent so many pings and pongs; both belong to who reads
}

// Write implements session.Conn.
func (c *conn) Write(m *wire.Message) (full bool, err error) {
	frame := m.Frame()
	if c.out.packs && m.Len() >= compressFrom {
		frame = m.Packed(&c.server.deflater)
	}
	if full, err = c.out.send(frame); err != nil {
		c.server.metrics.writeErrors.WithLabelValues("gone").Inc()
	}
	return full, err
}

// ready implements holder.
func (c *conn) ready(err error) {
	switch {
	case err == nil:
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.server.metrics.writeErrors.WithLabelValues("timeout").Inc()
	default:
		c.server.metrics.writeErrors.WithLabelValues("gone").Inc()
	}
	if client := c.client.Load(); client != nil {
		client.Ready(err)
	}
}

// work implements holder.
func (c *conn) work(f func()) { c.server.conns.wg.Go(f) }

// patience implements holder.
func (c *conn) patience() time.Duration { return c.rules.cfg.WriteTimeout.Std() }

// Close implements session.Conn. It says goodbye with a code and lets the
// reading loop wait a second for the peer's own goodbye: cutting the connection
// at once could lose the frame on its way. Only the first call counts.
func (c *conn) Close(how wire.Close) {
	if !c.bye.CompareAndSwap(nil, &how) {
		return
	}
	switch err := c.out.control(controlFrame(websocket.CloseMessage, how.Payload())); {
	case err != nil:
		c.cut()
	case c.polled:
		time.AfterFunc(closeTimeout, c.cut)
	case c.ws.SetReadDeadline(time.Now().Add(closeTimeout)) != nil:
		c.cut()
	}
}

// farewell answers the peer's close frame, unless that is the answer to ours:
// the outlet lets nothing follow a close frame. A browser takes a second one for
// a broken connection, and its page is not told with which code the first came.
func (c *conn) farewell(code int, _ string) error {
	_ = c.out.control(controlFrame(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""))) // it ends either way
	return nil
}

// cut ends the connection without a word; who reads notices.
func (c *conn) cut() {
	c.gone.Store(true)
	if c.polled {
		_ = c.in.CloseRead() // if it is closed, all is done
		return
	}
	_ = c.out.close() // likewise
}

// pipe returns the connection for gorilla, whose writes go through the outlet.
func (c *conn) pipe() net.Conn {
	tcp, ok := c.out.nc.(*net.TCPConn)
	switch {
	case !ok:
		return &pipe{c.out.nc, &c.out}
	case c.server.poller == nil:
		return &tcpPipe{tcp, &c.out}
	}
	c.polled = true
	c.in.TCPConn, c.in.out = tcp, &c.out
	return &c.in
}

// awake reads what there is to read, and arms the poller again or ends the
// connection. It runs in a goroutine of its own, one at a time.
func (c *conn) awake() {
	err := c.readable()
	if err == nil {
		return // and perhaps awake again
	}
	c.end(err)
}

// readable takes the messages that have come or begun, and arms the poller.
func (c *conn) readable() error {
	for !c.gone.Load() {
		ok, err := c.in.next(c)
		if err != nil {
			return err
		}
		if !ok {
			return c.server.poller.arm(c)
		}
		typ, r, err := c.ws.NextReader()
		if err != nil {
			return err
		}
		c.contain(func() { err = c.take(typ, r) })
		if err != nil {
			return err
		}
	}
	return net.ErrClosed
}

// live reads until the connection ends, where there is no poller.
//
// Thousands of them may be parked here, so the way down to the socket is kept
// short: what a message sets off happens in a goroutine of its own, or the stack
// that it takes would stay with this one.
func (c *conn) live() {
	var err error
	for {
		var typ int
		var r io.Reader
		if typ, r, err = c.ws.NextReader(); err != nil {
			break
		}
		aside(func() { c.contain(func() { err = c.take(typ, r) }) })
		if err != nil {
			break
		}
	}
	aside(func() { c.end(err) })
}

// aside runs f in another goroutine and waits for it.
func aside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// contain runs f; if that panics, the connection ends, and nothing else.
func (c *conn) contain(f func()) {
	defer func() {
		if v := recover(); v != nil {
			c.server.metrics.panics.Inc()
			c.server.log.Error("a message's handling panicked", zap.Any("panic", v), zap.Stack("stack"))
			c.Close(wire.Close{Code: wire.CloseInternal, Reason: "the server's log has more"})
		}
	}()
	f()
}

// pong takes a sign of life.
func (c *conn) pong(string) error {
	c.alive()
	c.calm()
	return nil
}

// ping answers the client's ping.
func (c *conn) ping(payload string) error {
	c.alive()
	c.calm()
	_ = c.out.control(controlFrame(websocket.PongMessage, []byte(payload))) // a broken connection is read to its end anyway
	return nil
}

// alive notes a sign of life.
func (c *conn) alive() { c.seen.Store(int64(c.server.uptime())) }

// silent returns how long the peer has given no sign of life at a time.
func (c *conn) silent(now time.Duration) time.Duration { return now - time.Duration(c.seen.Load()) }

// read reads one message. What is on its way is bounded by gorilla, what becomes
// of it when it is unpacked is not.
func (c *conn) read(r io.Reader) ([]byte, error) {
	most := int64(c.rules.cfg.MaxMessage)
	if !c.polled { // the poller's intake has done that
		if err := c.ws.SetReadDeadline(time.Now().Add(c.rules.cfg.MessageTimeout.Std())); err != nil {
			return nil, err
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		c.Close(wire.Close{Code: websocket.CloseMessageTooBig, Reason: "a message is longer than server.max_message allows, unpacked"})
	}
	if err != nil || c.polled || c.bye.Load() != nil {
		return b, err
	}
	return b, c.ws.SetReadDeadline(time.Time{})
}

// take reads one message and hands it to the client.
func (c *conn) take(typ int, r io.Reader) error {
	b, err := c.read(r)
	if err == nil {
		c.hand(typ, b)
	}
	return err
}

// hand hands a message to the client.
func (c *conn) hand(typ int, b []byte) {
	c.server.metrics.received.Add(float64(len(b)))
	c.alive()
	switch client := c.client.Load(); {
	case c.bye.Load() != nil, client == nil:
		// Only the close frame counts now.
	case typ != websocket.TextMessage:
		c.Close(wire.Close{Code: wire.CloseProtocol, Reason: "a binary message; " + wire.Subprotocol + " is text"})
	default:
		client.Handle(b)
	}
}

// end tells everybody that the connection is over.
func (c *conn) end(err error) {
	defer c.server.conns.remove(c)
	defer c.server.leave(c.addr)
	defer func() {
		if c.polled {
			c.server.poller.remove(c)
		}
		_ = c.out.close() // it may be closed
	}()
	err = c.meaning(err)
	if client := c.client.Load(); client != nil {
		client.Gone(err)
	}
}

// meaning turns what reading ended with into what it means, and sees to it that
// the peer can learn it.
func (c *conn) meaning(err error) error {
	_, closed := errors.AsType[*websocket.CloseError](err)
	trouble, broken := errors.AsType[net.Error](err)
	bye := c.bye.Load()
	switch {
	case bye != nil:
		return *bye
	case broken && trouble.Timeout(): // os.ErrDeadlineExceeded, which gorilla hides
		how := wire.Close{Code: wire.CloseSlowMessage, Reason: "a message took longer than server.message_timeout allows"}
		c.Close(how)
		c.drain()
		return how
	case closed, broken, errors.Is(err, io.EOF):
		return err
	}
	// A message too big or a broken frame: gorilla has said so in a close frame,
	// behind which ours is left out. Of a message that cannot be unpacked it has
	// said nothing.
	how := wire.Close{Code: wire.CloseProtocol, Reason: "a message that cannot be unpacked"}
	if errors.Is(err, websocket.ErrReadLimit) {
		how = wire.Close{Code: websocket.CloseMessageTooBig, Reason: "a message is longer than server.max_message allows"}
	}
	c.Close(how)
	c.drain()
	if errors.Is(err, io.ErrUnexpectedEOF) { // or, more likely, TLS that was cut
		return err
	}
	return how
}

// drain reads what is unread behind a close frame, or the kernel answers with a
// reset that overtakes it.
func (c *conn) drain() {
	if c.ws.SetReadDeadline(time.Now().Add(closeTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, c.out.nc, 1<<20)
	}
}

// controlFrame returns a control frame, RFC 6455 §5.5: of a type as in gorilla,
// with a payload of 125 bytes at most.
func controlFrame(typ byte, payload []byte) []byte {
	return append([]byte{0x80 | typ, byte(len(payload))}, payload...)
}
