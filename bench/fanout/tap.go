package main

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tap is a listener that remembers what it accepted, so that ready bytes can be
// written to the very sockets that the server serves: that is the floor, what
// the same delivery costs at the least. The server gets the connections as they
// are.
type tap struct {
	net.Listener
	keep bool // without it nothing is remembered, and nothing costs memory

	mu    sync.Mutex
	conns []*net.TCPConn
}

// listen takes a port of the loopback.
func listen(keep bool) (*tap, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it takes no time, and nothing ends it
	if err != nil {
		return nil, err
	}
	return &tap{Listener: ln, keep: keep}, nil
}

// Accept implements net.Listener.
func (t *tap) Accept() (net.Conn, error) {
	c, err := t.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && t.keep {
		t.mu.Lock()
		t.conns = append(t.conns, tcp)
		t.mu.Unlock()
	}
	return c, err
}

// sockets returns the sockets that are open. They stay what they are as long as
// their clients stay.
func (t *tap) sockets() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	var fds []int
	for _, c := range t.conns {
		raw, err := c.SyscallConn()
		if err != nil {
			continue
		}
		_ = raw.Control(func(fd uintptr) { fds = append(fds, int(fd)) }) // it fails if c is closed
	}
	return fds
}

// writers is how many goroutines share a floor round: one a core of the two
// that chartd is built for.
const writers = 2

// burst writes b to all sockets, by write(2) and nothing else.
func burst(fds []int, b []byte) error {
	var wg sync.WaitGroup
	var errs [writers]error
	for w := range writers {
		part := fds[len(fds)*w/writers : len(fds)*(w+1)/writers]
		wg.Go(func() {
			for _, fd := range part {
				if n, err := syscall.Write(fd, b); n != len(b) || err != nil {
					if err = rest(fd, b, n, err); err != nil {
						errs[w] = err
					}
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}

// rest writes what a full socket did not take at once.
func rest(fd int, b []byte, n int, err error) error {
	for {
		if n > 0 {
			b = b[n:]
		}
		switch {
		case err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("floor: %w", err)
		case len(b) == 0:
			return nil
		case err != nil:
			wait := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			if ready, pollErr := unix.Poll(wait, int(time.Second/time.Millisecond)); ready == 0 && pollErr == nil {
				return errors.New("floor: a client takes no bytes for a second")
			}
		}
		n, err = syscall.Write(fd, b)
	}
}

// textFrame returns a whole WebSocket frame of size bytes that carries a JSON
// text: open, as much padding as is needed, and end.
func textFrame(size int, open, end string) []byte {
	b := appendHeader(nil, size)
	b = append(b, open...)
	for len(b) < size-len(end) {
		b = append(b, 'x')
	}
	return append(b, end...)
}

// appendHeader appends the header of an unmasked text frame that has size bytes
// with it.
func appendHeader(b []byte, size int) []byte {
	switch n := size - headerOf(size); {
	case n <= 125:
		return append(b, 0x81, byte(n))
	case n <= 0xffff:
		return append(b, 0x81, 126, byte(n>>8), byte(n))
	default:
		return append(b, 0x81, 127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}

// headerOf is how long the header of a frame of size bytes is, header included.
func headerOf(size int) int {
	switch {
	case size <= 2+125:
		return 2
	case size <= 4+0xffff:
		return 4
	}
	return 10
}
