package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/chartd/chartd/pkg/plotting"
)

// ParseServer reads one WebSocket message of a server: an object, or an array
// of them. It is for tests and tools; a type of message that it does not know
// is left out, as PROTOCOL.md asks of clients.
func ParseServer(b []byte) ([]ServerMessage, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("not UTF-8")
	}
	objects, err := split(b, Limits{Bytes: math.MaxInt, Messages: math.MaxInt, Depth: 1000})
	if err != nil {
		return nil, err
	}
	ms := make([]ServerMessage, 0, len(objects))
	for i, o := range objects {
		m, err := parseServer(o)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		if m != nil {
			ms = append(ms, m)
		}
	}
	return ms, nil
}

// serverFields are the fields of all messages of a server.
type serverFields struct {
	T       string           `json:"t"`
	ID      json.RawMessage  `json:"id"`
	V       string           `json:"v"`
	Session string           `json:"session"`
	Resumed bool             `json:"resumed"`
	Server  string           `json:"server"`
	View    *plotting.Change `json:"view"`
	Handled *bool            `json:"handled"`
	Reply   json.RawMessage  `json:"reply"`
	Code    ErrorCode        `json:"code"`
	Field   string           `json:"field"`
	Message string           `json:"message"`
	E       string           `json:"e"`
	B       uint64           `json:"b"`
	R       uint64           `json:"r"`
	SVG     *string          `json:"svg"`
	O       []wireOp         `json:"o"`
	Event   EventName        `json:"event"`
	Cause   Cause            `json:"cause"`
	Arg     json.RawMessage  `json:"arg"`
	Error   string           `json:"error"`
	MS      float64          `json:"ms"`
}

func parseServer(raw json.RawMessage) (ServerMessage, error) {
	var f serverFields
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	in := fields{obj: map[string]json.RawMessage{"id": f.ID}}
	if len(f.ID) == 0 {
		in.obj = nil
	}
	id := in.id()
	if in.err != nil {
		return nil, in.err
	}
	switch f.T {
	case "welcome":
		return Welcome{Session: f.Session, Resumed: f.Resumed, Server: f.Server}, nil
	case "ok":
		return OK{ID: id, V: f.V, View: f.View, Handled: f.Handled, Reply: f.Reply}, nil
	case "error":
		return parseFailure(id, &f)
	case "full":
		if f.V == "" || f.E == "" || f.R == 0 || f.SVG == nil {
			return nil, fmt.Errorf("a full without v, e, r or svg")
		}
		return Full{V: f.V, Pos: Pos{E: f.E, R: f.R}, SVG: *f.SVG}, nil
	case "patch":
		if f.V == "" || f.E == "" || f.R == 0 || f.B >= f.R || len(f.O) == 0 {
			return nil, fmt.Errorf("a patch without v, e, b, r or o")
		}
		ops := make([]plotting.Op, len(f.O))
		for i, o := range f.O {
			ops[i] = plotting.Op(o)
		}
		return Patch{V: f.V, Pos: Pos{E: f.E, R: f.R}, Base: f.B, Ops: ops}, nil
	case "event":
		if f.V == "" || f.Event == "" || f.Cause == "" {
			return nil, fmt.Errorf("an event without v, event or cause")
		}
		if f.MS < 0 || f.MS > 1e12 {
			return nil, fmt.Errorf("an event of %g ms", f.MS)
		}
		elapsed := time.Duration(math.Round(f.MS*1e3)) * time.Microsecond
		return Event{V: f.V, Name: f.Event, Cause: f.Cause, ID: id, Arg: f.Arg, Error: f.Error, Elapsed: elapsed}, nil
	}
	return nil, nil
}

func parseFailure(id ID, f *serverFields) (ServerMessage, error) {
	if f.Code == "" {
		return nil, fmt.Errorf("an error without code")
	}
	// The text names the field already; Error.text puts it there again.
	msg := f.Message
	if n := len(f.Field) + 2; f.Field != "" && len(msg) >= n && msg[:n] == f.Field+": " {
		msg = msg[n:]
	}
	return Failure{ID: id, V: f.V, Err: &Error{Code: f.Code, Field: f.Field, Message: msg}}, nil
}

// wireOp reads an operation from its array.
type wireOp plotting.Op

// UnmarshalJSON implements json.Unmarshaler.
func (o *wireOp) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	var words [4]string
	drop := 0
	for i, raw := range list {
		var err error
		switch {
		case i > 3:
			err = fmt.Errorf("more than 4 fields")
		case i == 3 && words[0] == "a":
			err = json.Unmarshal(raw, &drop)
		case string(raw) == "null":
			err = fmt.Errorf("field %d is null", i)
		default:
			err = json.Unmarshal(raw, &words[i])
		}
		if err != nil {
			return fmt.Errorf("op %s: %w", b, err)
		}
	}
	if len(words[0]) != 1 || len(list) != opFields(words[0][0]) && (words[0] != "a" || len(list) != 4) || drop < 0 {
		return fmt.Errorf("op %s: unknown, or too long or too short", b)
	}
	*o = wireOp{Code: words[0][0], Key: words[1], Drop: drop}
	switch o.Code {
	case plotting.OpDelete:
	case plotting.OpInsert:
		o.Parent, o.Text = words[2], []byte(words[3])
	default:
		o.Text = []byte(words[2])
	}
	return nil
}

// opFields returns how many fields an operation has, 0 if it is unknown.
func opFields(code byte) int {
	switch code {
	case plotting.OpDelete:
		return 2
	case plotting.OpAppend, plotting.OpTransform, plotting.OpReplace, plotting.OpText:
		return 3
	case plotting.OpInsert:
		return 4
	}
	return 0
}
