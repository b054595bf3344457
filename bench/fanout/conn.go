package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// state is how far a connection has come.
type state uint8

const (
	idle       state = iota // no socket
	connecting              // TCP
	upgrading               // the request is sent
	joining                 // hello and sub are sent
	up                      // the first full is here
)

// role is how a session behaves.
type role uint8

const (
	healthy role = iota
	frozen       // reads nothing
	slow         // reads a kilobyte a second
	flighty      // reconnects every second
)

// viewer is one client: its socket, and what outlives it.
type viewer struct {
	number int
	role   role
	state  state
	fd     int
	raw    bool // its bytes are counted and not looked at
	in     []byte
	got    int64 // bytes of the round
	last   int64 // when they came
	began  int64 // when it started to connect
	next   int64 // when to try again, or when its role has its next deed
	tries  int
	pos    position
	extra  int // another view to look into, 0 for none
}

// The key of the handshake and its answer, as RFC 6455 has them in its example.
const (
	wsKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	wsAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// request is what a client asks for first.
func request(cr *crowd) []byte {
	path, protocol := wire.Path, "Sec-WebSocket-Protocol: "+wire.Subprotocol+"\r\n"
	if cr.Server == centrifugeKind {
		path, protocol = centrifugePath, ""
	}
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n", path, cr.Addr, wsKey, protocol)
}

// greeting is what a client says first on its WebSocket.
func (s *viewer) greeting(cr *crowd) []byte {
	if cr.Server == centrifugeKind {
		return clientFrame(opText, []byte(`{"id":1,"connect":{}}`+"\n"+`{"id":2,"subscribe":{"channel":"`+centrifugeChannel+`"}}`))
	}
	b := append([]byte{'['}, wire.Hello{Session: s.pos.token}.AppendJSON(nil)...)
	sub := wire.Sub{ID: "1", Chart: fanChart, View: s.change(cr)}
	if s.pos.token != "" {
		sub.Pos = wire.Pos{E: s.pos.epoch, R: s.pos.rev}
	}
	b = sub.AppendJSON(append(b, ','))
	if s.extra > 0 {
		other := wire.Sub{ID: "2", Chart: fanChart, View: plotting.Change{Vars: map[string]string{fanVar: fmt.Sprint("x", s.extra)}}}
		b = other.AppendJSON(append(b, ','))
		s.extra = 0
	}
	return clientFrame(opText, append(b, ']'))
}

// change says which view a session watches.
func (s *viewer) change(cr *crowd) (ch plotting.Change) {
	if cr.Views > 1 {
		ch.Vars = map[string]string{fanVar: fmt.Sprint(s.number % cr.Views)}
	}
	return ch
}

// errRefused is a server that has no room at the moment.
var errRefused = errors.New("refused")

// upgraded reads the answer to the request. n is 0 if it is not all there.
func upgraded(b []byte) (n int, err error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, nil
	}
	head := string(b[:end])
	switch {
	case strings.HasPrefix(head, "HTTP/1.1 101 ") && strings.Contains(head, wsAccept):
		return end + 4, nil
	case strings.HasPrefix(head, "HTTP/1.1 503 "), strings.HasPrefix(head, "HTTP/1.1 429 "):
		return 0, errRefused
	}
	return 0, fmt.Errorf("no upgrade: %.200s", b)
}

// dial starts to connect from one of several addresses of the loopback, so that
// ports do not run out.
func (s *viewer) dial(cr *crowd, to unix.SockaddrInet4) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	s.fd, s.state, s.in = fd, connecting, nil
	from := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + s.number%sources)}}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.SetsockoptInt(fd, unix.SOL_TCP, unix.TCP_NODELAY, 1),
		unix.Bind(fd, &from),
	)
	if s.role == slow || s.role == frozen {
		err = errors.Join(err, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 8<<10))
	}
	if cr.Abort {
		err = errors.Join(err, unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
	}
	if connErr := unix.Connect(fd, &to); connErr != unix.EINPROGRESS {
		err = errors.Join(err, connErr)
	}
	return err
}

// sources is how many addresses clients come from.
const sources = 8

// say writes to the socket what surely fits into its buffer.
func (s *viewer) say(b []byte) error {
	if n, err := unix.Write(s.fd, b); err != nil || n != len(b) {
		return fmt.Errorf("a client could write %d of %d bytes: %w", n, len(b), err)
	}
	return nil
}

// hangUp closes the socket without a word.
func (s *viewer) hangUp() {
	if s.state != idle {
		_ = unix.Close(s.fd)
	}
	s.state, s.in = idle, nil
}
