package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/chartd/chartd/pkg/wire"
)

// The opcodes of WebSocket frames.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// cutFrame takes the first whole frame off b. n is how many bytes it has, 0 if
// it is not all there.
func cutFrame(b []byte) (op byte, payload []byte, n int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	head, size := 2, int(b[1])
	switch {
	case b[0]&0x80 == 0 || b[0]&0x0f == 0:
		return 0, nil, 0, errors.New("a fragmented message; nothing here is long enough for one")
	case b[0]&0x70 != 0:
		return 0, nil, 0, errors.New("a compressed frame that was not asked for")
	case b[1]&0x80 != 0:
		return 0, nil, 0, errors.New("a masked frame from a server")
	}
	switch size {
	case 126:
		if head = 4; len(b) < head {
			return 0, nil, 0, nil
		}
		size = int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if head = 10; len(b) < head {
			return 0, nil, 0, nil
		}
		long := binary.BigEndian.Uint64(b[2:])
		if long > 1<<30 {
			return 0, nil, 0, fmt.Errorf("a frame of %d bytes", long)
		}
		size = int(long)
	}
	if len(b) < head+size {
		return 0, nil, 0, nil
	}
	return b[0] & 0x0f, b[head : head+size], head + size, nil
}

// clientFrame returns a client's frame. The mask is four zeros, which is a mask
// like any other and leaves the payload as it is: one frame serves all clients.
func clientFrame(op byte, payload []byte) []byte {
	b := []byte{0x80 | op}
	if n := len(payload); n <= 125 {
		b = append(b, 0x80|byte(n))
	} else {
		b = append(b, 0x80|126, byte(n>>8), byte(n))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}

// position is what a session knows of the view it watches, and what has become
// of the frames on the way.
type position struct {
	view  string
	epoch string
	rev   uint64
	token string // of the session, to resume it
	ok    bool   // the sub was answered
	extra string // another view that it watches, too

	grid *grid // of the view's ticks; nil if nobody wants to know

	mirror *wire.Mirror // of a sampled session: it holds the whole picture
}

// tally counts what many sessions were sent.
type tally struct {
	Frames  int64  `json:"frames"` // fulls and patches
	Fulls   int64  `json:"fulls"`
	Missed  int64  `json:"missed"` // revisions that a full jumped over
	Behind  int64  `json:"behind"` // patches that came together with a later one
	Decoded int64  `json:"decoded"`
	Pings   int64  `json:"pings"`
	Broken  int64  `json:"broken"` // what does not follow on what was there
	Why     string `json:"why,omitempty"`
	// Delay is from the tick's beginning to the last byte at the client.
	Delay hist `json:"delay"`
	// Due is from when the tick was due.
	Due hist `json:"due"`
}

func (t *tally) fail(format string, args ...any) {
	t.Broken++
	if t.Why == "" {
		t.Why = fmt.Sprintf(format, args...)
	}
}

// grid is when a view's ticks are due: at a period, from the earliest that was
// ever seen.
type grid struct {
	period int64
	from   int64
}

// late is how long after its due a tick began.
func (g *grid) late(at int64) int64 {
	if g.from == 0 {
		g.from = at
	}
	late := (at - g.from) % g.period
	if late > g.period/2 { // earlier than the earliest so far
		g.from = at
		return 0
	}
	return late
}

// take follows one message of chartd. Frames of its view, which are nearly all,
// are read by their first fields, so that the clients leave the machine to the
// server; everything else, and everything that a sampled session
// is sent, is decoded as any client would.
func (p *position) take(payload []byte, now int64, t *tally) error {
	if p.mirror == nil {
		if e, rest, ok := p.own(payload, `{"t":"patch","v":"`); ok {
			base, rev, ok := revisions(rest)
			if !ok || e != p.epoch {
				return fmt.Errorf("at %s a patch that makes no sense: %.80s", p.epoch, payload)
			}
			p.patch(base, rev, payload, now, t)
			return nil
		}
		if e, rest, ok := p.own(payload, `{"t":"full","v":"`); ok {
			digits, _, _ := bytes.Cut(bytes.TrimPrefix(rest, []byte(`,"r":`)), []byte(`,`))
			rev, err := strconv.ParseUint(string(digits), 10, 64)
			if err != nil {
				return fmt.Errorf("a full that is none: %.80s", payload)
			}
			p.full(e, rev, t)
			return nil
		}
	}
	ms, err := wire.ParseServer(payload)
	if err != nil {
		return err
	}
	patches := int64(0)
	for _, m := range ms {
		switch m := m.(type) {
		case wire.Welcome:
			p.token = m.Session
		case wire.OK:
			switch m.ID {
			case "1":
				p.ok = true
			case "2":
				p.extra = m.V
				continue
			default:
				continue
			}
			if m.V != "" && p.view != m.V {
				p.view = m.V
				if p.mirror != nil {
					p.mirror = wire.NewMirror(p.view)
				}
			}
		case wire.Failure:
			return m.Err
		case wire.Full:
			if m.V != p.view {
				continue
			}
			p.full(m.Pos.E, m.Pos.R, t)
		case wire.Patch:
			if m.V != p.view {
				continue
			}
			patches++
			p.patch(m.Base, m.Pos.R, payload, now, t)
		}
		if p.mirror != nil {
			t.Decoded++
			if resync, err := p.mirror.Take(m); err != nil || resync {
				t.fail("decoded: %v", err)
			}
		}
	}
	t.Behind += max(0, patches-1)
	return nil
}

// own returns the epoch of a frame that begins as said and what is behind it, if
// it is a frame of this view.
func (p *position) own(payload []byte, open string) (epoch string, rest []byte, ok bool) {
	for _, next := range []string{open, p.view, `","e":"`} {
		if payload, ok = bytes.CutPrefix(payload, []byte(next)); !ok {
			return "", nil, false
		}
	}
	e, rest, ok := bytes.Cut(payload, []byte(`"`))
	if string(e) == p.epoch {
		return p.epoch, rest, ok // the same, and nothing allocated
	}
	return string(e), rest, ok
}

// full follows one whole frame.
func (p *position) full(e string, rev uint64, t *tally) {
	t.Frames++
	t.Fulls++
	if p.rev > 0 && e == p.epoch && rev > p.rev {
		t.Missed += int64(rev - p.rev - 1)
	}
	p.epoch, p.rev = e, rev
}

// patch follows one patch.
func (p *position) patch(base, rev uint64, payload []byte, now int64, t *tally) {
	t.Frames++
	if base != p.rev || rev != base+1 {
		t.fail("a patch from %d to %d at revision %d", base, rev, p.rev)
	}
	p.rev = rev
	if at := tickTime(payload); at > 0 {
		t.Delay.add(now - at)
		if p.grid != nil {
			t.Due.add(now - at + p.grid.late(at))
		}
	}
}

// revisions reads base and revision of a patch.
func revisions(payload []byte) (base, rev uint64, ok bool) {
	_, rest, found := bytes.Cut(payload, []byte(`,"b":`))
	b, rest, comma := bytes.Cut(rest, []byte(`,"r":`))
	r, _, end := bytes.Cut(rest, []byte(`,`))
	if !found || !comma || !end {
		return 0, 0, false
	}
	base, err := strconv.ParseUint(string(b), 10, 64)
	if err != nil {
		return 0, 0, false
	}
	rev, err = strconv.ParseUint(string(r), 10, 64)
	return base, rev, err == nil
}

// takeRival follows one message of centrifuge: lines of JSON, publications
// among them, which count up.
func (p *position) takeRival(payload []byte, t *tally) (ping bool, err error) {
	for line := range bytes.Lines(payload) {
		line = bytes.TrimSpace(line)
		if len(line) == 2 {
			ping = true
			continue
		}
		var m struct {
			Push struct {
				Pub struct {
					Data struct {
						N uint64 `json:"n"`
					} `json:"data"`
				} `json:"pub"`
			} `json:"push"`
			Error *struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		if err := json.Unmarshal(line, &m); err != nil {
			return false, err
		}
		if m.Error != nil {
			return false, errors.New(m.Error.Message)
		}
		n := m.Push.Pub.Data.N
		if n == 0 {
			continue
		}
		t.Frames++
		t.Decoded++
		if p.rev > 0 && n != p.rev+1 {
			t.fail("publication %d after %d", n, p.rev)
		}
		p.rev = n
	}
	return ping, nil
}
