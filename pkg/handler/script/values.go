package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// object is a value with named fields, which cannot be changed.
type object struct {
	kind   string
	fields starlark.StringDict
}

// String implements starlark.Value.
func (o *object) String() string {
	var parts []string
	for _, name := range o.AttrNames() {
		parts = append(parts, name+" = "+o.fields[name].String())
	}
	return o.kind + "(" + strings.Join(parts, ", ") + ")"
}

// Type implements starlark.Value.
func (o *object) Type() string { return o.kind }

// Freeze implements starlark.Value.
func (o *object) Freeze() { o.fields.Freeze() }

// Truth implements starlark.Value.
func (o *object) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (o *object) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", o.kind) }

// Attr implements starlark.HasAttrs.
func (o *object) Attr(name string) (starlark.Value, error) { return o.fields[name], nil }

// AttrNames implements starlark.HasAttrs.
func (o *object) AttrNames() []string { return slices.Sorted(maps.Keys(o.fields)) }

// ambient is a value that is another one in each run: the chart, the view and
// the session of the callback. The run knows what its fields are.
type ambient string

// ambients returns all there are.
func ambients() []ambient { return []ambient{"chart", "view", "session"} }

// String implements starlark.Value.
func (a ambient) String() string { return "<" + string(a) + ">" }

// Type implements starlark.Value.
func (a ambient) Type() string { return string(a) }

// Freeze implements starlark.Value.
func (ambient) Freeze() {}

// Truth implements starlark.Value.
func (ambient) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (a ambient) Hash() (uint32, error) { return starlark.String(a).Hash() }

// field returns a field of an ambient value.
func (r *run) field(a ambient, name string) (starlark.Value, error) {
	if r.call == nil {
		return nil, errOutside(string(a))
	}
	fields := r.fields(a)
	f, ok := fields[name]
	if !ok {
		return nil, noField(string(a), name, slices.Sorted(maps.Keys(fields)))
	}
	v := f()
	s := scale{left: r.limits.value}
	if err := s.add(v, 0); err != nil {
		return nil, err
	}
	return v, r.charge(4*entryWeight + entryWeight/nodeWeight*(r.limits.value-s.left))
}

// claims returns the caller's claims as a dict, which is empty if there are none.
func claims(b json.RawMessage) starlark.Value {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	tree := map[string]any{}
	if err := dec.Decode(&tree); err != nil {
		return new(starlark.Dict) // there are none
	}
	out := new(starlark.Dict)
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if v, err := fromJSON(tree[name], 1); err == nil { // otherwise it is deeper than anything a script can look through
			_ = out.SetKey(starlark.String(name), v) // a text hashes
		}
	}
	return out
}

// errOutside is that a script wants something of a callback when there is none.
func errOutside(what string) error {
	return fmt.Errorf("%s is there while a callback runs: write it in %s(call)", what, entry)
}

// fields returns what an ambient value has.
func (r *run) fields(a ambient) map[string]func() starlark.Value {
	spec, view := r.call.Spec(), r.call.View()
	switch a {
	case "chart":
		return map[string]func() starlark.Value{
			"name":    func() starlark.Value { return starlark.String(r.call.Chart()) },
			"title":   func() starlark.Value { return starlark.String(spec.Title) },
			"kind":    func() starlark.Value { return starlark.String(spec.Kind) },
			"window":  func() starlark.Value { return starlark.MakeInt64(spec.Window.Millis()) },
			"refresh": func() starlark.Value { return starlark.MakeInt64(spec.Refresh.Millis()) },
			"size":    func() starlark.Value { return pair(int64(spec.Size[0]), int64(spec.Size[1])) },
		}
	case "session":
		return map[string]func() starlark.Value{
			"id": func() starlark.Value {
				if s := r.call.Session(); s != nil {
					return starlark.String(s.Name())
				}
				return starlark.String("")
			},
			"user":   func() starlark.Value { return starlark.String(r.call.User()) },
			"claims": func() starlark.Value { return claims(r.call.Claims()) },
		}
	}
	return map[string]func() starlark.Value{
		"id":      func() starlark.Value { return starlark.String(view.ID()) },
		"title":   func() starlark.Value { return starlark.String(spec.TitleOf(view, r.pool.store)) },
		"window":  func() starlark.Value { return starlark.MakeInt64(view.Window.Millis()) },
		"refresh": func() starlark.Value { return starlark.MakeInt64(view.Refresh.Millis()) },
		"size":    func() starlark.Value { return pair(int64(view.Width), int64(view.Height)) },
		"range": func() starlark.Value {
			if view.Live() {
				return starlark.None
			}
			return pair(view.From, view.To)
		},
		"hidden": func() starlark.Value {
			var out starlark.Tuple
			for _, name := range view.Hidden() {
				out = append(out, starlark.String(name))
			}
			return out
		},
		"vars": func() starlark.Value {
			picks, out := spec.Picks(view, r.pool.store), new(starlark.Dict)
			for _, name := range slices.Sorted(maps.Keys(spec.Vars)) {
				if v, known := picks.Value(name); known {
					_ = out.SetKey(starlark.String(name), starlark.String(v)) // a text hashes
				}
			}
			return out
		},
		"marks": func() starlark.Value {
			var out starlark.Tuple
			for _, m := range view.Marks() {
				f := starlark.StringDict{"t": starlark.MakeInt64(m.T), "to": starlark.None, "text": starlark.String(m.Text)}
				if m.To != 0 {
					f["to"] = starlark.MakeInt64(m.To)
				}
				out = append(out, &object{"mark", f})
			}
			return out
		},
	}
}

func pair(a, b int64) starlark.Value {
	return starlark.Tuple{starlark.MakeInt64(a), starlark.MakeInt64(b)}
}
