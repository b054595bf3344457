package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
)

type serverCase struct {
	about string
	m     ServerMessage
	want  string
}

// serverCases has every message with and without what may be left out.
func serverCases() []serverCase {
	minute := quantity.Duration(60e9)
	at := Pos{E: "k3f9", R: 42}
	return []serverCase{
		{"a new session", Welcome{Session: "Zk3v", Server: "chartd/0.1.0"}, `{"t":"welcome","session":"Zk3v","resumed":false,"server":"chartd/0.1.0"}`},
		{"a resumed session", Welcome{Session: "Zk3v", Resumed: true, Server: "chartd/0.1.0"}, `{"t":"welcome","session":"Zk3v","resumed":true,"server":"chartd/0.1.0"}`},
		{"an ok and no more", OK{}, `{"t":"ok"}`},
		{"the ok of a ping", OK{ID: "1.50e3"}, `{"t":"ok","id":1.50e3}`},
		{
			"the ok of a sub",
			OK{ID: "1", V: "cpu~1f", View: &plotting.Change{Window: &minute, Hidden: &[]string{"<idle>"}}},
			`{"t":"ok","id":1,"v":"cpu~1f","view":{"window":"1m","hidden":["<idle>"]}}`,
		},
		{"the ok of a sub to the default view", OK{ID: "1", V: "cpu~1f", View: &plotting.Change{}}, `{"t":"ok","id":1,"v":"cpu~1f","view":{}}`},
		{
			"the ok of a callback",
			OK{ID: "4", V: "cpu~2k", Handled: new(true), Reply: json.RawMessage(`{"sum":12.5}`)},
			`{"t":"ok","id":4,"v":"cpu~2k","handled":true,"reply":{"sum":12.5}}`,
		},
		{"a callback that nobody wanted", OK{ID: "4", V: "cpu~1f", Handled: new(false)}, `{"t":"ok","id":4,"v":"cpu~1f","handled":false}`},
		{"a reply of null", OK{ID: "4", Handled: new(true), Reply: json.RawMessage(`null`)}, `{"t":"ok","id":4,"handled":true,"reply":null}`},
		{
			"an error",
			Failure{ID: "4", Err: &Error{Code: CodeUnknownChart, Message: `no chart "cpuu"; did you mean "cpu"?`}},
			`{"t":"error","id":4,"code":"unknown_chart","message":"no chart \"cpuu\"; did you mean \"cpu\"?","temporary":false}`,
		},
		{
			"an error in a field",
			Failure{ID: "3", V: "cpu~1f", Err: &Error{Code: CodeBadView, Field: "view.window", Message: "1ms is not between 1s and 3660d"}},
			`{"t":"error","id":3,"v":"cpu~1f","code":"bad_view","field":"view.window","message":"view.window: 1ms is not between 1s and 3660d","temporary":false}`,
		},
		{
			"an error that nobody asked for",
			Failure{V: "cpu~1f", Err: &Error{Code: CodeRenderFailed, Message: "no series matches"}},
			`{"t":"error","v":"cpu~1f","code":"render_failed","message":"no series matches","temporary":true}`,
		},
		{
			"a full",
			Full{V: "cpu~1f", Pos: at, SVG: "<svg class='chartd'><text data-k='a'>\"\\ &amp; 5°\n</text></svg>"},
			`{"t":"full","v":"cpu~1f","e":"k3f9","r":42,"svg":"<svg class='chartd'><text data-k='a'>\"\\ &amp; 5°\n</text></svg>"}`,
		},
		{
			"a patch with every operation",
			Patch{V: "cpu~1f", Pos: Pos{E: "k3f9", R: 43}, Base: 42, Ops: []plotting.Op{
				{Code: plotting.OpAppend, Key: "s0.7", Text: []byte("12-3 ")},
				{Code: plotting.OpAppend, Key: "s0.8", Text: []byte("9 9"), Drop: 4},
				{Code: plotting.OpTransform, Key: "x", Text: []byte("translate(-1262 0)")},
				{Code: plotting.OpReplace, Key: "lg", Text: []byte("<g data-k='lg'></g>")},
				{Code: plotting.OpInsert, Key: "s0.9", Parent: "s0", Text: []byte("<path data-k='s0.8a' d='M0 0'/>")},
				{Code: plotting.OpInsert, Parent: "x", Text: []byte("<path data-k='z' d=''/>")},
				{Code: plotting.OpInsert, Text: []byte("<g data-k='y'></g>")},
				{Code: plotting.OpDelete, Key: "s0.0"},
				{Code: plotting.OpText, Key: "v0", Text: []byte("5 < 6 \"°\"")},
			}},
			`{"t":"patch","v":"cpu~1f","e":"k3f9","b":42,"r":43,"o":[["a","s0.7","12-3 "],["a","s0.8","9 9",4],["t","x","translate(-1262 0)"],` +
				`["s","lg","<g data-k='lg'></g>"],["i","s0.9","s0","<path data-k='s0.8a' d='M0 0'/>"],["i","","x","<path data-k='z' d=''/>"],` +
				`["i","","","<g data-k='y'></g>"],["d","s0.0"],["x","v0","5 < 6 \"°\""]]}`,
		},
		{
			"an event of a client's callback",
			Event{V: "cpu~1f", Name: BeforeCallback, Cause: CauseClient, ID: "4", Arg: json.RawMessage(`"MyCustomArgs"`)},
			`{"t":"event","v":"cpu~1f","event":"BeforeCallback","cause":"client","id":4,"arg":"MyCustomArgs"}`,
		},
		{
			"a handler that failed",
			Event{V: "cpu~1f", Name: AfterCallback, Cause: CauseClient, ID: "4", Error: "disk on fire", Elapsed: 12_345 * time.Microsecond},
			`{"t":"event","v":"cpu~1f","event":"AfterCallback","cause":"client","id":4,"error":"disk on fire","ms":12.345}`,
		},
		{
			"an event of a tick",
			Event{V: "cpu~1f", Name: AfterCallback, Cause: CauseTick},
			`{"t":"event","v":"cpu~1f","event":"AfterCallback","cause":"tick","ms":0}`,
		},
		{
			"the frame is next",
			Event{V: "cpu~1f", Name: BeforeCallbackResponseProcess, Cause: CauseTick, Elapsed: time.Second},
			`{"t":"event","v":"cpu~1f","event":"BeforeCallbackResponseProcess","cause":"tick"}`,
		},
		{
			"the frame is there",
			Event{V: "cpu~1f", Name: AfterCallbackResponseProcess, Cause: CauseTick},
			`{"t":"event","v":"cpu~1f","event":"AfterCallbackResponseProcess","cause":"tick"}`,
		},
	}
}

func TestServerMessagesAreWrittenAndReadBack(t *testing.T) {
	for _, c := range serverCases() {
		got := Encode(c.m)
		if string(got.JSON()) != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.about, got.JSON(), c.want)
		}
		back, err := ParseServer(got.JSON())
		if err != nil || len(back) != 1 {
			t.Errorf("%s: %v, %v", c.about, back, err)
			continue
		}
		if e, ok := c.m.(Event); ok && e.Name != AfterCallback {
			e.Elapsed = 0 // written for that one alone
			c.m = e
		}
		if !reflect.DeepEqual(back[0], c.m) {
			t.Errorf("%s\n got %#v\nwant %#v", c.about, back[0], c.m)
		}
	}
}

// A handler's reply that is no JSON cannot break the message.
func TestWhatIsNoJSONBecomesNull(t *testing.T) {
	got := string(Encode(OK{ID: "1", Handled: new(true), Reply: json.RawMessage(`{"a":`)}).JSON())
	if want := `{"t":"ok","id":1,"handled":true,"reply":null}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got = string(OK{ID: "1", Reply: json.RawMessage("\"caf\xe9\"")}.AppendJSON(nil))
	if want := `{"t":"ok","id":1,"reply":"caf` + "\ufffd" + `"}`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseServerPassesOverWhatItDoesNotKnow(t *testing.T) {
	ms, err := ParseServer([]byte(`[{"t":"news","x":[1]},{"t":"ok","id":1,"later":true}]`))
	if err != nil || !reflect.DeepEqual(ms, []ServerMessage{OK{ID: "1"}}) {
		t.Errorf("%v, %v", ms, err)
	}
}

func TestParseServerRefuses(t *testing.T) {
	for _, in := range []string{
		``, `x`, `5`, `[]`, `[1]`, "\"\xff\"",
		`{"t":"ok","id":"1"}`,
		`{"t":"error","message":"x"}`,
		`{"t":"full","v":"a","e":"k","r":0,"svg":""}`,
		`{"t":"full","v":"a","e":"k","r":1}`,
		`{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":[]}`,
		`{"t":"patch","v":"a","e":"k","b":2,"r":2,"o":[["d","x"]]}`,
		`{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":[["d"]]}`,
		`{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":[["d","x","y"]]}`,
		`{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":[["q","x","y"]]}`,
		`{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":[["a","x","y","z"]]}`,
		`{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":[["a","x","y",-1]]}`,
		`{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":[["a","x",null]]}`,
		`{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":[["a","x","y",1,2]]}`,
		`{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":[["t","x","y",3]]}`,
		`{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":["d"]}`,
		`{"t":"event","v":"a","event":"BeforeCallback"}`,
		`{"t":"event","v":"a","event":"AfterCallback","cause":"tick","ms":-1}`,
	} {
		if ms, err := ParseServer([]byte(in)); err == nil {
			t.Errorf("%s is read as %v", in, ms)
		}
	}
}

func FuzzParseServer(f *testing.F) {
	for _, c := range serverCases() {
		f.Add(Encode(c.m).JSON())
	}
	f.Add([]byte(`[{"t":"ok"},{"t":"patch","v":"a","e":"k","b":1,"r":2,"o":[["a","x","y",1]]}]`))
	base := []byte("<svg xmlns='http://www.w3.org/2000/svg'><g data-k='x'><path data-k='s0.7' d='M0 0'/></g><text data-k='v0'>5</text></svg>")
	f.Fuzz(func(t *testing.T, b []byte) {
		ms, err := ParseServer(b)
		if err != nil {
			return
		}
		mirror := NewMirror("cpu~1f")
		if _, err := mirror.Take(Full{V: "cpu~1f", Pos: Pos{E: "k3f9", R: 42}, SVG: string(base)}); err != nil {
			t.Fatal(err)
		}
		for _, m := range ms {
			text := m.AppendJSON(nil)
			again, err := ParseServer(text)
			if err != nil || len(again) != 1 || !bytes.Equal(again[0].AppendJSON(nil), text) {
				t.Fatalf("%#v, written as %s, came back as %#v, %v", m, text, again, err)
			}
			before := mirror.SVG()
			resync, err := mirror.Take(m)
			if resync && err == nil || err != nil && !bytes.Equal(mirror.SVG(), before) {
				t.Fatalf("resync %v, %v, and the picture went from %s to %s", resync, err, before, mirror.SVG())
			}
		}
	})
}
