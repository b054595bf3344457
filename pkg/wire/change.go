package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/chartd/chartd/pkg/plotting"
)

// changeWants says, by field of plotting.Change, what is right there. Fields
// that check their own text (durations) need no row.
var changeWants = map[string]string{
	"reset":  "it is true or false",
	"from":   "it is a whole number of ms since 1970",
	"to":     "it is a whole number of ms since 1970",
	"replay": `it is {"at":ms since 1970,"since":ms since 1970,"speed":0 to 60}, or {} for live again`,
	"hidden": "it is an array of names of series",
	"size":   "it is [width,height], two whole numbers of px",
	"vars":   "it is an object of strings",
	"title":  "it is a string",
	"marks":  `it is an array of {"t":ms since 1970,"text":string}, with "to" for a band`,

	"thresholds": `it is an array of {"at":number,"level":"note", "warn" or "alarm","below":true or false,"text":string}`,
	"timezone":   `it is the name of a zone, such as "Europe/Berlin" or "UTC"`,
	"paused":     "it is true or false",
}

// parseChange reads a view's change. The fields are those of plotting.Change,
// by their exact names; others are ignored, and null is not there.
func parseChange(raw json.RawMessage, path string) (c plotting.Change, _ *Error) {
	var obj map[string]json.RawMessage
	if json.Unmarshal(raw, &obj) != nil {
		return c, bad(path, "%s; it is an object such as {\"window\":\"5m\"}", kindOf(raw))
	}
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		in, ok := obj[name]
		if !ok || string(in) == "null" {
			continue
		}
		err := json.Unmarshal(in, v.Field(i).Addr().Interface())
		if err == nil && !wholeSize(name, in) {
			err = errors.New("not a pair")
		}
		if want := changeWants[name]; err != nil && want != "" {
			return c, bad(path+"."+name, "%s; %s", kindOf(in), want)
		}
		if err != nil {
			return c, bad(path+"."+name, "%v", err)
		}
		if hasNull(in) {
			return c, bad(path+"."+name, "null inside; %s", changeWants[name])
		}
	}
	if len(c.Vars) == 0 {
		c.Vars = nil // no variables change nothing, as if they were not there
	}
	return c, nil
}

// wholeSize reports whether a size is a pair: encoding/json fills up short
// arrays and cuts long ones.
func wholeSize(name string, in json.RawMessage) bool {
	if name != "size" {
		return true
	}
	var list []json.RawMessage
	return json.Unmarshal(in, &list) == nil && len(list) == 2
}

// hasNull reports whether a value holds a null, which encoding/json takes for
// an empty string or a zero.
func hasNull(in json.RawMessage) bool {
	if !strings.Contains(string(in), "null") {
		return false
	}
	dec := json.NewDecoder(strings.NewReader(string(in)))
	for {
		tok, err := dec.Token()
		if err != nil {
			return false
		}
		if tok == nil {
			return true
		}
	}
}
