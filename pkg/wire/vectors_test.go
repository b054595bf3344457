package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/plotting"
)

var update = flag.Bool("update", false, "write testdata anew")

// vector is a file of testdata/frames: messages, one or an array in each step,
// and what a client shows after each.
type vector struct {
	About string       `json:"about"`
	View  string       `json:"v"`
	Steps []vectorStep `json:"steps"`
}

type vectorStep struct {
	About   string          `json:"about,omitempty"`
	Message json.RawMessage `json:"message"`
	// Resync says that the client must send a resync now.
	Resync bool `json:"resync,omitempty"`
	// E and R are the position of what is shown, SVG is what is shown.
	E   string `json:"e"`
	R   uint64 `json:"r"`
	SVG string `json:"svg"`
}

const view = "cpu~1f"

// script writes a vector: what is expected stands in the test, and is not
// computed by what is tested.
type script struct {
	v   vector
	pos Pos
	svg string
}

func newScript(about, svg string) *script {
	s := &script{v: vector{About: about, View: view}, pos: Pos{E: "k3f9", R: 41}}
	return s.full("a full", svg)
}

func (s *script) add(about string, m ServerMessage, resync bool) *script {
	s.v.Steps = append(s.v.Steps, vectorStep{
		About: about, Message: Encode(m).JSON(), Resync: resync, E: s.pos.E, R: s.pos.R, SVG: s.svg,
	})
	return s
}

func (s *script) full(about, svg string) *script {
	s.pos.R++
	s.svg = svg
	return s.add(about, Full{V: view, Pos: s.pos, SVG: svg}, false)
}

// patch adds a patch that fits, and what is shown after it.
func (s *script) patch(about, svg string, ops ...plotting.Op) *script {
	base := s.pos.R
	s.pos.R++
	s.svg = svg
	return s.add(about, Patch{V: view, Pos: s.pos, Base: base, Ops: ops}, false)
}

// refused adds a patch that does not fit, and the full that a resync brings.
func (s *script) refused(about string, p Patch) *script {
	if p.V == "" {
		p.V, p.Pos, p.Base = view, Pos{E: s.pos.E, R: s.pos.R + 1}, s.pos.R
	}
	s.add(about, p, true)
	s.add("it is passed over: the full is on its way", Patch{
		V: view, Pos: Pos{E: s.pos.E, R: s.pos.R + 1}, Base: s.pos.R,
		Ops: []plotting.Op{{Code: plotting.OpDelete, Key: "v0"}},
	}, false)
	return s.full("the full", s.svg)
}

func app(key, tail string, drop int) plotting.Op {
	return plotting.Op{Code: plotting.OpAppend, Key: key, Text: []byte(tail), Drop: drop}
}

func set(code byte, key, text string) plotting.Op {
	return plotting.Op{Code: code, Key: key, Text: []byte(text)}
}

func ins(before, parent, markup string) plotting.Op {
	return plotting.Op{Code: plotting.OpInsert, Key: before, Parent: parent, Text: []byte(markup)}
}

func del(key string) plotting.Op { return plotting.Op{Code: plotting.OpDelete, Key: key} }

// in puts markup into an <svg>.
func in(markup string) string {
	return "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8000 4000' class='chartd'>" + markup + "</svg>"
}

// scripts are the vectors that are written by hand, by file name.
func scripts() map[string]*script {
	const (
		p0 = "<path data-k='s0.0' d='M0 0h9'/>"
		p1 = "<path data-k='s0.1' d='M9 9v9'/>"
		v0 = "<text data-k='v0' class='ft' x='10' y='20'>41 %</text>"
	)
	g := func(kids string) string { return "<g data-k='s0' class='l c0' data-name='user'>" + kids + "</g>" }
	t, x, s := plotting.OpTransform, plotting.OpText, plotting.OpReplace
	return map[string]*script{
		"append": newScript("append to d, and drop from its end", in(g(p0)+v0)).
			patch("append", in(g("<path data-k='s0.0' d='M0 0h9l12-3'/>")+v0), app("s0.0", "l12-3", 0)).
			patch("twice in a patch", in(g("<path data-k='s0.0' d='M0 0h9l12-3 4 4h1'/>")+v0), app("s0.0", " 4 4", 0), app("s0.0", "h1", 0)).
			patch("drop and append", in(g("<path data-k='s0.0' d='M0 0h9l12-3 5-5h7'/>")+v0), app("s0.0", "5-5h7", 5)).
			patch("drop alone", in(g("<path data-k='s0.0' d='M0 0h9l12-3'/>")+v0), app("s0.0", "", 6)).
			patch("drop everything", in(g("<path data-k='s0.0' d='M1 1'/>")+v0), app("s0.0", "M1 1", 11)).
			patch("nothing at all", in(g("<path data-k='s0.0' d='M1 1'/>")+v0), app("s0.0", "", 0)),
		"transform": newScript("set a transform", in("<g data-k='x' class='x' transform='translate(0 0)'>"+g(p0)+"</g>"+v0)).
			patch("move", in("<g data-k='x' class='x' transform='translate(-1262 0)'>"+g(p0)+"</g>"+v0), set(t, "x", "translate(-1262 0)")).
			patch("move twice", in("<g data-k='x' class='x' transform='translate(-1264 0) scale(1 2)'>"+g(p0)+"</g>"+v0),
				set(t, "x", "translate(-1263 0)"), set(t, "x", "translate(-1264 0) scale(1 2)")),
		"text": newScript("set a text, which is no markup", in("<title data-k='title'>CPU</title><desc data-k='desc'></desc>"+v0)).
			patch("plain", in("<title data-k='title'>CPU</title><desc data-k='desc'></desc><text data-k='v0' class='ft' x='10' y='20'>42 %</text>"), set(x, "v0", "42 %")).
			patch("what looks like markup", in("<title data-k='title'>CPU</title><desc data-k='desc'></desc><text data-k='v0' class='ft' x='10' y='20'>&lt;b&gt;5 &lt; 6&lt;/b&gt; &amp;amp; &#39;&#34;</text>"),
				set(x, "v0", `<b>5 < 6</b> &amp; '"`)).
			patch("other letters, line and paragraph separators", in("<title data-k='title'>Zürich 東京 🌡 \u2028\u2029</title><desc data-k='desc'></desc><text data-k='v0' class='ft' x='10' y='20'>a\\b\tc</text>"),
				set(x, "title", "Zürich 東京 🌡 \u2028\u2029"), set(x, "v0", "a\\b\tc")).
			patch("from empty to text, and from text to empty", in("<title data-k='title'></title><desc data-k='desc'>user 5 %</desc><text data-k='v0' class='ft' x='10' y='20'>a\\b\tc</text>"),
				set(x, "title", ""), set(x, "desc", "user 5 %")),
		"replace": newScript("replace an element by another with its key", in(g(p0+p1)+v0)).
			patch("a path", in(g("<path data-k='s0.0' class='thick' d='M5 5'/>"+p1)+v0), set(s, "s0.0", "<path data-k='s0.0' class='thick' d='M5 5'/>")).
			patch("and then append to it", in(g("<path data-k='s0.0' d='M6 6h6'/>"+p1)+v0), set(s, "s0.0", "<path data-k='s0.0' d='M6 6'/>"), app("s0.0", "h6", 0)).
			patch("a group, with other children, which have keys", in("<g data-k='s0' class='a c1'><path data-k='s0.7' d='M7 7h1'/></g>"+v0),
				set(s, "s0", "<g data-k='s0' class='a c1'><path data-k='s0.7' d='M7 7'/></g>"), app("s0.7", "h1", 0)).
			patch("the keys that went are free again", in("<g data-k='s0' class='a c1'><path data-k='s0.0' d='M0 0'/><path data-k='s0.7' d='M7 7h1'/></g>"+v0),
				ins("s0.7", "s0", "<path data-k='s0.0' d='M0 0'/>")).
			patch("a text, escaped as markup is", in("<g data-k='s0' class='a c1'><path data-k='s0.0' d='M0 0'/><path data-k='s0.7' d='M7 7h1'/></g><text data-k='v0' class='fm'>5 &lt; 6 &amp; 7</text>"),
				set(s, "v0", "<text data-k='v0' class='fm'>5 &lt; 6 &amp; 7</text>")).
			patch("by an element of another name, without keys inside", in("<g data-k='s0' class='a c1'><path data-k='s0.0' d='M0 0'/><path data-k='s0.7' d='M7 7h1'/></g><g data-k='v0'><rect width='9' height='9'/><text>ü</text></g>"),
				set(s, "v0", "<g data-k='v0'><rect width='9' height='9'/><text>ü</text></g>")),
		"insert": newScript("insert before a sibling, or last", in(g(p0)+v0)).
			patch("last in a group", in(g(p0+p1)+v0), ins("", "s0", p1)).
			patch("before a sibling", in(g(p0+"<path data-k='s0.9' d='M3 3'/>"+p1)+v0), ins("s0.1", "s0", "<path data-k='s0.9' d='M3 3'/>")).
			patch("first", in(g("<path data-k='s0.8' d=''/>"+p0+"<path data-k='s0.9' d='M3 3'/>"+p1)+v0), ins("s0.0", "s0", "<path data-k='s0.8' d=''/>")).
			patch("last in the root", in(g("<path data-k='s0.8' d=''/>"+p0+"<path data-k='s0.9' d='M3 3'/>"+p1)+v0+"<g data-k='e'></g>"), ins("", "", "<g data-k='e'></g>")).
			patch("before a sibling in the root", in("<desc data-k='desc'>x</desc>"+g("<path data-k='s0.8' d=''/>"+p0+"<path data-k='s0.9' d='M3 3'/>"+p1)+v0+"<g data-k='e'></g>"),
				ins("s0", "", "<desc data-k='desc'>x</desc>")).
			patch("groups in groups, and into what was inserted just now",
				in("<desc data-k='desc'>x</desc>"+g("<path data-k='s0.8' d=''/>"+p0+"<path data-k='s0.9' d='M3 3'/>"+p1)+v0+"<g data-k='e'><g data-k='e1'><g data-k='e2'><path data-k='e3' d='M0 0h2'/></g></g></g>"),
				ins("", "e", "<g data-k='e1'><g data-k='e2'></g></g>"), ins("", "e2", "<path data-k='e3' d='M0 0'/>"), app("e3", "h2", 0)),
		"delete": newScript("delete an element and what is in it", in(g(p0+p1)+"<g data-k='a'><g data-k='b'><path data-k='c' d='M1 1'/></g></g>"+v0)).
			patch("a path", in(g(p1)+"<g data-k='a'><g data-k='b'><path data-k='c' d='M1 1'/></g></g>"+v0), del("s0.0")).
			patch("the last of a group: the group stays", in(g("")+"<g data-k='a'><g data-k='b'><path data-k='c' d='M1 1'/></g></g>"+v0), del("s0.1")).
			patch("a group, and its keys", in(g("")+v0), del("a")).
			patch("what was deleted comes back elsewhere", in(g("")+v0+"<path data-k='c' d='M2 2'/>"), ins("", "", "<path data-k='c' d='M2 2'/>")).
			patch("deleted and inserted in one patch: moved", in("<path data-k='c' d='M2 2h2'/>"+g("")+v0), del("c"), ins("s0", "", "<path data-k='c' d='M2 2'/>"), app("c", "h2", 0)),
		"epoch": newScript("fulls, positions, and messages of others", in(v0)).
			add("a patch of another view", Patch{V: "mem~9", Pos: Pos{E: "k3f9", R: 43}, Base: 42, Ops: []plotting.Op{del("v0")}}, false).
			add("an event", Event{V: view, Name: BeforeCallback, Cause: CauseTick}, false).
			patch("a patch", in("<text data-k='v0' class='ft' x='10' y='20'>42 %</text>"), set(x, "v0", "42 %")).
			full("a full in the midst of an epoch", in(g(p0))).
			epoch("zz01", "a new epoch begins with a full", in(v0)).
			patch("and goes on with patches", in("<text data-k='v0' class='ft' x='10' y='20'>43 %</text>"), set(x, "v0", "43 %")),
		"refused": newScript("patches that do not fit: nothing changes, and the client asks once", in(g(p0+p1)+v0)).
			refused("another epoch", Patch{V: view, Pos: Pos{E: "q7wd", R: 43}, Base: 42, Ops: []plotting.Op{del("v0")}}).
			refused("a base that is still to come", Patch{V: view, Pos: Pos{E: "k3f9", R: 46}, Base: 45, Ops: []plotting.Op{del("v0")}}).
			refused("a base that has gone", Patch{V: view, Pos: Pos{E: "k3f9", R: 44}, Base: 41, Ops: []plotting.Op{del("v0")}}).
			refused("a key that is not there", Patch{Ops: []plotting.Op{app("s0.5", "h1", 0)}}).
			refused("an operation that does not exist", Patch{Ops: []plotting.Op{set('z', "s0.0", "h1")}}).
			refused("the first operation fits, the second does not", Patch{Ops: []plotting.Op{app("s0.0", "h1", 0), del("v0"), del("s0.5")}}).
			refused("more is dropped than is there", Patch{Ops: []plotting.Op{app("s0.0", "h1", 99)}}).
			refused("a key that is there already", Patch{Ops: []plotting.Op{ins("", "s0", "<path data-k='v0' d=''/>")}}).
			refused("a replacement with another key", Patch{Ops: []plotting.Op{set(s, "v0", "<text data-k='v1'>5</text>")}}).
			refused("before an element of another parent", Patch{Ops: []plotting.Op{ins("v0", "s0", "<path data-k='s0.2' d=''/>")}}).
			refused("into a parent that is not there", Patch{Ops: []plotting.Op{ins("", "s9", "<path data-k='s0.2' d=''/>")}}).
			refused("two elements where one belongs", Patch{Ops: []plotting.Op{ins("", "s0", "<path data-k='s0.2' d=''/><path data-k='s0.3' d=''/>")}}).
			refused("no markup at all", Patch{Ops: []plotting.Op{ins("", "s0", "5 < 6")}}).
			refused("append to a text", Patch{Ops: []plotting.Op{app("v0", "h1", 0)}}).
			refused("a text in place of a group's children", Patch{Ops: []plotting.Op{set(x, "s0", "5")}}),
	}
}

func (s *script) epoch(e, about, svg string) *script {
	s.pos.E = e
	return s.full(about, svg)
}

// indent writes a vector as it stands in its file.
func indent(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	path = filepath.Join("testdata", path)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%s is missing: run go test ./pkg/wire -update", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date; run go test ./pkg/wire -update and look at what changed", path)
	}
}

func TestFrameVectorsAreWhatIsWrittenHere(t *testing.T) {
	for name, s := range scripts() {
		t.Run(name, func(t *testing.T) { golden(t, "frames/"+name+".json", indent(t, s.v)) })
	}
}

// Every vector, by hand or recorded from charts, is followed as a client
// would.
func TestAMirrorFollowsEveryVector(t *testing.T) {
	files, err := filepath.Glob("testdata/frames/*.json")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	seen := map[byte]int{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			m := NewMirror(v.View)
			for i, step := range v.Steps {
				ms, err := ParseServer(step.Message)
				if step.Resync && err != nil { // an operation that does not exist
					ms = []ServerMessage{unreadable(t, step.Message)}
				} else if err != nil || len(ms) == 0 {
					t.Fatalf("step %d, %s: %d messages, %v", i, step.About, len(ms), err)
				}
				for _, msg := range ms {
					if p, ok := msg.(Patch); ok && !step.Resync {
						for _, op := range p.Ops {
							seen[op.Code]++
						}
					}
					resync, err := m.Take(msg)
					if resync != step.Resync || err != nil && !resync {
						t.Fatalf("step %d, %s: resync %v, %v", i, step.About, resync, err)
					}
				}
				if m.Pos() != (Pos{E: step.E, R: step.R}) || string(m.SVG()) != step.SVG {
					t.Fatalf("step %d, %s:\nat %v, showing %s\nwant %s/%d, %s", i, step.About, m.Pos(), m.SVG(), step.E, step.R, step.SVG)
				}
			}
		})
	}
	for _, op := range []byte("atsidx") {
		if seen[op] < 3 {
			t.Errorf("%d operations %q in all vectors", seen[op], op)
		}
	}
}

// unreadable makes of a patch that ParseServer refuses one that says the same
// and can be taken.
func unreadable(t *testing.T, raw json.RawMessage) ServerMessage {
	t.Helper()
	var f struct {
		V    string
		E    string
		B, R uint64
		O    [][]string
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	p := Patch{V: f.V, Pos: Pos{E: f.E, R: f.R}, Base: f.B}
	for _, o := range f.O {
		p.Ops = append(p.Ops, plotting.Op{Code: o[0][0], Key: o[1]})
	}
	return p
}

// clientVector is a row of testdata/client.json: a text, and how a server
// reads it.
type clientVector struct {
	In string `json:"in"`
	// Out are the messages as chartd's own clients would write them, or the
	// errors that answer them. It is missing if the text as a whole is refused.
	Out   []json.RawMessage `json:"out,omitempty"`
	Error json.RawMessage   `json:"error,omitempty"`
}

func TestClientVectors(t *testing.T) {
	var vs []clientVector
	for _, text := range clientTexts() {
		v := clientVector{In: text}
		ms, err := ParseClient([]byte(text), DefaultLimits())
		if e, ok := errors.AsType[*Error](err); ok {
			v.Error = Encode(Failure{Err: e}).JSON()
		}
		for _, m := range ms {
			if bad, ok := m.(Invalid); ok {
				v.Out = append(v.Out, Encode(Failure{ID: bad.ID, Err: bad.Err}).JSON())
				continue
			}
			v.Out = append(v.Out, Encode(m).JSON())
		}
		vs = append(vs, v)
	}
	golden(t, "client.json", indent(t, vs))
}

// clientTexts are what clients say in this package's tests and in the
// document, right and wrong.
func clientTexts() []string {
	var texts []string
	for _, c := range goodClient() {
		texts = append(texts, c.in)
	}
	for _, c := range badClient() {
		texts = append(texts, c.in)
	}
	return append(texts,
		``, `hello`, `{"t":"ping"`, `{"t":"ping"}{"t":"ping"}`, `[]`,
		`[{"t":"ping","id":1},{"t":"nothing","id":2},{"t":"ping","id":3}]`,
		`{"t":"callback","v":"a","arg":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`}`,
	)
}

// serverVector is a row of testdata/server.json.
type serverVector struct {
	About   string          `json:"about"`
	Message json.RawMessage `json:"message"`
}

func TestServerVectors(t *testing.T) {
	var vs []serverVector
	for _, c := range serverCases() {
		vs = append(vs, serverVector{c.about, Encode(c.m).JSON()})
	}
	vs = append(vs, serverVector{"several at once", Join(Encode(OK{ID: "1"}), Encode(OK{ID: "2"})).JSON()},
		serverVector{"a message of a later version, which is passed over", json.RawMessage(`{"t":"news","v":"cpu~1f","text":"hello"}`)},
		serverVector{"a field of a later version, which is passed over", json.RawMessage(`{"t":"ok","id":1,"colour":"red"}`)})
	golden(t, "server.json", indent(t, vs))
	if !slices.ContainsFunc(vs, func(v serverVector) bool { return bytes.Contains(v.Message, []byte(`"patch"`)) }) {
		t.Error("no patch among them")
	}
}
