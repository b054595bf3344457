package wire

import (
	"fmt"

	"github.com/chartd/chartd/pkg/plotting"
)

// Mirror follows one view as a client does: it takes fulls and patches, and
// holds the frame they lead to. It is for tests and tools, and not safe for
// concurrent use.
type Mirror struct {
	v     string
	frame *plotting.Frame
	pos   Pos
	asked bool // a resync is under way: patches are passed over
}

// NewMirror returns a mirror of the view with the given id, which shows
// nothing yet.
func NewMirror(viewID string) *Mirror { return &Mirror{v: viewID} }

// Pos returns the position of the frame that the mirror shows, the zero value
// before the first full.
func (m *Mirror) Pos() Pos { return m.pos }

// Frame returns the frame that the mirror shows, nil before the first full.
func (m *Mirror) Frame() *plotting.Frame { return m.frame }

// SVG returns what the mirror shows, nil before the first full.
func (m *Mirror) SVG() []byte {
	if m.frame == nil {
		return nil
	}
	return m.frame.AppendSVG(nil)
}

// Take takes a message; those that are no frame of this view change nothing.
// resync is true when the caller must send a Resync now, which is once until
// the next full: a patch did not fit. err then says why; with resync false it
// is a full that cannot be read.
func (m *Mirror) Take(msg ServerMessage) (resync bool, err error) {
	switch msg := msg.(type) {
	case Full:
		if msg.V != m.v {
			return false, nil
		}
		f, err := plotting.Parse([]byte(msg.SVG))
		if err != nil {
			return false, fmt.Errorf("full %s/%d: %w", msg.Pos.E, msg.Pos.R, err)
		}
		f.Epoch = msg.Pos.E
		m.frame, m.pos, m.asked = f, msg.Pos, false
	case Patch:
		if msg.V != m.v || m.asked {
			return false, nil
		}
		if err := m.patch(&msg); err != nil {
			m.asked = true
			return true, fmt.Errorf("patch %s/%d: %w", msg.Pos.E, msg.Pos.R, err)
		}
	}
	return false, nil
}

// patch applies a patch whole or not at all.
func (m *Mirror) patch(p *Patch) error {
	if m.frame == nil || p.Pos.E != m.pos.E || p.Base != m.pos.R {
		return fmt.Errorf("does not apply to %s/%d", m.pos.E, m.pos.R)
	}
	f, err := plotting.Apply(m.frame, p.Ops)
	if err != nil {
		return err
	}
	m.frame, m.pos = f, p.Pos
	return nil
}
