package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/chartd/chartd/pkg/wire"
)

// act does what is due: sessions that wait connect, and roles are played.
func (c *client) act(now int64) {
	for len(c.waiting) > 0 && c.open < c.crowd.AtOnce {
		s := c.waiting[0]
		c.waiting = c.waiting[1:]
		c.dial(s, now)
	}
	c.stir(now)
	if now-c.looked < int64(10*time.Millisecond) {
		return
	}
	c.looked = now
	still := c.delayed[:0]
	for _, s := range c.delayed {
		if s.next <= now {
			c.waiting = append(c.waiting, s)
		} else {
			still = append(still, s)
		}
	}
	c.delayed = still
	for _, s := range c.roles {
		if s.state == up && s.next <= now {
			c.play(s)
		}
	}
}

// stir lets sessions reconnect one after the other, as long as there is churn
// left. Each of them watches another view for a moment, and one in ten comes
// back as somebody new.
func (c *client) stir(now int64) {
	for looked := 0; c.churn > 0 && c.open < c.crowd.AtOnce && looked < len(c.sessions); looked++ {
		s := c.sessions[c.churn%len(c.sessions)]
		c.churn--
		if s.state != up || s.role != healthy {
			continue
		}
		c.drop(s)
		if c.churn%10 == 0 {
			s.pos = position{grid: s.pos.grid}
		}
		s.extra = c.churn%extraViews + 1
		c.count.Churned++
		c.dial(s, now)
	}
}

// extraViews is how many views those who churn look into.
const extraViews = 200

// How the roles are played.
const (
	slowBytes  = 1 << 10          // that a slow session reads a second
	frozenFor  = 60 * time.Second // until one who reads nothing begins anew
	firstRetry = 100 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// play is the next deed of a session that is not just reading.
func (c *client) play(s *viewer) {
	switch s.role {
	case slow:
		s.next += int64(time.Second)
		c.take(s, slowBytes)
	case frozen, flighty:
		c.drop(s)
		c.waiting = append(c.waiting, s)
	case healthy:
	}
}

// dial begins to connect a session.
func (c *client) dial(s *viewer, now int64) {
	c.open++
	s.began, s.pos.ok = now, false
	err := s.dial(c.crowd, c.to)
	if err == nil {
		err = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(s.number)})
	}
	if err != nil {
		c.end(s, err, now)
	}
}

// risen notes that a session is up, and lets it begin to play its role.
func (c *client) risen(s *viewer, now int64) {
	s.state = up
	c.open--
	c.ups++
	c.count.Connect.add(now - s.began)
	if s.tries > 0 {
		c.count.Again++
	}
	s.tries = 0
	switch s.role {
	case healthy:
		return
	case flighty:
		s.next = now + int64(time.Second)
		return
	case frozen:
		s.next = now + int64(frozenFor)
	case slow:
		s.next = now + c.rand.Int64N(int64(time.Second))
	}
	if err := unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, s.fd, nil); err != nil {
		c.end(s, err, now)
	}
}

// drop closes a session's socket.
func (c *client) drop(s *viewer) {
	switch s.state {
	case idle:
		return
	case up:
		c.ups--
	default:
		c.open--
	}
	s.hangUp()
}

// end takes note of a connection that ended by itself, and lets the session come
// back after a while, as a page does.
func (c *client) end(s *viewer, err error, now int64) {
	was := s.state
	c.drop(s)
	switch {
	case errors.Is(err, errRefused):
		c.count.Refused++
	case was != up:
		c.count.Broken++
		c.reason(s, err)
	case s.role == healthy:
		c.count.Ended++
		c.reason(s, err)
	}
	s.tries++
	wait := min(firstRetry<<min(s.tries-1, 10), lastRetry)
	s.next = now + int64(wait)/2 + c.rand.Int64N(int64(wait))
	c.delayed = append(c.delayed, s)
}

func (c *client) reason(s *viewer, err error) {
	if c.count.Why == "" {
		c.count.Why = fmt.Sprintf("session %d: %v", s.number, err)
	}
}

// look reads what came: the answer to the request, then frames.
func (c *client) look(s *viewer, b []byte, now int64) error {
	if len(s.in) > 0 {
		s.in = append(s.in, b...)
		b = s.in
	}
	if s.state == upgrading {
		n, err := upgraded(b)
		if err != nil || n == 0 {
			s.in = append([]byte(nil), b...)
			return err
		}
		b = b[n:]
		s.state = joining
		if err := s.say(s.greeting(c.crowd)); err != nil {
			return err
		}
	}
	for {
		op, payload, n, err := cutFrame(b)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		if err := c.frame(s, op, payload, now); err != nil {
			return err
		}
		b = b[n:]
	}
	switch {
	case len(b) == 0:
		s.in = nil
	case len(s.in) == 0 || &b[0] != &s.in[0]:
		s.in = append([]byte(nil), b...)
	}
	return nil
}

// frame takes one frame.
func (c *client) frame(s *viewer, op byte, payload []byte, now int64) error {
	switch op {
	case opText:
	case opPing:
		c.tally.Pings++
		return s.say(clientFrame(opPong, payload))
	case opPong:
		c.count.Pongs++
		return nil
	case opClose:
		code := wire.CloseCode(0)
		if len(payload) >= 2 {
			code = wire.CloseCode(payload[0])<<8 | wire.CloseCode(payload[1])
			payload = payload[2:]
		}
		return wire.Close{Code: code, Reason: string(payload)}
	default:
		return fmt.Errorf("a frame with opcode %d", op)
	}
	if bytes.HasPrefix(payload, []byte(`{"t":"floor",`)) {
		return nil
	}
	t := &c.tally
	if s.role != healthy {
		t = &c.others
	}
	if c.crowd.Server == centrifugeKind {
		ping, err := s.pos.takeRival(payload, t)
		if err == nil && ping {
			c.tally.Pings++
			err = s.say(clientFrame(opText, []byte(`{}`)))
		}
		if err == nil && s.state == joining && bytes.Contains(payload, []byte(`"subscribe":`)) {
			c.risen(s, now)
		}
		return err
	}
	if err := s.pos.take(payload, now, t); err != nil {
		return err
	}
	if v := s.pos.extra; v != "" {
		s.pos.extra = ""
		if err := s.say(clientFrame(opText, wire.Unsub{ID: "3", V: v}.AppendJSON(nil))); err != nil {
			return err
		}
	}
	if s.state == joining && s.pos.ok && s.pos.rev > 0 {
		c.risen(s, now)
	}
	return nil
}
