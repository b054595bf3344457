package main

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

func TestTextFrame(t *testing.T) {
	for _, size := range []int{40, 127, 130, 300, 4096, 20_480, 65_539, 70_000} {
		b := textFrame(size, `{"pad":"`, `"}`)
		op, payload, n, err := cutFrame(append(slices.Clone(b), 0x81))
		if len(b) != size || op != opText || n != size || err != nil || !json.Valid(payload) {
			t.Errorf("a frame of %d bytes has %d, and is read as opcode %d, %d bytes, %v", size, len(b), op, n, err)
		}
	}
}

func TestCutFrame(t *testing.T) {
	for name, tt := range map[string]struct {
		in   []byte
		op   byte
		n    int
		fail bool
	}{
		"nothing":      {nil, 0, 0, false},
		"half a head":  {[]byte{0x81, 126, 1}, 0, 0, false},
		"half":         {[]byte{0x81, 3, 'a'}, 0, 0, false},
		"text":         {[]byte{0x81, 2, 'a', 'b'}, opText, 4, false},
		"ping":         {[]byte{0x89, 0}, opPing, 2, false},
		"fragment":     {[]byte{0x01, 2, 'a', 'b'}, 0, 0, true},
		"continuation": {[]byte{0x80, 2, 'a', 'b'}, 0, 0, true},
		"compressed":   {[]byte{0xc1, 2, 'a', 'b'}, 0, 0, true},
		"masked":       {[]byte{0x81, 0x82, 0, 0, 0, 0, 'a', 'b'}, 0, 0, true},
		"endless":      {[]byte{0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0, 0, true},
	} {
		op, _, n, err := cutFrame(tt.in)
		if op != tt.op || n != tt.n || (err != nil) != tt.fail {
			t.Errorf("%s: opcode %d, %d bytes, error %v", name, op, n, err)
		}
	}
}

func FuzzCutFrame(f *testing.F) {
	f.Add([]byte{0x81, 2, 'a', 'b', 0x89, 0})
	f.Add(textFrame(300, "{", "}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, payload, n, err := cutFrame(b)
		if n < 0 || n > len(b) || len(payload) > n || (err != nil && n != 0) {
			t.Fatalf("%d of %d bytes, payload %d, error %v", n, len(b), len(payload), err)
		}
	})
}

// TestRenderer holds that every patch has the length that was asked for.
func TestRenderer(t *testing.T) {
	sc := newScene(false)
	r := sc.renderer(nil)
	view := plotting.View{Chart: fanChart}
	first, err := r.Render(view, 0)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := r.Render(view, 0); again != first {
		t.Error("a picture that nobody fired has changed")
	}
	stream := wire.NewStream(view.ID())
	stream.Next(first)
	p := position{view: view.ID(), epoch: epoch, rev: 1}
	var seen tally
	for i := range 1200 { // past the revisions with two and three digits
		size := []int{300, 4096, 20_480}[i%3]
		sc.size.Store(int64(size))
		sc.armed.Store(true)
		f, err := r.Render(view, 0)
		if err != nil {
			t.Fatal(err)
		}
		patch := stream.Next(f).Patch()
		if patch == nil {
			t.Fatalf("frame %d of %d bytes is no patch", i, size)
		}
		if got := patch.Len() + headerOf(size); got != size {
			t.Fatalf("patch %d has %d bytes; want %d", i, got, size)
		}
		if tickTime(patch.JSON()) != sc.start.Load() {
			t.Fatalf("the tick's time is read as %d", tickTime(patch.JSON()))
		}
		if err := p.take(patch.JSON(), mono(), &seen); err != nil {
			t.Fatal(err)
		}
	}
	if seen.Frames != 1200 || seen.Broken != 0 || seen.Delay.N != 1200 {
		t.Errorf("seen %+v", seen)
	}
}

// TestTake follows messages that do not follow on each other.
func TestTake(t *testing.T) {
	patch := func(base, rev uint64) []byte {
		return wire.Patch{V: "a~1", Pos: wire.Pos{E: "e", R: rev}, Base: base, Ops: []plotting.Op{{Code: plotting.OpDelete, Key: "k"}}}.AppendJSON(nil)
	}
	full := func(e string, rev uint64) []byte {
		return wire.Full{V: "a~1", Pos: wire.Pos{E: e, R: rev}, SVG: "<svg></svg>"}.AppendJSON(nil)
	}
	both := slices.Concat([]byte("["), patch(5, 6), []byte(","), patch(6, 7), []byte("]"))
	other := bytes.ReplaceAll(patch(5, 6), []byte("a~1"), []byte("a~12"))
	for name, tt := range map[string]struct {
		in   [][]byte
		want tally
		fail bool
	}{
		"patches":          {[][]byte{patch(5, 6), patch(6, 7)}, tally{Frames: 2}, false},
		"a gap":            {[][]byte{patch(6, 7)}, tally{Frames: 1, Broken: 1}, false},
		"twice":            {[][]byte{patch(5, 6), patch(5, 6)}, tally{Frames: 2, Broken: 1}, false},
		"together":         {[][]byte{both}, tally{Frames: 2, Behind: 1}, false},
		"the next full":    {[][]byte{full("e", 6)}, tally{Frames: 1, Fulls: 1}, false},
		"a full far ahead": {[][]byte{full("e", 9)}, tally{Frames: 1, Fulls: 1, Missed: 3}, false},
		"another epoch":    {[][]byte{full("f", 9)}, tally{Frames: 1, Fulls: 1}, false},
		"another view":     {[][]byte{other}, tally{}, false},
		"no epoch for it":  {[][]byte{bytes.ReplaceAll(patch(5, 6), []byte(`"e":"e"`), []byte(`"e":"f"`))}, tally{}, true},
		"an error":         {[][]byte{wire.Failure{Err: &wire.Error{Code: wire.CodeBusy, Message: "no"}}.AppendJSON(nil)}, tally{}, true},
		"rubbish":          {[][]byte{[]byte(`{"t":`)}, tally{}, true},
	} {
		p := position{view: "a~1", epoch: "e", rev: 5}
		var got tally
		var err error
		for _, b := range tt.in {
			if err = p.take(b, 0, &got); err != nil {
				break
			}
		}
		if (err != nil) != tt.fail || got.Frames != tt.want.Frames || got.Broken != tt.want.Broken || got.Behind != tt.want.Behind ||
			got.Fulls != tt.want.Fulls || got.Missed != tt.want.Missed {
			t.Errorf("%s: %+v, error %v; want %+v", name, got, err, tt.want)
		}
	}
}

func TestHist(t *testing.T) {
	var h hist
	if !math.IsNaN(h.quantile(0.5)) {
		t.Error("the median of nothing is a number")
	}
	var all []float64
	for i := int64(1); i < 1<<40; i += i/7 + 1 {
		h.add(i)
		all = append(all, float64(i))
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 1} {
		want := all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
		if got := h.quantile(q); math.Abs(got-want) > want/100 {
			t.Errorf("quantile %v is %v; want %v", q, got, want)
		}
	}
}

func TestGrid(t *testing.T) {
	g := &grid{period: 100}
	for i, tt := range []struct{ at, late int64 }{{1030, 0}, {1130, 0}, {1237, 7}, {1325, 0}, {1430, 5}, {1525, 0}} {
		if late := g.late(tt.at); late != tt.late {
			t.Errorf("tick %d is %d late; want %d", i, late, tt.late)
		}
	}
}

func TestUpgraded(t *testing.T) {
	ok := "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + wsAccept + "\r\n\r\n"
	for name, tt := range map[string]struct {
		in   string
		n    int
		fail bool
	}{
		"yes":       {ok + "more", len(ok), false},
		"not yet":   {ok[:20], 0, false},
		"full":      {"HTTP/1.1 503 Service Unavailable\r\n\r\n", 0, true},
		"wrong key": {"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n", 0, true},
	} {
		n, err := upgraded([]byte(tt.in))
		if n != tt.n || (err != nil) != tt.fail {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

func TestFit(t *testing.T) {
	if fit(10, 20) != 10 || fit(30, 20) != 20 {
		t.Error("fit does not fit")
	}
}
