package session

import (
	"time"

	"github.com/chartd/chartd/pkg/wire"
)

// Conn is one WebSocket as the hub uses it. Nothing that the hub does with it
// waits for the client: a view's loop itself writes to thousands of them.
type Conn interface {
	// Write hands a message to the kernel without waiting. If the kernel takes
	// not all of it now, full is true and the connection keeps the rest: when
	// it is gone, the connection calls Client.Ready, in a goroutine of its own,
	// and until then the hub writes nothing. An error means that the connection
	// is broken. The hub never calls it twice at the same time.
	Write(m *wire.Message) (full bool, err error)
	// Close sends a close frame behind what was written, if that can be done
	// soon, and closes the connection. It does not wait. The hub calls it once
	// at most.
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
