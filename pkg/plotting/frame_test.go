package plotting_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
)

// drawNode draws a random node whose key stays under its parent for ever, as
// Node.Key promises.
func drawNode(t *rapid.T, key string, depth int) *plotting.Node {
	types := []plotting.NodeType{plotting.Path, plotting.Text, plotting.Raw, plotting.Group}
	if depth == 0 {
		types = types[:3]
	}
	n := &plotting.Node{Key: key, Type: rapid.SampledFrom(types).Draw(t, "type")}
	attr := ""
	if rapid.Bool().Draw(t, "attr") {
		attr = " class='" + rapid.SampledFrom([]string{"a", "b"}).Draw(t, "class") + "'"
	}
	switch n.Type {
	case plotting.Path:
		n.Open = "<path data-k='" + key + "'" + attr
		n.Live = []byte(rapid.StringMatching(`M[0-9]{1,3}( [0-9]{1,3}){0,9}`).Draw(t, "d"))
		n.Tail = rapid.SampledFrom([]string{"", "V10"}).Draw(t, "tail")
	case plotting.Text:
		n.Open = "<text data-k='" + key + "'" + attr
		n.Live = []byte(strings.Map(func(r rune) rune {
			if r < ' ' || r == 0xFFFD || r == 0xFFFE || r == 0xFFFF {
				return 'x'
			}
			return r
		}, rapid.StringN(0, 12, -1).Draw(t, "text")))
	case plotting.Raw:
		n.Open = "<g data-k='" + key + "'" + attr
		n.Live = []byte(rapid.SampledFrom([]string{
			"<path d='M1 2'/>", "<g><g class='x'><text>&lt;</text></g></g>", "<text>a</text><text>b</text>",
		}).Draw(t, "raw"))
	case plotting.Group:
		n.Open = "<g data-k='" + key + "'" + attr
		if rapid.Bool().Draw(t, "moves") {
			n.Live = []byte(fmt.Sprintf("translate(%d 0)", rapid.IntRange(-9, 9).Draw(t, "x")))
		}
		n.Kids = drawKids(t, key+".", depth-1)
	}
	return n
}

func drawKids(t *rapid.T, prefix string, depth int) []*plotting.Node {
	keys := rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 0, 6, rapid.ID).Draw(t, "keys")
	kids := make([]*plotting.Node, len(keys))
	for i, k := range keys {
		kids[i] = drawNode(t, prefix+strconv.Itoa(k), depth)
	}
	return kids
}

func drawFrame(t *rapid.T) *plotting.Frame {
	return &plotting.Frame{Epoch: "e", Root: &plotting.Node{
		Type: plotting.Group, Open: "<svg viewBox='0 0 1 1'", Kids: drawKids(t, "k", 2),
	}}
}

func svg(f *plotting.Frame) string { return string(f.AppendSVG(nil)) }

func TestApplyDiffIsFull(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawFrame(t), drawFrame(t)
		ops, ok := plotting.Diff(a, b, nil)
		if !ok {
			t.Fatal("no way from one frame of an epoch to the next")
		}
		got, err := plotting.Apply(a, ops)
		if err != nil {
			t.Fatalf("%v\nfrom %s\nto   %s\nops  %v", err, svg(a), svg(b), ops)
		}
		if svg(got) != svg(b) {
			t.Fatalf("from %s\ngot  %s\nwant %s\nops  %v", svg(a), svg(got), svg(b), ops)
		}
		// A client starts from the text, not from our nodes.
		parsed, err := plotting.Parse([]byte(svg(a)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err = plotting.Apply(parsed, ops); err != nil || svg(got) != svg(b) {
			t.Fatalf("from the parsed frame: %v", err)
		}
		if ops, _ := plotting.Diff(b, b, nil); len(ops) > 0 {
			t.Fatalf("a frame differs from itself by %v", ops)
		}
	})
}

func TestDiffOps(t *testing.T) {
	path := func(d, tail string) *plotting.Node {
		return &plotting.Node{Key: "p", Type: plotting.Path, Open: "<path data-k='p'", Live: []byte(d), Tail: tail}
	}
	frame := func(kids ...*plotting.Node) *plotting.Frame {
		return &plotting.Frame{Root: &plotting.Node{Type: plotting.Group, Open: "<svg", Kids: kids}}
	}
	text := func(key, s string) *plotting.Node {
		return &plotting.Node{Key: key, Type: plotting.Text, Open: "<text data-k='" + key + "'", Live: []byte(s)}
	}
	for _, tc := range []struct {
		name string
		a, b *plotting.Frame
		want string
	}{
		{"append", frame(path("M1 2", "")), frame(path("M1 2 3 4", "")), "a p \" 3 4\" drop 0"},
		{"append before a tail", frame(path("M1 2", "V9")), frame(path("M1 2 3 4", "V9")), "a p \" 3 4V9\" drop 2"},
		{"last point moved", frame(path("M1 2 3 4", "")), frame(path("M1 2 3 55", "")), "a p \"55\" drop 1"},
		{"text", frame(text("x", "a")), frame(text("x", "<b>")), "x x \"<b>\" drop 0"},
		{
			"first leaves, last enters", frame(text("a", ""), text("b", "")), frame(text("b", ""), text("c", "")),
			"d a \"\" drop 0; i  \"<text data-k='c'></text>\" drop 0",
		},
		{
			"enters in the middle", frame(text("a", ""), text("c", "")), frame(text("a", ""), text("b", ""), text("c", "")),
			"i c \"<text data-k='b'></text>\" drop 0",
		},
		{"nothing", frame(text("a", "")), frame(text("a", "")), ""},
	} {
		ops, ok := plotting.Diff(tc.a, tc.b, nil)
		var got []string
		for _, op := range ops {
			got = append(got, fmt.Sprintf("%c %s %q drop %d", op.Code, op.Key, op.Text, op.Drop))
		}
		if s := strings.Join(got, "; "); !ok || s != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, s, tc.want)
		}
	}
	if _, ok := plotting.Diff(frame(), &plotting.Frame{Epoch: "other", Root: frame().Root}, nil); ok {
		t.Error("frames of two epochs were compared")
	}
}

func TestApplyRefuses(t *testing.T) {
	f, err := plotting.Parse([]byte("<svg><g data-k='g' transform='translate(1 0)'><path data-k='p' d='M1 2'/></g><text data-k='x'>a</text></svg>"))
	if err != nil {
		t.Fatal(err)
	}
	before := svg(f)
	for _, op := range []plotting.Op{
		{Code: '?', Key: "p"},
		{Code: plotting.OpAppend, Key: "none"},
		{Code: plotting.OpAppend, Key: "p", Drop: 9},
		{Code: plotting.OpAppend, Key: "p", Text: []byte("' onload='")},
		{Code: plotting.OpAppend, Key: "x"},
		{Code: plotting.OpTransform, Key: "p"},
		{Code: plotting.OpTransform, Key: "g", Text: []byte("'")},
		{Code: plotting.OpText, Key: "g"},
		{Code: plotting.OpDelete, Key: ""},
		{Code: plotting.OpReplace, Key: "x", Text: []byte("<text data-k='y'></text>")},
		{Code: plotting.OpReplace, Key: "x", Text: []byte("<text data-k='x'></text><text data-k='y'></text>")},
		{Code: plotting.OpInsert, Key: "x", Parent: "g", Text: []byte("<text data-k='y'></text>")},
		{Code: plotting.OpInsert, Parent: "g", Text: []byte("<text data-k='x'></text>")},
		{Code: plotting.OpInsert, Parent: "p", Text: []byte("<text data-k='y'></text>")},
		{Code: plotting.OpInsert, Parent: "g", Text: []byte("<text>no key</text>")},
	} {
		if got, err := plotting.Apply(f, []plotting.Op{op}); err == nil {
			t.Errorf("%c %q %q: taken as %s", op.Code, op.Key, op.Text, svg(got))
		}
		if svg(f) != before {
			t.Fatalf("%c %q: changed the frame that it was applied to", op.Code, op.Key)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("<svg><g data-k='g'><path data-k='p' d='M1 2'/></g><text data-k='x'>a&amp;</text><g data-k='r'><g><path d=''/></g></g></svg>"))
	f.Add([]byte("<svg viewBox='0 0 1 1'></svg>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := plotting.Parse(b)
		if err != nil {
			return
		}
		if got := frame.AppendSVG(nil); string(got) != string(b) {
			t.Fatalf("%q is written as %q", b, got)
		}
	})
}

func FuzzApply(f *testing.F) {
	base := []byte("<svg><g data-k='g' transform='translate(1 0)'><path data-k='p' d='M1 2'/></g><text data-k='x'>a</text></svg>")
	f.Add(byte('a'), "p", "", []byte(" 3 4"), 1)
	f.Add(byte('i'), "p", "g", []byte("<text data-k='y'>b</text>"), 0)
	f.Add(byte('s'), "x", "", []byte("<text data-k='x'>b</text>"), 0)
	f.Fuzz(func(t *testing.T, code byte, key, parent string, text []byte, drop int) {
		frame, err := plotting.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		next, err := plotting.Apply(frame, []plotting.Op{{Code: code, Key: key, Parent: parent, Text: text, Drop: drop}})
		if err != nil {
			return
		}
		again, err := plotting.Parse(next.AppendSVG(nil))
		if err != nil {
			t.Fatalf("what Apply made cannot be read: %v: %s", err, next.AppendSVG(nil))
		}
		ops, ok := plotting.Diff(frame, next, nil)
		if !ok {
			t.Fatal("no way back")
		}
		if back, err := plotting.Apply(frame, ops); err != nil || svg(back) != svg(again) {
			t.Fatalf("%v: %s, want %s", err, svg(back), svg(again))
		}
	})
}
