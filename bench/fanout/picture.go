package main

import (
	"bytes"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/ticker"
	"github.com/chartd/chartd/pkg/wire"
)

// restBytes is how long the part of the picture is that never changes: a whole
// frame is then about as long as that of a real chart, and a patch of 20 KiB is
// under half of it, or it would not be sent as one.
const restBytes = 28 << 10

// clockKey is the key of the node that changes, and clockDigits how its text
// begins: with the time of the tick, in ns of the monotonic clock.
const (
	clockKey    = "t"
	clockDigits = 19
)

// scene is what all pictures of a server are drawn by.
type scene struct {
	auto     bool
	size     atomic.Int64 // of a patch on the wire, in bytes
	armed    atomic.Bool
	start    atomic.Int64 // of the last round
	constant *plotting.Node
}

func newScene(auto bool) *scene {
	s := &scene{auto: auto, constant: &plotting.Node{
		Key: "rest", Type: plotting.Path, Open: "<path data-k='rest' class='l'", Live: bytes.Repeat([]byte("12-3 "), restBytes/5),
	}}
	s.size.Store(300)
	return s
}

// renderer implements ticker.Renderer: a picture of which one text changes, so
// that the patch has the length that is asked for. Everything behind it is
// chartd's own: the loop, the comparison, the encoding, the sending.
type renderer struct {
	scene *scene
	last  *plotting.Frame
	rev   uint64
}

func (s *scene) renderer(*plotting.Spec) ticker.Renderer { return &renderer{scene: s} }

// Render implements ticker.Renderer.
func (r *renderer) Render(v plotting.View, _ int64) (*plotting.Frame, error) {
	if r.last != nil && !r.scene.armed.Swap(false) && !r.scene.auto {
		return r.last, nil
	}
	now := mono()
	r.scene.start.Store(now)
	size := int(r.scene.size.Load())
	text := fmt.Appendf(make([]byte, 0, size), "%0*d ", clockDigits, now)
	bare := wire.Patch{V: v.ID(), Pos: wire.Pos{E: epoch, R: r.rev + 1}, Base: r.rev, Ops: []plotting.Op{{Code: plotting.OpText, Key: clockKey}}}
	for pad := size - headerOf(size) - len(bare.AppendJSON(nil)) - len(text); pad > 0; pad-- {
		text = append(text, 'x')
	}
	r.rev++
	r.last = &plotting.Frame{Epoch: epoch, Root: &plotting.Node{
		Type: plotting.Group, Open: "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8000 4000' class='chartd'",
		Kids: []*plotting.Node{r.scene.constant, {Key: clockKey, Type: plotting.Text, Open: "<text data-k='" + clockKey + "'", Live: text}},
	}}
	return r.last, nil
}

// epoch is the only one there is: the layout never changes.
const epoch = "fan0"

// tickTime reads the time of the tick out of a patch, 0 if there is none.
func tickTime(payload []byte) int64 {
	_, rest, ok := bytes.Cut(payload, []byte(`["x","`+clockKey+`","`))
	if !ok || len(rest) < clockDigits {
		return 0
	}
	ns, err := strconv.ParseInt(string(rest[:clockDigits]), 10, 64)
	if err != nil {
		return 0
	}
	return ns
}
