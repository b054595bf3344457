package wire

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/chartd/chartd/pkg/plotting"
)

// ParseArg reads a callback's argument that comes by itself, within the limits of
// a client's message; its length is for who read it. It may share memory with b.
func ParseArg(b []byte) (json.RawMessage, *Error) {
	switch depth := DefaultLimits().Depth; {
	case !utf8.Valid(b):
		return nil, bad("", "the argument is not UTF-8")
	case tooDeep(b, depth) >= 0:
		return nil, bad("", "the argument nests arrays and objects deeper than %d", depth)
	}
	var arg json.RawMessage
	if err := json.Unmarshal(b, &arg); err != nil {
		return nil, bad("", "the argument is no JSON: %v; a text has quotes", err)
	}
	return arg, nil
}

// ViewArg reads a callback's argument of the form {"view":{…}}: a change of
// the view that needs no handler. ok is false for every other argument, which
// is a handler's business. An error names the field as that of a set does, with
// "arg." before it.
func ViewArg(arg json.RawMessage) (change plotting.Change, ok bool, err *Error) {
	if len(arg) == 0 || arg[0] != '{' {
		return change, false, nil
	}
	f, err := fieldsOf(arg)
	if err != nil {
		return change, false, err
	}
	view := f.raw("view")
	if len(f.obj) != 1 || len(view) == 0 || view[0] != '{' {
		return change, false, nil
	}
	change, err = parseChange(view, "arg.view")
	return change, err == nil, err
}
