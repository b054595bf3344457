package wire

import (
	"errors"

	"github.com/chartd/chartd/pkg/plotting"
)

// ParseServer reads one WebSocket message of a server: an object, or an array
// of them. It is for tests and tools; a type of message that it does not know
// is left out, as PROTOCOL.md asks of clients.
func ParseServer(b []byte) ([]ServerMessage, error) {
	return nil, errors.New("being written")
}

// Mirror follows one view as a client does: it takes fulls and patches, and
// holds the frame they lead to.
type Mirror struct {
	v     string
	frame *plotting.Frame
	pos   Pos
	asked bool
}

// NewMirror returns a mirror of the view with the given id, which shows
// nothing yet.
func NewMirror(viewID string) *Mirror { return &Mirror{v: viewID} }

// Pos returns the position of the frame that the mirror shows.
func (m *Mirror) Pos() Pos { return m.pos }

// Frame returns the frame that the mirror shows, nil before the first full.
func (m *Mirror) Frame() *plotting.Frame { return m.frame }
