package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
)

type goodCase struct {
	in   string
	want ClientMessage
}

func goodClient() []goodCase {
	minute := quantity.Duration(60e9)
	from, to := int64(1_700_000_000_000), int64(1_700_000_060_000)
	paused, title := true, "Heat"
	return []goodCase{
		{`{"t":"hello"}`, Hello{}},
		{` {"t":"hello","session":"abc","token":"s3cret"} `, Hello{Session: "abc", Token: "s3cret"}},
		{`{"t":"sub","id":1,"chart":"cpu"}`, Sub{ID: "1", Chart: "cpu"}},
		{`{"t":"sub","id":1,"chart":"cpu","view":{"window":"1m","hidden":["idle"],"size":[800,400],"vars":{"host":"web1"}},"events":true,"pos":{"e":"k3f9","r":41}}`, Sub{
			ID: "1", Chart: "cpu", Events: true, Pos: Pos{E: "k3f9", R: 41},
			View: plotting.Change{Window: &minute, Hidden: &[]string{"idle"}, Size: &[2]int{800, 400}, Vars: map[string]string{"host": "web1"}},
		}},
		{`{"t":"set","id":3,"v":"cpu~1f","view":{"window":60000,"from":1700000000000,"to":1700000060000,"paused":true,"reset":true,"title":"Heat","marks":[{"t":1700000000000,"text":"x"}]}}`, Set{
			ID: "3", V: "cpu~1f",
			View: plotting.Change{
				Reset: true, Window: &minute, From: &from, To: &to, Paused: &paused, Title: &title,
				Marks: &[]plotting.Mark{{T: from, Text: "x"}},
			},
		}},
		{`{"t":"set","v":"cpu~1f","view":{"replay":{"at":1700000000000,"since":1700000060000,"speed":2.5}}}`, Set{
			V: "cpu~1f", View: plotting.Change{Replay: &plotting.Replay{At: from, Since: to, Speed: 2.5}},
		}},
		{`{"t":"set","v":"cpu~1f","view":{"replay":{}}}`, Set{V: "cpu~1f", View: plotting.Change{Replay: &plotting.Replay{}}}},
		{`{"t":"unsub","id":2,"v":"cpu~1f"}`, Unsub{ID: "2", V: "cpu~1f"}},
		{`{"t":"callback","id":4,"v":"cpu~1f","arg":"MyCustomArgs"}`, Callback{ID: "4", V: "cpu~1f", Arg: json.RawMessage(`"MyCustomArgs"`)}},
		{`{"t":"callback","v":"cpu~1f","arg":null}`, Callback{V: "cpu~1f", Arg: json.RawMessage(`null`)}},
		{`{"t":"callback","v":"cpu~1f","arg":{"a": [1,  2]}}`, Callback{V: "cpu~1f", Arg: json.RawMessage(`{"a": [1,  2]}`)}},
		{`{"t":"callback","v":"cpu~1f"}`, Callback{V: "cpu~1f"}},
		{`{"t":"resync","v":"cpu~1f"}`, Resync{V: "cpu~1f"}},
		{`{"t":"auth","id":5,"token":"new"}`, Auth{ID: "5", Token: "new"}},
		{`{"t":"ping","id":6}`, Ping{ID: "6"}},
		// Ids are echoed as they are, whatever a float64 would make of them.
		{`{"t":"ping","id":1.50e+3}`, Ping{ID: "1.50e+3"}},
		{`{"t":"ping","id":-0}`, Ping{ID: "-0"}},
		{`{"t":"ping","id":12345678901234567890123456789012}`, Ping{ID: "12345678901234567890123456789012"}},
		// null is not there; unknown fields are for later versions; the last of
		// two equal names holds; names are exact.
		{`{"t":"hello","id":null,"session":null,"token":null}`, Hello{}},
		{`{"t":"sub","chart":"cpu","view":null,"events":null,"pos":null}`, Sub{Chart: "cpu"}},
		{`{"t":"sub","chart":"cpu","view":{"window":null,"vars":null,"Window":"5m","colour":"red"},"T":"x","more":{}}`, Sub{Chart: "cpu"}},
		{`{"t":"unsub","v":"a","v":"b"}`, Unsub{V: "b"}},
		{`{"t":"sub","chart":"cp\u0075"}`, Sub{Chart: "cpu"}},
		{`{"t":"sub","chart":"cpu","view":{"vars":{"x":"null"}}}`, Sub{Chart: "cpu", View: plotting.Change{Vars: map[string]string{"x": "null"}}}},
	}
}

func TestParseClientReadsEveryMessage(t *testing.T) {
	for _, c := range goodClient() {
		got, err := ParseClient([]byte(c.in), DefaultLimits())
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if !reflect.DeepEqual(got, []ClientMessage{c.want}) {
			t.Errorf("%s\n got %#v\nwant %#v", c.in, got[0], c.want)
		}
		if got[0].RequestID() != c.want.RequestID() {
			t.Errorf("%s: id %s", c.in, got[0].RequestID())
		}
		again, err := ParseClient(got[0].AppendJSON(nil), DefaultLimits())
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s, written again as %s: %#v, %v", c.in, got[0].AppendJSON(nil), again, err)
		}
	}
}

type badCase struct {
	in   string
	id   ID
	want string
}

func badClient() []badCase {
	long := strings.Repeat("x", MaxName+1)
	return []badCase{
		{`5`, "", `bad_message: a message is a number; send an object such as {"t":"ping"}`},
		{`"hello"`, "", `bad_message: a message is a string; send an object such as {"t":"ping"}`},
		{`null`, "", `bad_message: a message is null; send an object such as {"t":"ping"}`},
		{`{}`, "", `bad_message: t: missing; it names the message`},
		{`{"t":7,"id":1}`, "1", `bad_message: t: a number; it is a string`},
		{`{"t":"subscribe","id":1}`, "1", `unknown_type: t: no message is called "subscribe"; one of: hello, sub, unsub, set, callback, resync, auth, ping`},
		{`{"t":"callbak","id":1}`, "1", `unknown_type: t: no message is called "callbak"; did you mean "callback"? It is one of: hello, sub, unsub, set, callback, resync, auth, ping`},
		{`{"t":"ping","id":"1"}`, "", `bad_message: id: a string; an id is a number`},
		{`{"t":"ping","id":true}`, "", `bad_message: id: true or false; an id is a number`},
		{`{"t":"ping","id":[1]}`, "", `bad_message: id: an array; an id is a number`},
		{`{"t":"ping","id":123456789012345678901234567890123}`, "", `bad_message: id: a number of 33 digits; at most 32`},
		{`{"t":"hello","session":5}`, "", `bad_message: session: a number; it is a string`},
		{`{"t":"sub","id":1}`, "1", `bad_message: chart: missing; it is the name of a chart`},
		{`{"t":"sub","id":1,"chart":""}`, "1", `bad_message: chart: missing; it is the name of a chart`},
		{`{"t":"sub","id":1,"chart":"` + long + `"}`, "1", `bad_message: chart: 257 bytes; at most 256`},
		{`{"t":"sub","id":1,"chart":"cpu","events":1}`, "1", `bad_message: events: a number; it is true or false`},
		{`{"t":"sub","id":1,"chart":"cpu","pos":7}`, "1", `bad_message: pos: a number; it is {"e":epoch,"r":revision} of the last frame`},
		{`{"t":"sub","id":1,"chart":"cpu","pos":{"r":1}}`, "1", `bad_message: pos.e: it is the epoch of the last full or patch, a string`},
		{`{"t":"sub","id":1,"chart":"cpu","pos":{"e":"k"}}`, "1", `bad_message: pos.r: it is the revision of the last full or patch, a whole number`},
		{`{"t":"sub","id":1,"chart":"cpu","pos":{"e":"k","r":-1}}`, "1", `bad_message: pos.r: it is the revision of the last full or patch, a whole number`},
		{`{"t":"sub","id":1,"chart":"cpu","view":[]}`, "1", `bad_message: view: an array; it is an object such as {"window":"5m"}`},
		{`{"t":"sub","id":1,"chart":"cpu","view":{"window":"5 minutes"}}`, "1", `bad_message: view.window: "5 minutes" is not a duration; write it as "500ms", "30s", "5m", "1h", "7d" or a number of milliseconds`},
		{`{"t":"sub","id":1,"chart":"cpu","view":{"window":[]}}`, "1", `bad_message: view.window: "[]" is not a duration; write it as "500ms", "30s", "5m", "1h", "7d" or a number of milliseconds`},
		{`{"t":"sub","id":1,"chart":"cpu","view":{"refresh":"often"}}`, "1", `bad_message: view.refresh: "often" is not a duration; write it as "500ms", "30s", "5m", "1h", "7d" or a number of milliseconds`},
		{`{"t":"set","id":1,"v":"a","view":{"size":[800]}}`, "1", `bad_message: view.size: an array; it is [width,height], two whole numbers of px`},
		{`{"t":"set","id":1,"v":"a","view":{"size":[800,400,3]}}`, "1", `bad_message: view.size: an array; it is [width,height], two whole numbers of px`},
		{`{"t":"set","id":1,"v":"a","view":{"size":"800x400"}}`, "1", `bad_message: view.size: a string; it is [width,height], two whole numbers of px`},
		{`{"t":"set","id":1,"v":"a","view":{"size":[800,null]}}`, "1", `bad_message: view.size: null inside; it is [width,height], two whole numbers of px`},
		{`{"t":"set","id":1,"v":"a","view":{"hidden":"idle"}}`, "1", `bad_message: view.hidden: a string; it is an array of names of series`},
		{`{"t":"set","id":1,"v":"a","view":{"hidden":[null]}}`, "1", `bad_message: view.hidden: null inside; it is an array of names of series`},
		{`{"t":"set","id":1,"v":"a","view":{"vars":{"host":1}}}`, "1", `bad_message: view.vars: an object; it is an object of strings`},
		{`{"t":"set","id":1,"v":"a","view":{"from":"now"}}`, "1", `bad_message: view.from: a string; it is a whole number of ms since 1970`},
		{`{"t":"set","id":1,"v":"a","view":{"to":1.5}}`, "1", `bad_message: view.to: a number; it is a whole number of ms since 1970`},
		{`{"t":"set","id":1,"v":"a","view":{"title":1}}`, "1", `bad_message: view.title: a number; it is a string`},
		{`{"t":"set","id":1,"v":"a","view":{"marks":{}}}`, "1", `bad_message: view.marks: an object; it is an array of {"t":ms since 1970,"text":string}, with "to" for a band`},
		{`{"t":"set","id":1,"v":"a","view":{"paused":"yes"}}`, "1", `bad_message: view.paused: a string; it is true or false`},
		{`{"t":"set","id":1,"v":"a","view":{"reset":0}}`, "1", `bad_message: view.reset: a number; it is true or false`},
		{`{"t":"set","id":1}`, "1", `bad_message: v: missing; it is the view's id, as the ok to its sub said`},
		{`{"t":"callback","id":1,"v":5}`, "1", `bad_message: v: a number; it is a string`},
		{`{"t":"auth","id":1}`, "1", `bad_message: token: missing; it is what authenticates`},
		{`{"t":"auth","id":1,"token":"` + strings.Repeat("x", MaxToken+1) + `"}`, "1", `bad_message: token: 8193 bytes; at most 8192`},
	}
}

// What cannot be used is named, and the neighbours are kept.
func TestParseClientNamesWhatIsWrong(t *testing.T) {
	for _, c := range badClient() {
		ms, err := ParseClient([]byte(`[{"t":"ping","id":10},`+c.in+`,{"t":"ping","id":11}]`), DefaultLimits())
		if err != nil || len(ms) != 3 || ms[0] != (Ping{ID: "10"}) || ms[2] != (Ping{ID: "11"}) {
			t.Errorf("%s: the neighbours became %v, %v", c.in, ms, err)
			continue
		}
		bad, ok := ms[1].(Invalid)
		if !ok || bad.ID != c.id || bad.Err.Error() != c.want {
			t.Errorf("%s\n got %+v\nwant %s", c.in, ms[1], c.want)
		}
	}
}

func TestParseClientRefusesWhatIsNoMessage(t *testing.T) {
	lim := Limits{Bytes: 200, Messages: 3, Depth: 4}
	for _, c := range []struct{ in, want string }{
		{``, "bad_message: byte 0: unexpected end of JSON input; send a JSON object or an array of them"},
		{`hello`, "bad_message: byte 1: invalid character 'h' looking for beginning of value; send a JSON object or an array of them"},
		{`{"t":"ping"`, "bad_message: byte 11: unexpected end of JSON input; send a JSON object or an array of them"},
		{`{"t":"ping"}{"t":"ping"}`, "bad_message: byte 13: invalid character '{' after top-level value; send a JSON object or an array of them"},
		{`{"t":"ping","id":01}`, "bad_message: byte 19: invalid character '1' after object key:value pair; send a JSON object or an array of them"},
		{"{\"t\":\"p\xff\"}", "bad_message: the message is not UTF-8"},
		{`[]`, "bad_message: an array of 0 messages; send 1 to 3"},
		{`[{},{},{},{}]`, "bad_message: an array of 4 messages; send 1 to 3"},
		{`{"t":"callback","v":"a","arg":[[[[1]]]]}`, "bad_message: byte 33: arrays and objects nested deeper than 4"},
		{`{"t":"` + strings.Repeat("x", 200) + `"}`, "bad_message: a message of 208 bytes; at most 200"},
	} {
		ms, err := ParseClient([]byte(c.in), lim)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Error() != c.want || ms != nil {
			t.Errorf("%s\n got %v, %v\nwant %s", c.in, ms, err, c.want)
		}
	}
	// Brackets in a string are no depth.
	if _, err := ParseClient([]byte(`{"t":"callback","v":"a","arg":"[[[[[[\"[[[[[["}`), lim); err != nil {
		t.Error(err)
	}
}

func TestParsedMessagesDoNotShareTheBuffer(t *testing.T) {
	in := []byte(`{"t":"callback","id":17,"v":"cpu~1f","arg":{"a":"b"}}`)
	ms, err := ParseClient(in, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for i := range in {
		in[i] = '#'
	}
	want := Callback{ID: "17", V: "cpu~1f", Arg: json.RawMessage(`{"a":"b"}`)}
	if !reflect.DeepEqual(ms[0], want) {
		t.Errorf("the message became %+v", ms[0])
	}
}

// Every field of a view can be said, and says what is wrong with it.
func TestEveryFieldOfAViewIsNamedWhenWrong(t *testing.T) {
	typ := reflect.TypeFor[plotting.Change]()
	for field := range typ.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			t.Errorf("plotting.Change.%s has no name on the wire", field.Name)
			continue
		}
		_, err := parseChange(json.RawMessage(`{"`+name+`":[{"a":{}},[]]}`), "view")
		if err == nil || err.Field != "view."+name || !strings.Contains(err.Message, "; ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseClient(f *testing.F) {
	for _, s := range []string{
		`{"t":"hello","session":"a","token":"b"}`,
		`[{"t":"sub","id":1,"chart":"cpu","view":{"window":"1m","size":[800,400],"marks":[{"t":1,"text":"x"}]},"events":true,"pos":{"e":"k3f9","r":41}},{"t":"ping"}]`,
		`{"t":"set","id":-1.5e3,"v":"cpu~1f","view":{"vars":{"a":"b"},"hidden":["\u2028"],"paused":false,"from":1,"to":2}}`,
		`{"t":"callback","id":4,"v":"cpu~1f","arg":{"x":[1,2,{"y":null}]}}`,
		`{"t":"resync","v":"cpu~1f"}`, `{"t":"unsub","v":"x"}`, `{"t":"auth","token":"x"}`,
		"\xff", `[[[[`, `{"t":`, `{"t":"sub","chart":"a","view":{"window":1e400}}`,
	} {
		f.Add([]byte(s))
	}
	lim := DefaultLimits()
	f.Fuzz(func(t *testing.T, b []byte) {
		ms, err := ParseClient(bytes.Clone(b), lim)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeBadMessage {
				t.Fatalf("%v is not a bad message", err)
			}
			return
		}
		if len(ms) == 0 || len(ms) > lim.Messages {
			t.Fatalf("%d messages", len(ms))
		}
		for _, m := range ms {
			if bad, ok := m.(Invalid); ok {
				reply := Encode(Failure{ID: bad.ID, Err: bad.Err})
				if !json.Valid(reply.JSON()) {
					t.Fatalf("the reply is no JSON: %s", reply.JSON())
				}
				continue
			}
			text := m.AppendJSON(nil)
			again, err := ParseClient(text, Limits{Bytes: 1 << 20, Messages: 1, Depth: lim.Depth})
			if err != nil || !bytes.Equal(again[0].AppendJSON(nil), text) {
				t.Fatalf("%#v, written as %s, came back as %#v, %v", m, text, again, err)
			}
			if id := m.RequestID(); id != "" {
				if _, err := strconv.ParseFloat(string(id), 64); err != nil && !errors.Is(err, strconv.ErrRange) {
					t.Fatalf("the id %q is no number", id)
				}
			}
		}
	})
}
