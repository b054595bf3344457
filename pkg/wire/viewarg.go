package wire

import (
	"encoding/json"

	"github.com/chartd/chartd/pkg/plotting"
)

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
