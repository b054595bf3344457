package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// clientAddr returns the address that a request counts for. X-Forwarded-For is
// read from its end, past every proxy that is trusted; what stands before the
// first stranger could be written by anybody and is not believed.
func clientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // not TCP: all such peers count as one
	}
	addr := ap.Addr().Unmap()
	isProxy := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	if !isProxy(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if addr = a.Unmap(); !isProxy(addr) {
			break
		}
	}
	return addr
}

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

func (c *census) leave(a netip.Addr) {
	a = bucket(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.by[a]--; c.by[a] == 0 {
		delete(c.by, a)
	}
}
