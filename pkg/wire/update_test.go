package wire

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
)

// viewer is a client that misses updates.
type viewer struct {
	*Mirror
	fulls, patches int
}

// catchUp sends the viewer what a session would, through the bytes of the
// wire.
func (v *viewer) catchUp(t *rapid.T, u *Update) {
	ms, ok := u.Since(v.Pos())
	if !ok {
		ms = []*Message{u.Full()}
		v.fulls++
	} else {
		v.patches += len(ms)
	}
	joined := Join(ms...)
	if joined == nil {
		return
	}
	got, err := ParseServer(joined.JSON())
	if err != nil {
		t.Fatalf("%v in %s", err, joined.JSON())
	}
	for _, m := range got {
		if resync, err := v.Take(m); resync || err != nil {
			t.Fatalf("resync %v: %v\n%s", resync, err, joined.JSON())
		}
	}
}

// However many updates a client misses, what it is sent leads it to the
// newest frame, byte for byte.
func TestEveryClientArrivesAtTheNewestFrame(t *testing.T) {
	var fulls, patches int
	rapid.Check(t, func(t *rapid.T) {
		d := newDrawing(t)
		s := NewStream("cpu~1f")
		viewers := make([]viewer, 4)
		for i := range viewers {
			viewers[i].Mirror = NewMirror("cpu~1f")
		}
		var history []*Update
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			before, same := d.frame, false
			if s.Last() != nil {
				same = d.step()
			}
			u := s.Next(d.frame)
			if same && u != nil {
				t.Fatalf("nothing changed, and it gave %s", newest(u))
			}
			if u == nil && !same && (before.Epoch != d.frame.Epoch || !bytes.Equal(svg(before), svg(d.frame))) {
				t.Fatalf("a change gave nothing:\n%s\n%s", svg(before), svg(d.frame))
			}
			if u != nil {
				history = append(history, u)
			}
			for i := range viewers {
				if i == 0 || rapid.Bool().Draw(t, "awake") {
					viewers[i].catchUp(t, s.Last())
					if want := svg(d.frame); !bytes.Equal(viewers[i].SVG(), want) {
						t.Fatalf("viewer %d shows\n%s\nwant\n%s", i, viewers[i].SVG(), want)
					}
				}
			}
		}
		checkHistory(t, history)
		fulls, patches = fulls+viewers[0].fulls, patches+viewers[0].patches
	})
	t.Logf("%d patches, %d fulls", patches, fulls)
	if patches < fulls {
		t.Errorf("%d patches and %d fulls: the test has lost its point", patches, fulls)
	}
}

// newest returns the patch that leads to an update, or its full.
func newest(u *Update) []byte {
	if p := u.Patch(); p != nil {
		return p.JSON()
	}
	return u.Full().JSON()
}

func svg(f *plotting.Frame) []byte { return f.AppendSVG(nil) }

// checkHistory looks at updates after all the later ones were made: they must
// still be what they were, and lead from each other to each other.
func checkHistory(t *rapid.T, history []*Update) {
	for i, u := range history {
		if got, want := u.Pos().R, uint64(i+1); got != want {
			t.Fatalf("update %d has revision %d", i, got)
		}
		full := NewMirror("cpu~1f")
		take(t, full, u.Full())
		if !bytes.Equal(full.SVG(), svg(u.Frame())) {
			t.Fatalf("the full of %d is not its frame", u.Pos().R)
		}
		for _, old := range history[max(0, i-Keep-1) : i+1] {
			ms, ok := u.Since(old.Pos())
			if !ok {
				continue
			}
			if got, want := uint64(len(ms)), u.Pos().R-old.Pos().R; got != want || got > Keep {
				t.Fatalf("%d patches lead from %d to %d", got, old.Pos().R, u.Pos().R)
			}
			m := NewMirror("cpu~1f")
			take(t, m, old.Full())
			for _, p := range ms {
				take(t, m, p)
			}
			if !bytes.Equal(m.SVG(), svg(u.Frame())) {
				t.Fatalf("patches from %d to %d lead to\n%s\nwant\n%s", old.Pos().R, u.Pos().R, m.SVG(), svg(u.Frame()))
			}
		}
		if p := u.Patch(); p != nil && p.Len() > u.Full().Len()/2+64 {
			t.Fatalf("a patch of %d bytes where a full has %d", p.Len(), u.Full().Len())
		}
	}
}

func take(t *rapid.T, m *Mirror, msg *Message) {
	ms, err := ParseServer(msg.JSON())
	if err != nil {
		t.Fatalf("%v in %s", err, msg.JSON())
	}
	for _, sm := range ms {
		if resync, err := m.Take(sm); resync || err != nil {
			t.Fatalf("resync %v: %v", resync, err)
		}
	}
}

// ticking is a stream of small patches: one path that grows.
type ticking struct {
	s    *Stream
	path *plotting.Node
	rest []*plotting.Node
}

func newTicking(nodes int) *ticking {
	c := &ticking{s: NewStream("cpu~1f")}
	for i := range nodes {
		key := "s0." + string(rune('a'+i))
		c.rest = append(c.rest, &plotting.Node{
			Key: key, Type: plotting.Path,
			Open: "<path data-k='" + key + "'", Live: bytes.Repeat([]byte("12-3 "), 64),
		})
	}
	c.path = &plotting.Node{Key: "live", Type: plotting.Path, Open: "<path data-k='live'", Live: []byte("M0 0l")}
	return c
}

func (c *ticking) tick(epoch string) *Update {
	p := *c.path
	p.Live = append(p.Live, "12-3 "...)
	c.path = &p
	root := &plotting.Node{Type: plotting.Group, Open: svgOpen, Kids: append(slices.Clone(c.rest), c.path)}
	return c.s.Next(&plotting.Frame{Epoch: epoch, Root: root})
}

func TestTheLastPatchesAreKept(t *testing.T) {
	c := newTicking(8)
	first := c.tick("e").Pos()
	if first != (Pos{E: "e", R: 1}) {
		t.Fatalf("the first position is %v", first)
	}
	var u *Update
	for i := 1; i <= Keep; i++ {
		u = c.tick("e")
		ms, ok := u.Since(first)
		if !ok || len(ms) != i {
			t.Fatalf("after %d ticks: %d patches, %v", i, len(ms), ok)
		}
	}
	if want := `{"t":"patch","v":"cpu~1f","e":"e","b":8,"r":9,"o":[["a","live","12-3 "]]}`; string(u.Patch().JSON()) != want {
		t.Errorf("patch %s, want %s", u.Patch().JSON(), want)
	}
	if ms, ok := u.Since(u.Pos()); !ok || len(ms) != 0 {
		t.Errorf("from itself: %d patches, %v", len(ms), ok)
	}
	for name, pos := range map[string]Pos{
		"a position of the future": {E: "e", R: u.Pos().R + 1},
		"another epoch":            {E: "f", R: u.Pos().R},
		"no position":              {},
	} {
		if _, ok := u.Since(pos); ok {
			t.Errorf("%s is answered with patches", name)
		}
	}
	u = c.tick("e")
	if _, ok := u.Since(first); ok {
		t.Errorf("%d patches are kept, want %d", Keep+1, Keep)
	}
	next := c.tick("f")
	if _, ok := next.Since(u.Pos()); ok || next.Patch() != nil {
		t.Error("a patch leads into another epoch")
	}
	if next.Pos() != (Pos{E: "f", R: u.Pos().R + 1}) {
		t.Errorf("the new epoch begins at %v", next.Pos())
	}
}

func TestManyPatchesGiveWayToOneFull(t *testing.T) {
	c := newTicking(1) // a full of some 530 bytes: five patches are more than half
	first := c.tick("e").Pos()
	for range 5 {
		c.tick("e")
	}
	if ms, ok := c.s.Last().Since(first); ok {
		t.Errorf("%d patches are sent where a full has %d bytes", len(ms), c.s.Last().Full().Len())
	}
}

// A picture that has become small is measured again in time: what is more than
// half of it does not go as a patch for ever.
func TestAShrunkenPictureIsMeasuredAgain(t *testing.T) {
	c := newTicking(20) // some 8 KB
	c.tick("e")
	c.rest = nil
	if u := c.tick("e"); u.Patch() == nil {
		t.Fatal("the deletions are no patch")
	}
	long := bytes.Repeat([]byte("1-1 "), 100) // more than half of what is left
	for range 100 {
		c.path = &plotting.Node{Key: "live", Type: plotting.Path, Open: c.path.Open, Live: bytes.Clone(long)}
		long[0] ^= 1
		if c.tick("e").Patch() == nil {
			return
		}
	}
	t.Errorf("after 100 ticks a patch has %d bytes, a full %d", c.s.Last().Patch().Len(), c.s.Last().Full().Len())
}

func TestAFullIsEncodedOnceAndShared(t *testing.T) {
	c := newTicking(4)
	u := c.tick("e")
	got := make(chan *Message)
	for range 8 {
		go func() { got <- u.Full() }()
	}
	for range 8 {
		if m := <-got; m != u.Full() {
			t.Error("a full is encoded twice")
		}
	}
	if u.Full().Len() > cap(u.Full().JSON()) || cap(u.Full().JSON()) > 2*u.Full().Len()+256 {
		t.Errorf("%d bytes lie in %d", u.Full().Len(), cap(u.Full().JSON()))
	}
}

func TestOneTickAllocatesLittle(t *testing.T) {
	c := newTicking(16)
	c.tick("e")
	frames := make([]*plotting.Frame, 200)
	for i := range frames {
		p := *c.path
		p.Live = append(bytes.Clone(p.Live), bytes.Repeat([]byte("1-1 "), i)...)
		root := &plotting.Node{Type: plotting.Group, Open: svgOpen, Kids: append(slices.Clone(c.rest), &p)}
		frames[i] = &plotting.Frame{Epoch: "e", Root: root}
	}
	i := 0
	allocs := testing.AllocsPerRun(100, func() {
		i++
		if c.s.Next(frames[i]) == nil {
			t.Fatal("nothing changed")
		}
	})
	if allocs > 3 { // the update, the message, its bytes
		t.Errorf("a tick makes %v allocations, want at most 3", allocs)
	}
}
