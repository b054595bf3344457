package wire

import (
	"fmt"
	"testing"

	"github.com/chartd/chartd/pkg/plotting"
)

// typical is what a tick of four scrolling lines changes.
func typical() []plotting.Op {
	ops := []plotting.Op{{Code: plotting.OpTransform, Key: "x", Text: []byte("translate(-1262 0)")}}
	for i := range 4 {
		ops = append(ops, plotting.Op{Code: plotting.OpAppend, Key: fmt.Sprintf("s%d.7", i), Text: []byte("12-3 ")})
	}
	return ops
}

func BenchmarkEncodePatch(b *testing.B) {
	ops := typical()
	head := appendPatchHead(nil, "cpu~1f", "k3f9")
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = appendPatchBody(append(buf[:0], head...), 42, 43, ops)
	}
	b.ReportMetric(float64(len(buf)), "bytes")
}

// BenchmarkTick is a Stream at work: diff, encode, update. The frames take
// turns, so that a tick appends one point to one of 64 chunks, or takes it
// away.
func BenchmarkTick(b *testing.B) {
	c := newTicking(24)
	c.tick("e")
	even := c.s.Last().Frame()
	odd := c.tick("e").Frame()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f := even
		if i%2 == 1 {
			f = odd
		}
		if c.s.Next(f) == nil {
			b.Fatal("nothing changed")
		}
	}
}

func BenchmarkEncodeFull(b *testing.B) {
	c := newTicking(24)
	u := c.tick("e")
	n := u.Full().Len()
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		appendFull(nil, u.v, u.pos, u.frame)
	}
}

func BenchmarkAppendString(b *testing.B) {
	text := string(newTicking(24).tick("e").Frame().AppendSVG(nil))
	buf := make([]byte, 0, 2*len(text))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		buf = AppendString(buf[:0], text)
	}
}

func BenchmarkJoin(b *testing.B) {
	m := Encode(Patch{V: "cpu~1f", Pos: Pos{E: "k3f9", R: 43}, Base: 42, Ops: typical()})
	e := Encode(Event{V: "cpu~1f", Name: BeforeCallback, Cause: CauseTick})
	b.ReportAllocs()
	for b.Loop() {
		Join(e, e, e, m, e)
	}
}

func BenchmarkParseClient(b *testing.B) {
	msg := []byte(`{"t":"sub","id":1,"chart":"cpu","view":{"window":"1m","hidden":["idle"],"size":[800,400]},"events":true,"pos":{"e":"k3f9","r":41}}`)
	lim := DefaultLimits()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseClient(msg, lim); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseServer(b *testing.B) {
	m := Encode(Patch{V: "cpu~1f", Pos: Pos{E: "k3f9", R: 43}, Base: 42, Ops: typical()})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseServer(m.JSON()); err != nil {
			b.Fatal(err)
		}
	}
}
