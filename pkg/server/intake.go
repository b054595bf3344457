package server

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/pkg/wire"
)

// intake is the way in of a connection that nobody waits at: it looks at the
// header of each frame, so that it knows where a message ends and a goroutine's
// work with it. Control frames between messages it answers itself, because
// gorilla would wait for the message behind them; all else gorilla reads through
// it, and gets no byte beyond the frame.
type intake struct {
	*net.TCPConn
	out *outlet

	head [14]byte // of the frame at hand, as in RFC 6455 §5.2
	have uint8    // bytes of head that were read
	gave uint8    // and that gorilla has
	left uint64   // bytes of the payload that gorilla has not
	many uint16   // frames of the message at hand
}

// maxFragments bounds the frames of one message, pings between them included: a
// peer that sends empty ones would keep a processor busy.
const maxFragments = 4096

// say tells the peer what it did wrong, and returns that.
func (in *intake) say(wrong string) error {
	bye := wire.Close{Code: websocket.CloseProtocolError, Reason: wrong}
	_ = in.out.control(controlFrame(websocket.CloseMessage, bye.Payload())) // it ends either way
	return errors.New(wrong)
}

// Write implements net.Conn.
func (in *intake) Write(b []byte) (int, error) { return in.out.copy(b) }

// Close implements net.Conn.
func (in *intake) Close() error { return in.out.close() }

// Read implements net.Conn: for gorilla, inside of a message.
func (in *intake) Read(b []byte) (int, error) {
	if in.gave == in.have && in.left == 0 {
		if in.many++; in.many > maxFragments {
			return 0, in.say("a message in more than 4096 frames")
		}
		in.have, in.gave = 0, 0
		if err := in.header(); err != nil {
			return 0, err
		}
	}
	if in.gave < in.have {
		n := copy(b, in.head[in.gave:in.have])
		in.gave += uint8(n)
		return n, nil
	}
	n, err := in.TCPConn.Read(b[:min(uint64(len(b)), in.left)])
	in.left -= uint64(n)
	return n, err
}

// header reads what is missing of a frame's header. It waits for it.
func (in *intake) header() error {
	if err := in.fill(2); err != nil {
		return err
	}
	need, size := 2, uint64(in.head[1]&0x7f)
	switch size {
	case 126:
		need = 4
	case 127:
		need = 10
	}
	if in.head[1]&0x80 != 0 {
		need += 4 // the mask's key
	}
	if err := in.fill(need); err != nil {
		return err
	}
	switch size {
	case 126:
		size = uint64(binary.BigEndian.Uint16(in.head[2:]))
	case 127:
		size = binary.BigEndian.Uint64(in.head[2:])
	}
	if size > math.MaxInt64 { // which gorilla would not answer
		return in.say("a frame's length has its highest bit set")
	}
	in.left = size
	return nil
}

// fill reads until n bytes of the header are there.
func (in *intake) fill(n int) error {
	if int(in.have) >= n {
		return nil
	}
	got, err := io.ReadFull(in.TCPConn, in.head[in.have:n])
	in.have += uint8(got)
	return err
}

// next finds out what the peer sent, without waiting for it: nothing (ok is
// false), or a frame that begins a message, which gorilla can read now. What
// else came before is dealt with.
func (in *intake) next(c *conn) (ok bool, err error) {
	for {
		in.have, in.gave, in.many = 0, 0, 0
		n, err := readNow(in.out.fd, in.head[:2])
		if n == 0 || err != nil {
			return false, err
		}
		in.have = uint8(n)
		if err := in.SetReadDeadline(time.Now().Add(c.rules.cfg.MessageTimeout.Std())); err != nil {
			return false, err
		}
		if err := in.header(); err != nil {
			return false, err
		}
		typ := int(in.head[0] & 0xf)
		// Anything wrong with a control frame is for gorilla to say.
		sound := in.head[0]&0xf0 == 0x80 && in.head[1]&0x80 != 0 && in.left <= 125
		if !sound || typ != websocket.PingMessage && typ != websocket.PongMessage {
			return true, nil
		}
		var payload [125]byte
		b := payload[:in.left]
		if _, err := io.ReadFull(in.TCPConn, b); err != nil {
			return false, err
		}
		in.left = 0
		if typ == websocket.PingMessage {
			key := in.head[in.have-4 : in.have]
			for i := range b {
				b[i] ^= key[i%4]
			}
			_ = c.ping(string(b))
		} else {
			_ = c.pong("")
		}
	}
}
