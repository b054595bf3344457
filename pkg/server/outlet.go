package server

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// maxControl is how many pieces may wait in an outlet before control frames are
// left out. A peer that takes no bytes but sends pings would fill the memory
// with answers otherwise.
const maxControl = 16

// piece is how many bytes the peer has to take within the holder's patience: who
// reads slowly, but reads, is not given up in the midst of a long frame.
const piece = 16 << 10

// outlet is the way out of a connection, for frames that are ready to be sent.
// It never waits for the peer: what the kernel does not take at once is kept,
// and a goroutine, which exists only then, writes it on. As long as it does,
// everything else queues behind it, control frames, too: nothing may come
// between the two halves of a frame.
type outlet struct {
	mu       sync.Mutex
	fd       int  // -1 if writing may wait, as with TLS; then flush does it all
	closed   bool // fd must not be used any more
	ended    bool // a close frame went out, or waits: nothing may follow it
	packs    bool // the handshake agreed on permessage-deflate
	flushing bool // a goroutine writes rest
	owed     bool // ready is to be called when it is done
	rest     [][]byte
	nc       net.Conn
	holder   holder
}

// holder is what an outlet belongs to.
type holder interface {
	// work runs f in a goroutine that the server waits for.
	work(f func())
	// ready is told that all that was kept is written, or why that is not
	// possible.
	ready(err error)
	// patience is how long the peer may take none of what is kept.
	patience() time.Duration
}

// open makes the outlet work for a holder, when the handshake is over.
func (o *outlet) open(h holder) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holder, o.fd = h, descriptor(o.nc)
}

// send writes a frame, which must not change. full says that it, or a part of
// it, is kept, and that ready will be called. Behind a close frame it is full
// for ever: a frame there is a breach of RFC 6455 §5.5.1, which browsers report
// as an error.
func (o *outlet) send(frame []byte) (full bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if full, err = o.write(frame); full {
		o.owed = true
	}
	return full, err
}

// control writes a control frame, or leaves it out if too much waits already. A
// close frame is never left out: it says whether to come back. It is the last.
func (o *outlet) control(frame []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := frame[0] == 0x80|websocket.CloseMessage
	if len(o.rest) >= maxControl && !last {
		return nil
	}
	_, err := o.write(frame)
	o.ended = o.ended || last
	return err
}

// write is send and control with mu held. The system call is made under the
// lock, which is what keeps frames whole; it never waits.
func (o *outlet) write(b []byte) (kept bool, err error) {
	switch {
	case o.closed:
		return false, net.ErrClosed
	case o.ended:
		return true, nil
	}
	if !o.flushing {
		n := 0
		if o.fd >= 0 {
			if n, err = writeNow(o.fd, b); err != nil || n == len(b) {
				return false, err
			}
		}
		b = b[n:]
		o.flushing = true
		o.holder.work(o.flush)
	}
	o.rest = append(o.rest, b)
	return true, nil
}

// flush writes what is kept until nothing is left.
func (o *outlet) flush() {
	for {
		o.mu.Lock()
		rest, owed := o.rest, o.owed
		if o.rest = nil; len(rest) == 0 {
			o.flushing, o.owed = false, false
		}
		o.mu.Unlock()
		if len(rest) == 0 {
			if owed {
				o.holder.ready(nil)
			}
			return
		}
		for _, b := range rest {
			if err := o.push(b); err != nil {
				// flushing stays: nothing can follow half a frame.
				o.holder.ready(err)
				return
			}
		}
	}
}

// push writes b, however long that takes, as long as the peer takes some of it.
func (o *outlet) push(b []byte) error {
	for some := range slices.Chunk(b, piece) {
		if err := o.nc.SetWriteDeadline(time.Now().Add(o.holder.patience())); err != nil {
			return err
		}
		if _, err := o.nc.Write(some); err != nil {
			return err
		}
	}
	return nil
}

// close closes the connection. Only here, so that fd is never another's.
func (o *outlet) close() error {
	o.mu.Lock()
	o.closed, o.rest = true, nil
	o.mu.Unlock()
	return o.nc.Close()
}

// tcpPipe is a TCP connection in gorilla's hands. Reading goes straight to it:
// one more call would double the stack that every idle connection keeps.
type tcpPipe struct {
	*net.TCPConn
	out *outlet
}

// Write implements net.Conn: the handshake's answer, and close frames.
func (p *tcpPipe) Write(b []byte) (int, error) { return p.out.copy(b) }

// Close implements net.Conn.
func (p *tcpPipe) Close() error { return p.out.close() }

// pipe is any other connection, such as TLS.
type pipe struct {
	net.Conn
	out *outlet
}

// Write implements net.Conn.
func (p *pipe) Write(b []byte) (int, error) { return p.out.copy(b) }

// Close implements net.Conn.
func (p *pipe) Close() error { return p.out.close() }

// copy writes bytes that may change when it has returned. Before open, it is the
// handshake's answer, which is the one place that says what gorilla agreed on.
func (o *outlet) copy(b []byte) (int, error) {
	o.mu.Lock()
	opened := o.holder != nil
	o.mu.Unlock()
	if !opened {
		o.packs = bytes.Contains(b, []byte("\r\nSec-WebSocket-Extensions: permessage-deflate;"))
		return o.nc.Write(b)
	}
	if err := o.control(bytes.Clone(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}
