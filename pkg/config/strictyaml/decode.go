package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// options say which keys of a mapping are not for the struct it is decoded
// into.
type options struct {
	known []string              // somebody else's keys
	skip  func(key string) bool // keys that nobody reads
}

var (
	nodeType        = reflect.TypeFor[Node]()
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decode stores n, which stands at path, in v. After an error v keeps what it
// has.
func (d *Document) decode(n *yaml.Node, v reflect.Value, path string, o options) {
	if v.Type() == nodeType {
		if !isNull(n) {
			v.Set(reflect.ValueOf(Node{n, path}))
		}
		return
	}
	if v.Kind() == reflect.Pointer {
		d.decodePointer(n, v, path, o)
		return
	}
	target, leave := d.enter(n, path)
	defer leave()
	if target == nil || !d.checkTag(target, path, v.Type()) || d.deferred(target, v, path) {
		return
	}
	switch {
	case v.CanAddr() && v.Addr().Type().Implements(unionType):
		d.decodeUnion(target, v, path)
		return
	case v.CanAddr() && v.Addr().Type().Implements(unmarshalerType):
		d.decodeText(target, v.Addr(), path)
		return
	case isNull(target) && slices.Contains([]reflect.Kind{reflect.Struct, reflect.Map, reflect.Slice}, v.Kind()):
		return // a section whose lines are all commented out
	}
	switch v.Kind() {
	case reflect.Struct:
		d.decodeStruct(target, v, path, o)
	case reflect.Map:
		d.decodeMap(target, v, path)
	case reflect.Slice, reflect.Array:
		d.decodeList(target, v, path)
	default:
		d.decodeScalar(target, v, path)
	}
}

func (d *Document) decodePointer(n *yaml.Node, v reflect.Value, path string, o options) {
	if isNull(n) {
		v.SetZero()
		return
	}
	// The default behind the pointer may be shared: it is copied.
	elem := reflect.New(v.Type().Elem())
	if !v.IsNil() {
		elem.Elem().Set(v.Elem())
	}
	d.decode(n, elem.Elem(), path, o)
	if !d.bad[path] {
		v.Set(elem)
	}
}

func (d *Document) decodeStruct(n *yaml.Node, v reflect.Value, path string, o options) {
	fields := Fields(v.Type())
	keys := make([]string, 0, len(fields)+len(o.known))
	for _, f := range fields {
		keys = append(keys, f.Key)
	}
	keys = append(keys, o.known...)
	if n.Kind != yaml.MappingNode {
		want := "a mapping with the keys " + strings.Join(keys, ", ")
		if last := path[strings.LastIndexByte(path, '.')+1:]; last != path && slices.Contains(keys, last) {
			// charts: {room: , title: Temperature}: what belongs into the mapping stands beside it.
			want = fmt.Sprintf("a mapping; if %q belongs to the name above it, indent it by two more spaces", last)
		}
		d.wrongType(n, path, want, path != "" && concealed(v.Type()))
		return
	}
	defer d.begin(v)()
	for _, p := range d.pairs(n, path) {
		at := slices.IndexFunc(fields, func(f Field) bool { return f.Key == p.key.Value })
		switch {
		case at >= 0:
			below := join(path, p.key.Value)
			d.place(below, p.key, p.value)
			d.below(p.key.Value, func() { d.decode(p.value, v.FieldByIndex(fields[at].Index), below, options{}) })
		case slices.Contains(o.known, p.key.Value), o.skip != nil && o.skip(p.key.Value):
		default:
			d.unknownKey(p.key, path, keys, isNull(p.value) && concealed(v.Type()))
		}
	}
}

func (d *Document) decodeMap(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, path, "a mapping of names to "+plural(v.Type().Elem()), concealed(v.Type()))
		return
	}
	m := reflect.MakeMap(v.Type())
	for _, p := range d.pairs(n, path) {
		below := join(path, p.key.Value)
		d.place(below, p.key, p.value)
		elem := reflect.New(v.Type().Elem()).Elem()
		d.below(p.key.Value, func() { d.decode(p.value, elem, below, options{}) })
		m.SetMapIndex(reflect.ValueOf(p.key.Value).Convert(v.Type().Key()), elem)
	}
	v.Set(m)
}

func (d *Document) decodeList(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.wrongType(n, path, wanted(v.Type()), concealed(v.Type()))
		return
	}
	if v.Kind() == reflect.Array && v.Len() != len(n.Content) {
		d.errs.add(positionOf(n), path, fmt.Sprintf("the number of items is %d", len(n.Content)), "want "+wanted(v.Type()))
		d.bad[path] = true
		return
	}
	list := v
	if v.Kind() == reflect.Slice {
		list = reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	}
	for i, item := range n.Content {
		below := index(path, i)
		d.place(below, nil, item)
		d.below(i, func() { d.decode(item, list.Index(i), below, options{}) })
	}
	v.Set(list)
}

// braced reports whether n is one key in braces, without a value.
func braced(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 && len(n.Content) == 2 && isNull(n.Content[1])
}

// wrongType reports that n is not what the value at path must be. hide keeps
// what n says to itself.
func (d *Document) wrongType(n *yaml.Node, path, want string, hide bool) {
	d.bad[path] = true
	want = "want " + want
	switch {
	case hide:
	case braced(n) && braced(n.Content[0]):
		// The same with one of a callback: title: {{ .arg }}.
		want = fmt.Sprintf(`put quotes around it if you mean the text: '{{ %s }}'`, clip(n.Content[0].Content[0].Value))
	case braced(n):
		// The usual slip with a template: name: {mode}.
		want = fmt.Sprintf(`put quotes around it if you mean the text: "{%s}"`, clip(n.Content[0].Value))
	case strings.HasPrefix(want, "want a list") && n.Kind == yaml.MappingNode:
		want += `; an item of a list begins with "- "`
	}
	what := "is " + describe(n, n.Value, "")
	if hide && n.Kind == yaml.ScalarNode {
		what = "is one text"
	}
	if n.Kind == yaml.ScalarNode && isNull(n) {
		what = "has no value"
	}
	d.errs.add(positionOf(n), path, what, want)
}

// checkTag refuses the tags that make YAML more than data.
func (d *Document) checkTag(n *yaml.Node, path string, t reflect.Type) bool {
	if n.Style&yaml.TaggedStyle == 0 {
		return true
	}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
		return true
	}
	what, want := "unknown tag "+quote(n.ShortTag()), "remove it"
	if path != "" && concealed(t) {
		what, want = `begins with "!"`, "put quotes around the text"
	}
	d.errs.add(positionOf(n), path, what, want)
	d.bad[path] = true
	return false
}

// wanted names a type for a person.
func wanted(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(unmarshalerType) {
		return "a " + strings.ToLower(t.Name())
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list of " + plural(t.Elem())
	case reflect.Array:
		return fmt.Sprintf("a list of %d %s", t.Len(), plural(t.Elem()))
	case reflect.Map:
		return "a mapping of names to " + plural(t.Elem())
	case reflect.Struct:
		return "a mapping"
	default:
		return "a whole number"
	}
}

// plural names many values of a type.
func plural(t reflect.Type) string {
	switch name := wanted(t); name {
	case "text":
		return "texts"
	case "true or false":
		return "booleans"
	default:
		name = strings.TrimPrefix(name, "a ")
		head, tail, _ := strings.Cut(name, " of ")
		if tail != "" {
			tail = " of " + tail
		}
		return head + "s" + tail
	}
}
