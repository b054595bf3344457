package server

import (
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// poller tells which connections have something to read. A goroutine that waits
// at each would cost more memory than all else that an idle session has; the
// runtime's own poller, which this one stands on, wakes only goroutines.
type poller struct {
	file *os.File // the epoll instance
	raw  syscall.RawConn
	work sync.WaitGroup

	mu    sync.Mutex
	conns []*conn // by the number under which each is known; nil is free
	free  []int32
}

// newPoller returns a poller; nil means that connections need a reader each.
func newPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // or os would not hand it to the runtime's poller
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p := &poller{file: os.NewFile(uintptr(fd), "epoll")}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return p, nil
}

// start begins to wake connections.
func (p *poller) start() { p.work.Go(p.run) }

// stop ends that, when no connection is left.
func (p *poller) stop() {
	_ = p.file.Close() // nothing was written to it
	p.work.Wait()
}

// run wakes connections until stop.
func (p *poller) run() {
	var events [128]syscall.EpollEvent
	for {
		n := 0
		err := p.raw.Read(func(fd uintptr) bool {
			var err error
			if n, err = syscall.EpollWait(int(fd), events[:], 0); err != nil {
				n = 0
			}
			return n > 0
		})
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			if c := p.at(e.Fd); c != nil {
				go c.awake() // conns waits for the connection's end
			}
		}
	}
}

func (p *poller) at(number int32) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns[number]
}

// add makes a connection known and arms it.
func (p *poller) add(c *conn) error {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		c.number = p.free[n-1]
		p.free = p.free[:n-1]
		p.conns[c.number] = c
	} else {
		c.number = int32(len(p.conns))
		p.conns = append(p.conns, c)
	}
	p.mu.Unlock()
	return p.control(syscall.EPOLL_CTL_ADD, c)
}

// arm wakes the connection when there is something to read, once. Its
// descriptor is open.
func (p *poller) arm(c *conn) error { return p.control(syscall.EPOLL_CTL_MOD, c) }

func (p *poller) control(op int, c *conn) (err error) {
	e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: c.number}
	if broken := p.raw.Control(func(fd uintptr) { err = syscall.EpollCtl(int(fd), op, c.out.fd, &e) }); broken != nil {
		return broken
	}
	return err
}

// remove forgets a connection that is being closed.
func (p *poller) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c.number] = nil
	p.free = append(p.free, c.number)
}

// readNow reads what is there, maybe nothing. The error is io.EOF at the end.
func readNow(fd int, b []byte) (n int, err error) {
	for {
		n, err = syscall.Read(fd, b)
		switch {
		case err == nil && n == 0:
			return 0, io.EOF
		case err == nil:
			return n, nil
		case err == syscall.EAGAIN:
			return 0, nil
		case err != syscall.EINTR:
			return 0, os.NewSyscallError("read", err)
		}
	}
}
