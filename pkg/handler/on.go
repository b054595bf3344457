package handler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/session"
)

// tickWord is the On of rows that run at every tick.
const tickWord = "tick"

// whole is the field of On that stands for the argument itself.
const whole = "."

// On says which callbacks a row is for.
type On struct {
	// Text is the argument, as a pattern; "tick" is every tick of every watched
	// view, and no argument. An argument that is not a text is compared as JSON,
	// but one that spells out a change of the view fits no text: otherwise "*"
	// would take zooming away from viewers.
	Text string
	// Fields are patterns of fields of an argument that is a JSON object; all of
	// them must fit. A dot leads into a field, "." is the argument itself.
	Fields map[string]string
}

// Part makes On what a configuration writes as one text or as a mapping.
func (o *On) Part(mapping bool) any {
	if mapping {
		return &o.Fields
	}
	return &o.Text
}

// String returns the row's name in logs and metrics: its text, or its fields as
// "{action: deploy}".
func (o On) String() string {
	if o.Fields == nil {
		return o.Text
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(o.Fields)) {
		pairs = append(pairs, name+": "+o.Fields[name])
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// tick reports whether the row is for ticks.
func (o On) tick() bool { return o.Fields == nil && o.Text == tickWord }

const wantOn = `the argument of the callback, as "MyCustomArgs", "zoom:*" or {action: deploy}; or tick`

// maxOn bounds a pattern, in bytes; its name is a label of metrics.
const maxOn = 256

func (o On) validate() []problem.Problem {
	if o.Text == "" && len(o.Fields) == 0 {
		return []problem.Problem{{What: "is missing", Want: wantOn}}
	}
	if n := len(o.String()); n > maxOn {
		return []problem.Problem{{What: fmt.Sprintf("is %d bytes long", n), Want: fmt.Sprintf("at most %d", maxOn)}}
	}
	if _, there := o.Fields[""]; there {
		return []problem.Problem{{What: "has a field without a name", Want: `the name of a field, or "." for the argument itself`}}
	}
	return nil
}

// fits reports whether the row is for a call.
func (o On) fits(a *argument) bool {
	if a.call.Cause() == session.CauseTick {
		return o.tick()
	}
	if o.Fields == nil {
		return !o.tick() && !a.call.OfView() && fits(o.Text, a.text())
	}
	for path, pattern := range o.Fields {
		v, there := a.value(), true
		if path != whole {
			v, there = lookup(v, path)
		}
		if !there || !fitsValue(pattern, v) {
			return false
		}
	}
	return true
}

// argument is that of one call, decoded when it is first asked for.
type argument struct {
	call    *session.Call
	decoded bool
	v       any
}

func (a *argument) text() string { return a.call.ArgString() }

// value returns the argument with its numbers as json.Number; nil if there is
// none.
func (a *argument) value() any {
	if !a.decoded {
		a.decoded = true
		a.v = decode(a.call.Arg())
	}
	return a.v
}

func decode(arg json.RawMessage) (v any) {
	dec := json.NewDecoder(bytes.NewReader(arg))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil // there is none
	}
	return v
}

// lookup finds a field of an object: the one of that name, or the one that the
// dots lead to.
func lookup(v any, path string) (any, bool) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	if found, there := object[path]; there {
		return found, true
	}
	for i, r := range path {
		if r != '.' {
			continue
		}
		if inner, there := object[path[:i]]; there {
			if found, ok := lookup(inner, path[i+1:]); ok {
				return found, true
			}
		}
	}
	return nil, false
}

// fitsValue compares a text as a pattern, a number by its value too, and
// anything else by its JSON.
func fitsValue(pattern string, v any) bool {
	text, err := textOf(v)
	if err != nil {
		b, err := json.Marshal(v)
		if err != nil {
			return false
		}
		text = string(b)
	}
	if fits(pattern, text) {
		return true
	}
	if n, ok := v.(json.Number); ok {
		want, errWant := strconv.ParseFloat(pattern, 64)
		got, errGot := n.Float64()
		return errWant == nil && errGot == nil && want == got
	}
	return false
}

// fits reports whether text is pattern, or is what its "*" and "?" stand for.
func fits(pattern, text string) bool {
	if pattern == text {
		return true
	}
	if !strings.ContainsAny(pattern, "*?") {
		return false
	}
	p, s := []rune(pattern), []rune(text)
	// On a mismatch, the last star takes one character more; earlier stars
	// never need to be tried again.
	star, from := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
