//go:build unix

package server

import (
	"errors"
	"net"
	"syscall"
)

// descriptor returns the file descriptor of a connection that writeNow can use,
// -1 if it has none: TLS has to encrypt first.
func descriptor(nc net.Conn) int {
	fd := -1
	if tcp, ok := nc.(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			_ = raw.Control(func(n uintptr) { fd = int(n) }) // closed already: then the first write says so
		}
	}
	return fd
}

// writeNow writes as much of b as the kernel takes at once, maybe nothing. The
// descriptor is the network poller's, and therefore does not block.
func writeNow(fd int, b []byte) (n int, err error) {
	for {
		n, err = syscall.Write(fd, b)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		case !errors.Is(err, syscall.EINTR):
			return 0, err
		}
	}
}
