package strictyaml

import (
	"encoding"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Union is a value that is written either as one text or as a mapping.
type Union interface {
	// Part returns a pointer to what takes the one or the other. The value itself
	// may take the mapping.
	Part(mapping bool) any
}

// Templated is a struct in which a text with "{{" may stand wherever a value
// may: it becomes one later.
type Templated interface {
	// Defer takes such a text. path leads to its place: keys are strings, the
	// indexes of lists are ints. plain reports that the value there reads a text;
	// any other has to be made of JSON. What is there keeps its zero value. The
	// error says "what; want", as that of an UnmarshalText.
	Defer(path []any, text string, plain bool) error
}

var (
	unionType     = reflect.TypeFor[Union]()
	templatedType = reflect.TypeFor[Templated]()
)

// IsUnion reports whether values of type t are a Union.
func IsUnion(t reflect.Type) bool { return reflect.PointerTo(t).Implements(unionType) }

// IsTemplated reports whether values of type t are Templated.
func IsTemplated(t reflect.Type) bool { return reflect.PointerTo(t).Implements(templatedType) }

// templates is what is being decoded of a Templated.
type templates struct {
	sink Templated
	path []any // of the value that is being decoded
}

// decodeUnion stores n in the part of v that is for it.
func (d *Document) decodeUnion(n *yaml.Node, v reflect.Value, path string) {
	u, ok := reflect.TypeAssert[Union](v.Addr())
	if !ok || n.Kind == yaml.SequenceNode {
		d.wrongType(n, path, "a text or a mapping", concealed(v.Type()))
		return
	}
	part := reflect.ValueOf(u.Part(n.Kind == yaml.MappingNode)).Elem()
	// The value has been entered already, as the union.
	switch {
	case n.Kind != yaml.MappingNode:
		d.decode(n, part, path, options{})
	case part.Kind() == reflect.Map:
		d.decodeMap(n, part, path)
	default:
		d.decodeStruct(n, part, path, options{})
	}
}

// begin notes that v, a struct, is being decoded. The function that it returns
// notes the end.
func (d *Document) begin(v reflect.Value) func() {
	if d.templates != nil || !v.CanAddr() {
		return func() {}
	}
	sink, ok := reflect.TypeAssert[Templated](v.Addr())
	if !ok {
		return func() {}
	}
	d.templates = &templates{sink: sink}
	return func() { d.templates = nil }
}

// below decodes a value that stands at step in the one that is being decoded.
func (d *Document) below(step any, decode func()) {
	if d.templates == nil {
		decode()
		return
	}
	t := d.templates
	t.path = append(t.path, step)
	decode()
	t.path = t.path[:len(t.path)-1]
}

// deferred hands n to a Templated around it, if it is a template.
func (d *Document) deferred(n *yaml.Node, v reflect.Value, path string) bool {
	if d.templates == nil || n.Kind != yaml.ScalarNode || !strings.Contains(n.Value, "{{") {
		return false
	}
	s, ok := d.text(n, path, wanted(v.Type()), v.Type())
	if !ok {
		return true
	}
	plain := v.Kind() == reflect.String || reflect.PointerTo(v.Type()).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
	if err := d.templates.sink.Defer(slices.Clone(d.templates.path), s.text, plain); err != nil {
		what, want, _ := strings.Cut(err.Error(), "; ")
		d.badScalar(n, path, s, what, want)
	}
	return true
}
