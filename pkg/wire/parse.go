package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
)

// Limits bound what one WebSocket message of a client may hold.
type Limits struct {
	// Bytes is the length of the whole message.
	Bytes int
	// Messages is how many may stand in one array.
	Messages int
	// Depth is how deep arrays and objects may nest, the outermost included.
	Depth int
}

// DefaultLimits returns the limits that PROTOCOL.md promises.
func DefaultLimits() Limits { return Limits{Bytes: 64 << 10, Messages: 64, Depth: 32} }

// The limits of single fields, in bytes.
const (
	MaxID    = 32   // a request's id
	MaxName  = 256  // a chart's name, a view's id, an epoch
	MaxToken = 8192 // a token
)

// ParseClient reads one WebSocket message of a client: an object, or an array
// of them. The messages do not share memory with b.
//
// What is no JSON, or beyond the limits, is an *Error, and nothing in it is to
// be carried out. A single bad message is an Invalid in its place: it is to be
// answered with its error, its neighbours are carried out.
func ParseClient(b []byte, lim Limits) ([]ClientMessage, error) {
	objects, err := split(b, lim)
	if err != nil {
		return nil, err
	}
	ms := make([]ClientMessage, len(objects))
	for i, o := range objects {
		ms[i] = parseClient(o)
	}
	return ms, nil
}

// split checks a message as a whole and returns the objects it is made of.
func split(b []byte, lim Limits) ([]json.RawMessage, error) {
	if len(b) > lim.Bytes {
		return nil, bad("", "a message of %d bytes; at most %d", len(b), lim.Bytes)
	}
	if !utf8.Valid(b) {
		return nil, bad("", "the message is not UTF-8")
	}
	if at := tooDeep(b, lim.Depth); at >= 0 {
		return nil, bad("", "byte %d: arrays and objects nested deeper than %d", at, lim.Depth)
	}
	if !json.Valid(b) {
		return nil, notJSON(b)
	}
	// From here on, what is kept of b is copied: RawMessage does that.
	b = bytes.TrimSpace(b)
	if b[0] != '[' {
		return []json.RawMessage{b}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, bad("", "%v", err)
	}
	if len(list) == 0 || len(list) > lim.Messages {
		return nil, bad("", "an array of %d messages; send 1 to %d", len(list), lim.Messages)
	}
	return list, nil
}

// notJSON says where and why b is no JSON.
func notJSON(b []byte) *Error {
	var v json.RawMessage
	err := json.Unmarshal(b, &v)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return bad("", "byte %d: %v; send a JSON object or an array of them", syntax.Offset, syntax)
	}
	return bad("", "%v; send a JSON object or an array of them", err)
}

// tooDeep returns where arrays and objects nest deeper than limit, -1 if they
// do not. It guards what parses recursively, here and in callbacks' handlers.
func tooDeep(b []byte, limit int) int {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return i
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return -1
}

// bad returns a CodeBadMessage.
func bad(field, format string, args ...any) *Error {
	return &Error{Code: CodeBadMessage, Field: field, Message: fmt.Sprintf(format, args...)}
}

// types lists the client's messages.
var types = [...]string{"hello", "sub", "unsub", "set", "callback", "resync", "auth", "ping"}

// parseClient reads one object.
func parseClient(raw json.RawMessage) ClientMessage {
	f, err := fieldsOf(raw)
	if err != nil {
		return Invalid{Err: err}
	}
	id := f.id()
	t := f.required("t", 64)
	if f.err != nil {
		return Invalid{ID: id, Err: f.err}
	}
	var m ClientMessage
	switch t {
	case "hello":
		m = Hello{ID: id, Session: f.text("session", MaxName), Token: f.text("token", MaxToken)}
	case "sub":
		m = Sub{ID: id, Chart: f.required("chart", MaxName), View: f.change("view"), Events: f.boolean("events"), Pos: f.pos("pos")}
	case "unsub":
		m = Unsub{ID: id, V: f.required("v", MaxName)}
	case "set":
		m = Set{ID: id, V: f.required("v", MaxName), View: f.change("view")}
	case "callback":
		m = Callback{ID: id, V: f.required("v", MaxName), Arg: f.obj["arg"]}
	case "resync":
		m = Resync{ID: id, V: f.required("v", MaxName)}
	case "auth":
		m = Auth{ID: id, Token: f.required("token", MaxToken)}
	case "ping":
		m = Ping{ID: id}
	default:
		return Invalid{ID: id, Err: &Error{
			Code: CodeUnknownType, Field: "t",
			Message: fmt.Sprintf("no message is called %q; %s", t, problem.OneOf(t, types[:])),
		}}
	}
	if f.err != nil {
		return Invalid{ID: id, Err: f.err}
	}
	return m
}

// fields are an object's, of which some are asked for; the first that is wrong
// is kept. A field that is null is a field that is not there.
type fields struct {
	obj map[string]json.RawMessage
	err *Error
}

func fieldsOf(raw json.RawMessage) (*fields, *Error) {
	f := &fields{}
	if raw[0] != '{' {
		return nil, bad("", "a message is %s; send an object such as {\"t\":\"ping\"}", kindOf(raw))
	}
	if err := json.Unmarshal(raw, &f.obj); err != nil {
		return nil, bad("", "%v", err)
	}
	return f, nil
}

func (f *fields) refuse(field, format string, args ...any) {
	if f.err == nil {
		f.err = bad(field, format, args...)
	}
}

// raw returns a field's value, nil if it is not there.
func (f *fields) raw(name string) json.RawMessage {
	v := f.obj[name]
	if string(v) == "null" {
		return nil
	}
	return v
}

func (f *fields) id() ID {
	v := f.raw("id")
	switch {
	case v == nil:
		return ""
	case v[0] != '-' && (v[0] < '0' || v[0] > '9'):
		f.refuse("id", "%s; an id is a number", kindOf(v))
		return ""
	case len(v) > MaxID:
		f.refuse("id", "a number of %d digits; at most %d", len(v), MaxID)
		return ""
	}
	return ID(v)
}

func (f *fields) text(name string, limit int) string {
	v := f.raw(name)
	if v == nil {
		return ""
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		f.refuse(name, "%s; it is a string", kindOf(v))
	}
	if len(s) > limit {
		f.refuse(name, "%d bytes; at most %d", len(s), limit)
	}
	return s
}

// required is text that must be there.
func (f *fields) required(name string, limit int) string {
	s := f.text(name, limit)
	if s == "" {
		f.refuse(name, "missing; %s", wants[name])
	}
	return s
}

// wants says what a required field is.
var wants = map[string]string{
	"t":     "it names the message",
	"chart": "it is the name of a chart",
	"v":     "it is the view's id, as the ok to its sub said",
	"token": "it is what authenticates",
}

func (f *fields) boolean(name string) bool {
	switch v := f.raw(name); string(v) {
	case "true":
		return true
	case "", "false":
		return false
	default:
		f.refuse(name, "%s; it is true or false", kindOf(v))
		return false
	}
}

func (f *fields) pos(name string) (p Pos) {
	v := f.raw(name)
	if v == nil {
		return p
	}
	in, err := fieldsOf(v)
	if err != nil {
		f.refuse(name, "%s; it is {\"e\":epoch,\"r\":revision} of the last frame", kindOf(v))
		return p
	}
	p.E = in.required("e", MaxName)
	if in.err != nil {
		f.refuse(name+".e", "it is the epoch of the last full or patch, a string")
	}
	if r := in.raw("r"); r == nil || json.Unmarshal(r, &p.R) != nil {
		f.refuse(name+".r", "it is the revision of the last full or patch, a whole number")
	}
	return p
}

func (f *fields) change(name string) (c plotting.Change) {
	v := f.raw(name)
	if v == nil {
		return c
	}
	c, err := parseChange(v, name)
	if err != nil && f.err == nil {
		f.err = err
	}
	return c
}

// kindOf names a JSON value's kind for an error.
func kindOf(v json.RawMessage) string {
	switch v[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}
