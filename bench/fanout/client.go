package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// crowd is who connects to a server, and how.
type crowd struct {
	Server string `json:"server"` // chartd or centrifuge
	Addr   string `json:"addr"`   // of it
	N      int    `json:"n"`
	// AtOnce is how many connect at the same time.
	AtOnce int `json:"at_once"`
	// Views is how many different ones are watched.
	Views int `json:"views"`
	// Look lets every session look at what it is sent. Without it all but a few
	// only count bytes.
	Look bool `json:"look"`
	// Period is the time between two ticks in ns: how late a frame is against its
	// schedule is measured if it is not 0.
	Period int64 `json:"period"`
	// Abort lets sockets end with a reset, which leaves no port waiting.
	Abort bool `json:"abort"`
	// Frozen, Slow and Flighty are how many sessions have these roles.
	Frozen  int `json:"frozen"`
	Slow    int `json:"slow"`
	Flighty int `json:"flighty"`
}

// sampled is how many sessions are decoded whole, whatever else is done.
const sampled = 16

// client is the process that holds all sessions of one server. It is one loop
// around epoll: what it costs is the same whoever it is connected to.
type client struct {
	crowd    *crowd
	to       unix.SockaddrInet4
	hello    []byte // the request
	epoll    int
	scratch  []byte
	sessions []*viewer
	waiting  []*viewer // to connect, in order
	delayed  []*viewer // to connect, but later
	roles    []*viewer // with something else to do than to read
	looked   int64     // when delayed and roles were looked at
	churn    int       // reconnects to be made
	open     int       // that connect at the moment
	ups      int       // that are up
	count    counts
	tally    tally // of the healthy
	others   tally // of those with a role
	lists    map[string]*hist

	// A round: how many bytes each session is to get.
	each  int64
	whole int // sessions that have them
	late  func() (any, bool)
	until int64

	orders []byte // of the standard input, not yet a line
	out    *json.Encoder
	rand   *rand.Rand
}

// counts are what a client has seen.
type counts struct {
	Up      int     `json:"up"`
	Refused int     `json:"refused"` // 503 and 429
	Broken  int     `json:"broken"`  // connections that ended before they were up
	Ended   int     `json:"ended"`   // healthy ones that ended behind that
	Why     string  `json:"why,omitempty"`
	Again   int     `json:"again"`   // reconnects that came up
	Lagging int     `json:"lagging"` // healthy, and more than a frame behind at the moment
	Churned int     `json:"churned"`
	Connect hist    `json:"connect"`
	Pongs   int64   `json:"pongs"`
	MS      float64 `json:"ms"`
	Tally   tally   `json:"tally"`
	Others  tally   `json:"others"`
}

// runClient is the worker with the clients.
func runClient(in *os.File, out io.Writer) error {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	c := &client{epoll: ep, scratch: make([]byte, 1<<20), lists: map[string]*hist{}, out: json.NewEncoder(out), rand: rand.New(rand.NewPCG(1, 2))}
	stdin := int(in.Fd())
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, stdin, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1}); err != nil {
		return err
	}
	runtime.LockOSThread()
	fmt.Fprintln(out, "ready")
	err = c.loop(stdin)
	for _, s := range c.sessions {
		s.hangUp()
	}
	return errors.Join(err, unix.Close(ep))
}

// nap is how long the client sleeps when nothing has come: as long as it sleeps,
// no writer has to wake it, which would cost the server.
const nap = 100 * time.Microsecond

// loop serves sockets and orders until the standard input ends.
func (c *client) loop(stdin int) error {
	events := make([]unix.EpollEvent, 512)
	for {
		wait := 0
		if c.quiet() {
			wait = 100
		}
		n, err := unix.EpollWait(c.epoll, events, wait)
		if err != nil && err != unix.EINTR {
			return err
		}
		now := mono()
		for _, e := range events[:max(n, 0)] {
			if e.Fd < 0 {
				if err := c.read(stdin); err != nil {
					if errors.Is(err, io.EOF) {
						return nil
					}
					return err
				}
				continue
			}
			c.serve(c.sessions[e.Fd], e.Events, now)
		}
		c.act(now)
		if c.late != nil {
			if v, done := c.late(); done || now > c.until {
				c.late = nil
				if err := c.out.Encode(v); err != nil {
					return err
				}
			}
		}
		if n <= 0 && wait == 0 {
			_ = unix.Nanosleep(&unix.Timespec{Nsec: int64(nap)}, nil)
		}
	}
}

// quiet reports whether nothing is about to come.
func (c *client) quiet() bool {
	return c.late == nil && len(c.waiting) == 0 && len(c.delayed) == 0 && c.open == 0 && (c.crowd == nil || !c.crowd.Look)
}

// read takes orders.
func (c *client) read(stdin int) error {
	n, err := unix.Read(stdin, c.scratch)
	if err != nil {
		return err
	}
	if n == 0 {
		return io.EOF
	}
	c.orders = append(c.orders, c.scratch[:n]...)
	for {
		line, rest, ok := bytes.Cut(c.orders, []byte("\n"))
		if !ok {
			return nil
		}
		var o order
		if err := json.Unmarshal(line, &o); err != nil {
			return err
		}
		c.orders = rest
		v, err := c.do(o)
		switch {
		case err != nil:
			v = answer{Error: err.Error()}
		case v == nil:
			continue // it comes late
		}
		if err := c.out.Encode(v); err != nil {
			return err
		}
	}
}

// serve does what a socket is ready for.
func (c *client) serve(s *viewer, events uint32, now int64) {
	if s.state == idle {
		return // an event from before it was closed
	}
	if s.state == connecting {
		if events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) == 0 {
			return
		}
		if code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR); code != 0 || err != nil {
			c.end(s, fmt.Errorf("connect: %w", unix.Errno(code)), now)
			return
		}
		s.state = upgrading
		err := unix.EpollCtl(c.epoll, unix.EPOLL_CTL_MOD, s.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(s.number)})
		if err = errors.Join(err, s.say(c.hello)); err != nil {
			c.end(s, err, now)
		}
		return
	}
	if s.raw && s.state == up {
		c.swallow(s)
		return
	}
	c.take(s, len(c.scratch))
}

// take reads at most a portion, and looks at it.
func (c *client) take(s *viewer, portion int) {
	n, err := unix.Read(s.fd, c.scratch[:portion])
	now := mono()
	switch {
	case err == unix.EAGAIN:
		return
	case err != nil:
		c.end(s, err, now)
	case n == 0:
		c.end(s, io.EOF, now)
	default:
		c.counted(s, int64(n), now)
		if err := c.look(s, c.scratch[:n], now); err != nil {
			c.end(s, err, now)
		}
	}
}

// swallow counts what has come and drops it in the kernel.
func (c *client) swallow(s *viewer) {
	// It does not block, and so the scheduler needs not be told; with MSG_TRUNC
	// TCP touches no buffer, but checks that there is one.
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&c.scratch[0])), uintptr(len(c.scratch)),
		unix.MSG_TRUNC|unix.MSG_DONTWAIT, 0, 0)
	now := mono()
	switch {
	case errno == unix.EAGAIN:
	case errno != 0:
		c.end(s, errno, now)
	case n == 0:
		c.end(s, io.EOF, now)
	default:
		c.counted(s, int64(n), now)
	}
}

// counted notes when a session has all bytes of a round.
func (c *client) counted(s *viewer, n, now int64) {
	s.got += n
	if c.each > 0 && s.got >= c.each && s.got-n < c.each {
		s.last = now
		c.whole++
	}
}
