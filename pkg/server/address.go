package server

import (
	"net/netip"
	"sync"
)

// bucket returns what addresses of one client have in common: an IPv6 host may
// take any address of its /64.
func bucket(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// census counts open connections in all and per address.
type census struct {
	mu    sync.Mutex
	total int
	by    map[netip.Addr]int
}

// enter counts one more connection of an address, unless that would exceed a
// cap. It returns why not: "total", "address", or "" when it counted. leave
// must follow exactly once.
func (c *census) enter(a netip.Addr, maxTotal, maxPerAddress int) (refused string) {
	a = bucket(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.total >= maxTotal:
		return "total"
	case c.by[a] >= maxPerAddress:
		return "address"
	}
	if c.by == nil {
		c.by = make(map[netip.Addr]int)
	}
	c.total++
	c.by[a]++
	return ""
}

// force counts one more connection whatever the caps. leave must follow.
func (c *census) force(a netip.Addr) {
	c.mu.Lock()
	most := c.total + 1
	c.mu.Unlock()
	for c.enter(a, most, most) != "" {
		most++
	}
}

// count returns how many there are.
func (c *census) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

func (c *census) leave(a netip.Addr) {
	a = bucket(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.by[a]--; c.by[a] == 0 {
		delete(c.by, a)
	}
}
