package wire

import (
	"bytes"
	"sync"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
)

// Keep is how many patches an Update remembers.
const Keep = 8

// Pos is a position in a view's history: which frame a client holds. The zero
// value is none.
type Pos struct {
	// E is the epoch.
	E string `json:"e"`
	// R is the revision; it starts at 1 and grows by 1 with every frame.
	R uint64 `json:"r"`
}

// Stream turns a view's frames into updates. It is not safe for concurrent
// use: one loop owns it, and it must see every frame of the view, because
// revisions count what it saw.
type Stream struct {
	v    string
	prev *plotting.Frame // what the view shows; may be newer than last's, with equal content
	last *Update
	head []byte        // the start of every patch of this epoch, with room in front
	ops  []plotting.Op // scratch
	buf  []byte        // scratch
	size sizer
}

// NewStream returns the stream of the view with the given id.
func NewStream(viewID string) *Stream { return &Stream{v: viewID} }

// Last returns the newest update, nil before the first frame.
func (s *Stream) Last() *Update { return s.last }

// Next takes the view's newest frame and returns the update that leads to it,
// or nil if nothing changed. The first frame, a frame of a new epoch, and a
// frame whose patch would be over half as long as its full have no patch.
func (s *Stream) Next(f *plotting.Frame) *Update {
	if s.last == nil {
		return s.full(f)
	}
	if f == s.prev {
		return nil
	}
	ops, ok := plotting.Diff(s.prev, f, s.ops[:0])
	s.ops = ops
	if !ok {
		return s.full(f)
	}
	if len(ops) == 0 {
		s.prev = f
		return nil
	}
	p, rev := s.last.pos, s.last.pos.R+1
	s.buf = appendPatchBody(append(s.buf[:0], s.head...), p.R, rev, ops)
	clear(ops) // they hold on to the frame's memory
	length := len(s.buf) - room
	half := s.size.half(f, rev, length)
	if length > half {
		return s.full(f)
	}
	u := &Update{v: s.v, frame: f, pos: Pos{E: p.E, R: rev}, made: time.Now(), half: half, n: min(s.last.n+1, Keep)}
	copy(u.patches[:], s.last.patches[1:])
	u.patches[Keep-1] = seal(bytes.Clone(s.buf), false)
	s.prev, s.last = f, u
	return u
}

// full makes an update that no patch leads to.
func (s *Stream) full(f *plotting.Frame) *Update {
	u := &Update{v: s.v, frame: f, pos: Pos{E: f.Epoch, R: 1}, made: time.Now()}
	if s.last != nil {
		u.pos.R = s.last.pos.R + 1
	}
	if s.last == nil || s.last.pos.E != f.Epoch {
		s.head = appendPatchHead(append(s.head[:0], make([]byte, room)...), s.v, f.Epoch)
	}
	u.half = s.size.measure(f, u.pos.R) / 2
	if cap(s.buf) > maxScratch {
		s.buf = nil
	}
	s.prev, s.last = f, u
	return u
}

// maxScratch is how many bytes a stream holds on to for its next patch.
const maxScratch = 16 << 10

// Update is one change of a view: the frame it leads to, as a full, and the
// last patches. It is immutable, safe for concurrent use, and shared by every
// session that watches the view.
type Update struct {
	v       string
	pos     Pos
	frame   *plotting.Frame
	made    time.Time
	half    int            // bytes beyond which patches are not worth it
	n       int            // how many patches are held, at the end of the array
	patches [Keep]*Message // an array, not a chain: an Update keeps no older one alive

	once sync.Once
	full *Message
}

// View returns the view's id.
func (u *Update) View() string { return u.v }

// Pos returns the position that the update leads to.
func (u *Update) Pos() Pos { return u.pos }

// Made returns when the update was made, just after its frame was drawn.
func (u *Update) Made() time.Time { return u.made }

// Frame returns the frame.
func (u *Update) Frame() *plotting.Frame { return u.frame }

// Full returns the whole frame as a message. It is encoded at the first call;
// a tick that every watcher follows by patches never encodes it.
func (u *Update) Full() *Message {
	u.once.Do(func() { u.full = seal(appendFull(blank(2*u.half+u.half/8+128), u.v, u.pos, u.frame), false) })
	return u.full
}

// Since returns the patches that lead from pos to this update, oldest first,
// none if pos is there already. ok is false if they are not held any more, or
// are longer than half a full: send Full instead. The slice is shared and must
// not be changed.
func (u *Update) Since(pos Pos) (patches []*Message, ok bool) {
	back := u.pos.R - pos.R // huge if pos is ahead
	if pos.E != u.pos.E || back > uint64(u.n) {
		return nil, false
	}
	patches = u.patches[Keep-back:]
	if len(patches) > 1 {
		sum := 0
		for _, p := range patches {
			sum += len(p.json)
		}
		if sum > u.half {
			return nil, false
		}
	}
	return patches, true
}

// Patch returns the patch that leads here from the revision before, nil if
// only a full does.
func (u *Update) Patch() *Message { return u.patches[Keep-1] }
