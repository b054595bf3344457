package server

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/headroom"
	"github.com/chartd/chartd/pkg/wire"
)

const (
	// patience is how long an upgrade may wait for its turn. More wait in their
	// clients, which come back.
	patience = time.Second
	// spareFiles is how many open files are kept back from clients: for
	// listeners, sources, and what the runtime needs.
	spareFiles = 64
	// savedPictures is how many seconds' worth of pictures an address that was
	// silent may ask for at once: a page may show many.
	savedPictures = 4
	// maxControls is how many pings and pongs a peer may send in a second.
	maxControls = 50
)

// guard keeps a server from being asked for more than it can do.
type guard struct {
	room     *headroom.Gauge
	turns    turns
	pictures tolls
	sockets  census // connections that are no WebSockets, or not yet
	files    int    // how many the process may have open; 0 is not known
}

// turns admits upgrades at a bounded rate, in the order in which they came.
type turns struct {
	mu   sync.Mutex
	next time.Time // when the next one may begin
}

// take returns how long to wait for a turn; ok is false if that is too long, and
// then none was taken. A tenth of a second's worth may come at once.
func (t *turns) take(now time.Time, perSecond int) (wait time.Duration, ok bool) {
	every := time.Second / time.Duration(perSecond)
	t.mu.Lock()
	defer t.mu.Unlock()
	if early := now.Add(-time.Second / 10); t.next.Before(early) {
		t.next = early
	}
	if wait = t.next.Sub(now); wait > patience {
		return 0, false
	}
	t.next = t.next.Add(every)
	return max(wait, 0), true
}

// await waits for an upgrade's turn. It reports false if there is none soon, and
// has answered then, or if nobody is there any more.
func (s *Server) await(w http.ResponseWriter, r *http.Request, rules *rules) bool {
	rate := rules.cfg.MaxUpgradesPerSecond
	wait, ok := s.guard.turns.take(time.Now(), rate)
	if !ok {
		s.refuse(w, r, "upgrades", http.StatusServiceUnavailable,
			fmt.Sprintf("too many clients come at once: the setting server.max_upgrades_per_second admits %d in a second", rate))
		return false
	}
	if wait == 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// room refuses what would need memory that is not there. from is the level from
// which it does.
func (s *Server) hasRoom(w http.ResponseWriter, r *http.Request, from headroom.Level) bool {
	if s.guard.room.Level() < from {
		return true
	}
	s.refuse(w, r, "memory", http.StatusServiceUnavailable, "the server's memory is nearly full (GOMEMLIMIT); come back in a moment")
	return false
}

// mayDraw refuses a picture that would have to be drawn if there is no memory
// for it, or if its address asked for too many.
func (s *Server) mayDraw(w http.ResponseWriter, r *http.Request, k pictureKey) bool {
	if s.pictures.has(k) {
		return true
	}
	return s.hasRoom(w, r, headroom.Tight) && s.mayAsk(w, r)
}

// mayAsk refuses a picture or a table if its address asked for too many.
func (s *Server) mayAsk(w http.ResponseWriter, r *http.Request) bool {
	rules := s.rules.Load()
	addr, _ := rules.proxies.client(r)
	rate := rules.cfg.PicturesPerSecond
	if !s.guard.pictures.pay(bucket(addr), time.Now(), float64(rate), float64(savedPictures*rate)) {
		s.refuse(w, r, "picture_rate", http.StatusTooManyRequests,
			fmt.Sprintf("over %d new pictures or tables in a second from %v (server.pictures_per_second)", rate, bucket(addr)))
		return false
	}
	return true
}

// tolls count what each address asks for.
type tolls struct {
	mu sync.Mutex
	by map[netip.Addr]toll
}

// toll is what one address may still ask for, as of a time.
type toll struct {
	left float64
	at   time.Time
}

// maxTolls is how many addresses are remembered before those that asked for
// nothing lately are forgotten.
const maxTolls = 1024

// pay reports whether an address may ask for one more, at rate a second and
// burst at once.
func (t *tolls) pay(a netip.Addr, now time.Time, rate, burst float64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = make(map[netip.Addr]toll)
	}
	left := func(one toll) float64 { return min(burst, one.left+rate*max(0, now.Sub(one.at).Seconds())) }
	one, known := t.by[a]
	if !known {
		if len(t.by) >= maxTolls {
			for other, o := range t.by {
				if left(o) >= burst {
					delete(t.by, other)
				}
			}
		}
		one = toll{burst, now}
	}
	one = toll{left(one), now}
	ok := one.left >= 1
	if ok {
		one.left--
	}
	t.by[a] = one
	return ok
}

// places returns how many WebSockets may be open, and the setting, or whatever
// else it is, that says so.
func (g *guard) places(cfg *Config) (most int, why string) {
	if room := g.files - spareFiles; g.files > 0 && room < cfg.MaxConnections {
		return max(room, 1), fmt.Sprintf("the limit of %d open files (ulimit -n) leaves room for", g.files)
	}
	return cfg.MaxConnections, "the setting server.max_connections allows"
}

// socket counts the connections that are no WebSockets, and closes those that are
// too many before they say a word: nobody can take all of them by saying nothing.
func (s *Server) socket(nc net.Conn, state http.ConnState) {
	rules := s.rules.Load()
	from := nc.RemoteAddr().String()
	addr := netip.Addr{}
	if ap, err := netip.ParseAddrPort(from); err == nil {
		addr = plainAddr(ap.Addr())
	}
	switch state {
	case http.StateNew:
		each := rules.cfg.MaxConnectionsPerAddress
		if rules.proxies.trust(addr) {
			each = rules.cfg.MaxRequests // it speaks for many
		}
		most := rules.cfg.MaxRequests
		if s.guard.files > 0 {
			most = min(most, max(1, s.guard.files-spareFiles/2-s.census.count()))
		}
		why := s.guard.sockets.enter(addr, most, each)
		if why == "" {
			return
		}
		// It is counted all the same, or its end would be counted for another.
		s.guard.sockets.force(addr)
		s.metrics.refused.WithLabelValues("requests").Inc()
		s.quiet.Write(zap.WarnLevel, "requests", "connection refused", zap.String("reason", "requests"), zap.String("from", from),
			zap.String("why", "too many connections that are no WebSockets, "+map[string]string{
				"total": "in all (server.max_requests, or the limit of open files)", "address": "from one address (server.max_connections_per_address)",
			}[why]))
		_ = nc.Close() // there is nothing to lose on it
	case http.StateHijacked, http.StateClosed:
		s.guard.sockets.leave(addr)
	}
}

// calm counts a control frame of the peer, and closes the connection if they come
// in a flood: answering them is work, too.
func (c *conn) calm() {
	second := int64(c.server.uptime() / time.Second)
	if c.second != second {
		c.second, c.controls = second, 0
	}
	if c.controls++; c.controls > maxControls {
		c.Close(wire.Close{Code: wire.CloseFlood, Reason: fmt.Sprintf("over %d pings and pongs in a second", maxControls)})
	}
}
