package main

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/chartd/chartd/pkg/wire"
)

// round is what became of one.
type round struct {
	Missing int   `json:"missing"` // sessions that did not get all
	Over    int64 `json:"over"`    // bytes too many
}

// noted is what became of a round whose deliveries are timed.
type noted struct {
	P99 float64 `json:"p99"` // ns
}

// do carries an order out. A nil answer comes later.
func (c *client) do(o order) (any, error) {
	switch o.Do {
	case "connect":
		return c.connect(o)
	case "back":
		return c.back(o)
	case "expect":
		c.each, c.whole = int64(o.Size), 0
		for _, s := range c.sessions {
			s.got, s.last = 0, 0
		}
		return answer{}, nil
	case "await":
		c.delay(20*time.Second, func() (any, bool) { return c.round(), c.whole == len(c.sessions) })
		return nil, nil
	case "note":
		h := c.lists[o.Kind]
		if h == nil {
			h = &hist{}
			c.lists[o.Kind] = h
		}
		var this hist
		for _, s := range c.sessions {
			h.add(s.last - o.Start)
			this.add(s.last - o.Start)
		}
		return noted{P99: this.quantile(0.99)}, nil
	case "list":
		return c.lists[o.Kind], nil
	case "frames":
		c.delay(30*time.Second, func() (any, bool) { return c.counts(), c.tally.Frames >= int64(o.N) })
		return nil, nil
	case "pings": // those that the server sends
		c.delay(30*time.Second, func() (any, bool) { return c.counts(), c.tally.Pings >= int64(o.N) })
		return nil, nil
	case "ping":
		for _, s := range c.sessions {
			if err := s.say(clientFrame(opPing, []byte("fan"))); err != nil {
				return nil, err
			}
		}
		c.delay(30*time.Second, func() (any, bool) { return c.counts(), c.count.Pongs >= int64(len(c.sessions)) })
		return nil, nil
	case "counts":
		all := c.counts()
		all.Lagging = c.lagging()
		return all, nil
	case "reset":
		c.count, c.tally, c.others = counts{}, tally{}, tally{}
		return answer{}, nil
	case "churn":
		c.churn = o.N
		c.delay(20*time.Minute, func() (any, bool) { return c.counts(), c.churn == 0 && c.ups == len(c.sessions) })
		return nil, nil
	case "cut":
		for _, s := range c.sessions {
			c.drop(s)
		}
		return answer{}, nil
	}
	return nil, fmt.Errorf("unknown order %q", o.Do)
}

// delay answers when done says so, or with what there is after a while.
func (c *client) delay(patience time.Duration, done func() (any, bool)) {
	c.until, c.late = mono()+int64(patience), done
}

// round sums up the bytes of a round.
func (c *client) round() round {
	r := round{Missing: len(c.sessions) - c.whole}
	for _, s := range c.sessions {
		r.Over += max(0, s.got-c.each)
	}
	return r
}

func (c *client) counts() counts {
	c.count.Up, c.count.Tally, c.count.Others = c.ups, c.tally, c.others
	return c.count
}

// lagging counts the healthy sessions that are more than one frame behind
// another one of their view.
func (c *client) lagging() int {
	newest := map[string]uint64{}
	for _, s := range c.sessions {
		newest[s.pos.view] = max(newest[s.pos.view], s.pos.rev)
	}
	n := 0
	for _, s := range c.sessions {
		if s.role == healthy && s.pos.rev+1 < newest[s.pos.view] {
			n++
		}
	}
	return n
}

// connect makes the sessions and connects them all.
func (c *client) connect(o order) (any, error) {
	at, err := netip.ParseAddrPort(o.Crowd.Addr)
	if err != nil {
		return nil, err
	}
	c.crowd, c.to = o.Crowd, unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	c.hello = request(c.crowd)
	c.sessions = make([]*viewer, c.crowd.N)
	step := max(1, c.crowd.N/sampled)
	grids := make([]*grid, max(1, c.crowd.Views))
	for i := range grids {
		if c.crowd.Period > 0 {
			grids[i] = &grid{period: c.crowd.Period}
		}
	}
	for i := range c.sessions {
		s := &viewer{number: i, raw: !c.crowd.Look && i%step != 0}
		s.pos.grid = grids[i%len(grids)]
		if i%step == 0 && c.crowd.Server == chartdKind {
			s.pos.mirror = wire.NewMirror("")
		}
		c.sessions[i] = s
	}
	c.cast(frozen, c.crowd.Frozen, 1)
	c.cast(slow, c.crowd.Slow, 2)
	c.cast(flighty, c.crowd.Flighty, 3)
	return c.back(o)
}

// cast gives n sessions a role, evenly spread.
func (c *client) cast(r role, n, from int) {
	for i := range n {
		at := from + i*len(c.sessions)/n
		for c.sessions[at%len(c.sessions)].role != healthy {
			at++
		}
		s := c.sessions[at%len(c.sessions)]
		s.role, s.pos.mirror = r, nil
		c.roles = append(c.roles, s)
	}
}

// back connects all sessions that are not, and answers when all are up and have
// got o.N fulls together.
func (c *client) back(o order) (any, error) {
	began := mono()
	c.waiting, c.delayed = nil, nil
	for _, s := range c.sessions {
		if s.state == idle {
			c.waiting = append(c.waiting, s)
		}
	}
	c.delay(2*time.Minute, func() (any, bool) {
		r := c.counts()
		r.MS = float64(mono()-began) / 1e6
		return r, c.ups == len(c.sessions) && c.tally.Fulls+c.others.Fulls >= int64(o.N)
	})
	return nil, nil
}
