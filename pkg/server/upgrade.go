package server

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/headroom"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

// Buffers of a WebSocket, in bytes. Client messages are short; the write buffer
// holds a patch, longer and prepared messages pass it by, and it is pooled
// anyway: ten thousand idle connections should cost little.
const (
	readBuffer  = 128
	writeBuffer = 1024
)

// newUpgrader returns the upgrader of a server. Origins are checked before it
// is asked, so that a refusal can say why.
func newUpgrader(compress bool, pool *sync.Pool, handshake time.Duration) *websocket.Upgrader {
	return &websocket.Upgrader{
		ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer, WriteBufferPool: pool,
		Subprotocols:      []string{wire.Subprotocol},
		EnableCompression: compress,
		HandshakeTimeout:  handshake,
		CheckOrigin:       func(*http.Request) bool { return true },
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			http.Error(w, "chartd: "+reason.Error(), status)
		},
	}
}

// upgrade turns a request into a WebSocket. It returns at once and leaves the
// reading to others: the handler's goroutine would keep net/http's buffers alive,
// three times what the session itself needs.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) {
	rules := s.rules.Load()
	offered := websocket.Subprotocols(r)
	addr, secure := rules.proxies.client(r)
	switch err := checkOrigin(r, rules.origins, secure); {
	case err != nil:
		s.refuse(w, r, "origin", http.StatusForbidden, err.Error())
		return
	case len(offered) > 0 && !slices.Contains(offered, wire.Subprotocol):
		s.refuse(w, r, "protocol", http.StatusBadRequest,
			fmt.Sprintf("no subprotocol of %q is spoken here; offer %q", offered, wire.Subprotocol))
		return
	case !s.isReady.Load():
		s.refuse(w, r, "draining", http.StatusServiceUnavailable, "starting or shutting down; come back in a moment")
		return
	}
	if !s.hasRoom(w, r, headroom.Scarce) {
		return
	}
	most, why := s.guard.places(&rules.cfg)
	switch s.census.enter(addr, most, rules.cfg.MaxConnectionsPerAddress) {
	case "total":
		s.refuse(w, r, "total", http.StatusServiceUnavailable, fmt.Sprintf("%d connections are open, as many as %s", most, why))
		return
	case "address":
		s.refuse(w, r, "address", http.StatusTooManyRequests,
			fmt.Sprintf("%d connections from %v are open, as many as the setting server.max_connections_per_address allows",
				rules.cfg.MaxConnectionsPerAddress, bucket(addr)))
		return
	}
	// From here on the connection takes a place, and is counted, before its
	// peer can know.
	s.metrics.connections.Inc()
	if !s.await(w, r, rules) {
		s.leave(addr)
		return
	}
	c := &conn{server: s, rules: rules, addr: addr}
	declineWindows(r.Header)
	ws, err := rules.upgrader.Upgrade(hijacker{w, c}, r, nil)
	if err != nil {
		s.leave(addr)
		s.log.Debug("no upgrade", zap.Error(err), zap.String("from", r.RemoteAddr))
		return
	}
	c.ws = ws
	s.adopt(c, r)
}

// declineWindows takes the offers of a compression out of a request whose client
// unpacks only what was packed with a short window (RFC 7692 §7.1.2.1): gorilla
// would accept them, and nothing here packs like that.
func declineWindows(h http.Header) {
	const name = "Sec-Websocket-Extensions"
	offers := strings.Split(strings.Join(h.Values(name), ","), ",")
	offers = slices.DeleteFunc(offers, func(one string) bool { return strings.Contains(strings.ToLower(one), "server_max_window_bits") })
	h.Set(name, strings.Join(offers, ","))
}

// hijacker lets gorilla have a connection whose writes go through an outlet.
type hijacker struct {
	http.ResponseWriter
	conn *conn
}

// Hijack implements http.Hijacker.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn.out.nc = nc
	return h.conn.pipe(), rw, nil
}

// leave gives a connection's place back.
func (s *Server) leave(addr netip.Addr) {
	s.census.leave(addr)
	s.metrics.connections.Dec()
}

// adopt gives a fresh WebSocket its session, and sees to it that it is read.
func (s *Server) adopt(c *conn, r *http.Request) {
	c.ws.SetReadLimit(int64(c.rules.cfg.MaxMessage))
	c.ws.SetCloseHandler(c.farewell)
	// Where there is a poller, gorilla sees only those inside of a message. Its own
	// answers would count none of them, and shorten the outlet's patience.
	c.ws.SetPongHandler(c.pong)
	c.ws.SetPingHandler(c.ping)
	if tcp, ok := c.out.nc.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // without it a stalled peer costs more, no more than that
		_ = tcp.SetKeepAlive(false)        // the heartbeat does that
	}
	c.alive()
	c.out.open(c)
	if !s.conns.add(c) {
		c.Close(wire.Close{Code: wire.CloseShutdown, Reason: "the server stops"})
		_ = c.out.close() // it has no reader that would
		s.leave(c.addr)
		return
	}
	peer := session.Peer{
		Address: addressOf(c.addr), Origin: r.Header.Get("Origin"), UserAgent: r.Header.Get("User-Agent"), Since: time.Now(),
	}
	credential, from := s.shown(r)
	s.connect(c, peer, credential, from)
	switch {
	case !c.polled:
		//nolint:contextcheck // a connection outlives its request
		go c.live() // conns waits for it
	case s.poller.add(c) != nil:
		c.end(net.ErrClosed)
	}
}

// connect gives a connection its session. Without one, its reader only waits
// for the peer's goodbye.
func (s *Server) connect(c *conn, peer session.Peer, credential string, from auth.Visitor) {
	client, err := s.hub.Connect(c, peer)
	if err != nil {
		how, ok := errors.AsType[wire.Close](err)
		if !ok {
			how = wire.Close{Code: wire.CloseInternal, Reason: "the server's log has more"}
			s.log.Error("no session for a connection", zap.Error(err))
		}
		c.Close(how)
		return
	}
	client.Present(credential, from)
	c.client.Store(client)
}
