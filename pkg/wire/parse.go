package wire

import "errors"

// Limits bound what one WebSocket message of a client may hold.
type Limits struct {
	// Bytes is the length of the whole message.
	Bytes int
	// Messages is how many may stand in one array.
	Messages int
	// Depth is how deep arrays and objects may nest, the outermost included.
	Depth int
}

// DefaultLimits returns the limits that PROTOCOL.md promises.
func DefaultLimits() Limits { return Limits{Bytes: 64 << 10, Messages: 64, Depth: 32} }

// ParseClient reads one WebSocket message of a client: an object, or an array
// of them. The messages do not share memory with b.
//
// What is no JSON, or beyond the limits, is an *Error, and nothing in it is to
// be carried out. A single bad message is an Invalid in its place: it is to be
// answered with its error, its neighbours are carried out.
func ParseClient(b []byte, lim Limits) ([]ClientMessage, error) {
	return nil, errors.New("being written")
}
