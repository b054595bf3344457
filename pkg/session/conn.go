package session

import (
	"time"

	"github.com/chartd/chartd/pkg/wire"
)

// Conn is one WebSocket as the hub uses it.
type Conn interface {
	// Write sends one message. It blocks until the kernel took it, or until the
	// connection's write timeout: then the error is os.ErrDeadlineExceeded.
	// The hub never calls it twice at the same time.
	Write(m *wire.Message) error
	// Close sends a close frame, if it can be done soon, and closes the
	// connection. It makes a Write that is under way return. The hub calls it
	// once at most, in any goroutine but that of Handle.
	Close(c wire.Close)
}

// Peer is who is at the other end of a connection.
type Peer struct {
	// Address is what sessions per address are counted by, such as an IP
	// address without port; "" is not counted.
	Address string
	// Origin is the page's origin, if it said one.
	Origin string
	// UserAgent is the client's software, if it said so.
	UserAgent string
	// Since is when the connection was made.
	Since time.Time
}
