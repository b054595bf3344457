package session

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
)

// Deps is what a Hub works with. All fields are needed.
type Deps struct {
	// Appender takes the samples that handlers append.
	Appender store.Appender
	// NewRenderer makes the renderer of one view's loop.
	NewRenderer func(spec *plotting.Spec) ticker.Renderer
	// Log takes what went wrong.
	Log *zap.Logger
	// Registerer takes the hub's metrics and those of its loops.
	Registerer prometheus.Registerer
	// Server is what welcome calls the software: "chartd/0.1.0".
	Server string
}

// Hub holds all sessions and the loops of what they watch. All methods are
// safe for concurrent use.
type Hub struct{}

// NewHub returns a hub without charts and sessions. Close it.
func NewHub(cfg Config, deps Deps) (*Hub, error) { return &Hub{}, nil }

// SetCharts makes these the charts, by name; the map and what it holds is not
// changed afterwards. What is the same as before goes on undisturbed; views of
// a changed chart are drawn anew under the same id; subscriptions to a chart
// that is gone end with an error message. Sessions stay.
func (h *Hub) SetCharts(charts map[string]*Chart) {}

// Connect takes a fresh connection. Its reader calls Handle with every message
// and Gone when there are no more. An error is a wire.Close, with which the
// caller closes the connection: the hub is full or drains.
func (h *Hub) Connect(conn Conn, peer Peer) (*Client, error) { return nil, nil }

// Drain refuses connections from now on, sends every view's last frame, and
// closes the connections with CloseShutdown, spread over a moment, so that the
// clients do not all come back at once. It returns when all are closed, or ctx
// ends.
func (h *Hub) Drain(ctx context.Context) error { return nil }

// Close ends all sessions and loops, and waits for every goroutine of the hub,
// or until ctx ends; then the error says what still runs.
func (h *Hub) Close(ctx context.Context) error { return nil }

// Stats is a glance at a hub.
type Stats struct {
	// Connections are open.
	Connections int
	// Sessions are the connected ones and those that wait to be resumed.
	Sessions int
	// Views are drawn.
	Views int
}

// Stats returns how much there is at the moment.
func (h *Hub) Stats() Stats { return Stats{} }

// Client is one connection of a session.
type Client struct{}

// Handle takes one message of the client. It is called by the connection's
// reader, one at a time, and does not keep b. It does not block.
func (c *Client) Handle(b []byte) {}

// Gone says that the connection is over; err says why, nil if the client said
// goodbye. The session waits to be resumed. A second call does nothing.
func (c *Client) Gone(err error) {}
