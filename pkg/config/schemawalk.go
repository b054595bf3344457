package config

import (
	_ "embed"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/chartd/chartd/pkg/config/strictyaml"
	"github.com/chartd/chartd/pkg/quantity"
)

// docs.json holds the doc comment of every field that can be configured. A
// test keeps it true; `go test ./pkg/config -run TestFieldDocs -update` writes
// it.
//
//go:embed docs.json
var docsJSON []byte

func fieldDocs() (map[string]string, error) {
	var docs map[string]string
	if err := json.Unmarshal(docsJSON, &docs); err != nil {
		return nil, fmt.Errorf("reading the embedded docs.json: %w", err)
	}
	return docs, nil
}

// generator makes schemas from values that hold the defaults.
type generator struct{ docs map[string]string }

const (
	durationPattern = `^([0-9]+d|([0-9]+d)?([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+|[0-9]+(\.[0-9]+)?)$`
	bytesPattern    = `^[0-9]+(\.[0-9]+)? ?(KiB|MiB|GiB|KB|MB|GB|B)?$`
	variablePattern = `\$\{`
	templatePattern = `\{\{`
)

// variable is a value that comes from the environment, whatever its type.
func variable() *schema {
	return &schema{Type: "string", Pattern: variablePattern, Description: "An environment variable: ${NAME} or ${NAME:-default}."}
}

// object returns the schema of a struct.
func (g generator) object(v reflect.Value) *schema {
	s := &schema{
		Type: section("object"), Properties: map[string]*schema{},
		AdditionalProperties: false, Required: required(v.Type()), AnyOf: oneOfThem(v.Type()),
	}
	for _, f := range strictyaml.Fields(v.Type()) {
		p := g.value(v.FieldByIndex(f.Index))
		p.Description = g.describe(f.Owner, f.Name, f.Key)
		s.Properties[f.Key] = p
	}
	if strictyaml.IsTemplated(v.Type()) {
		for _, p := range s.Properties {
			templated(p)
		}
	}
	return s
}

// templated makes s, and what is in it, take a template as well.
func templated(s *schema) {
	switch {
	case len(s.AnyOf) > 0:
		s.AnyOf = append(s.AnyOf, &schema{Type: "string", Pattern: templatePattern, Description: "A template."})
	case s.Properties != nil, s.Items != nil, s.AdditionalProperties != nil:
		kinds, ok := s.Type.([]string)
		if one, single := s.Type.(string); single {
			kinds, ok = []string{one}, true
		}
		if ok {
			s.Type, s.Pattern = append(slices.Clone(kinds), "string"), templatePattern
		}
	}
	for _, p := range s.Properties {
		templated(p)
	}
	if s.Items != nil {
		templated(s.Items)
	}
	if rest, ok := s.AdditionalProperties.(*schema); ok {
		templated(rest)
	}
}

// value returns the schema of a value with its default.
func (g generator) value(v reflect.Value) *schema {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		zero := g.value(reflect.Zero(t.Elem()))
		zero.Default = nil
		return zero
	}
	if w, ok := vocabulary()[t]; ok {
		s := &schema{Default: textDefault(v), AnyOf: []*schema{{Enum: w.list}, variable()}}
		if w.open {
			s.AnyOf[1] = &schema{Type: "string", Description: "Any other text is written behind the number."}
		}
		return s
	}
	if u, ok := reflect.TypeAssert[strictyaml.Union](reflect.New(t)); ok {
		text, mapping := reflect.ValueOf(u.Part(false)).Elem(), reflect.ValueOf(u.Part(true)).Elem()
		if mapping.Type() == t { // the value itself
			self := g.object(mapping)
			self.Type = "object"
			return &schema{AnyOf: []*schema{g.value(text), self}}
		}
		return &schema{AnyOf: []*schema{g.value(text), g.value(mapping)}}
	}
	switch t {
	case reflect.TypeFor[quantity.Duration]():
		return &schema{
			Default: textDefault(v), Examples: []any{"500ms", "1s", "5m", "1h", "7d"},
			AnyOf: []*schema{
				{Type: "string", Pattern: durationPattern},
				{Type: "number", Description: "Milliseconds."},
				variable(),
			},
		}
	case reflect.TypeFor[quantity.Bytes]():
		return &schema{
			Default: textDefault(v), Examples: []any{"64KiB", "10MiB"},
			AnyOf: []*schema{{Type: "string", Pattern: bytesPattern}, {Type: "number", Description: "Bytes."}, variable()},
		}
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return &schema{Default: textDefault(v), Type: scalarTypes()}
	}
	return g.plain(v)
}

// scalarTypes are what YAML may hold where text is wanted: a number is the
// text as it was written.
func scalarTypes() []string { return []string{"string", "number", "boolean"} }

func (g generator) plain(v reflect.Value) *schema {
	t := v.Type()
	switch t.Kind() {
	case reflect.Struct:
		return g.object(v)
	case reflect.Map:
		return &schema{Type: section("object"), AdditionalProperties: g.value(reflect.Zero(t.Elem()))}
	case reflect.Slice:
		return &schema{Type: section("array"), Items: g.item(t), Default: listDefault(v)}
	case reflect.Array:
		return &schema{Type: "array", Items: g.item(t), MinItems: t.Len(), MaxItems: t.Len(), Default: v.Interface()}
	case reflect.String:
		s := &schema{Type: scalarTypes()}
		if v.Len() > 0 {
			s.Default = v.String()
		}
		return s
	case reflect.Bool:
		return &schema{AnyOf: []*schema{{Type: "boolean"}, variable()}, Default: v.Bool()}
	case reflect.Float32, reflect.Float64:
		return &schema{AnyOf: []*schema{{Type: "number"}, variable()}, Default: v.Interface()}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &schema{AnyOf: []*schema{{Type: "integer"}, variable()}, Default: v.Interface()}
	default:
		panic(fmt.Sprintf("config: a %s cannot be configured", t))
	}
}

// item returns the schema of what a list holds; an item has no default, and
// is never empty.
func (g generator) item(t reflect.Type) *schema {
	s := g.value(reflect.Zero(t.Elem()))
	s.Default = nil
	if t.Elem().Kind() == reflect.Struct {
		s.Type = "object"
	}
	return s
}

func textDefault(v reflect.Value) any {
	if v.IsZero() && v.Kind() == reflect.String {
		return nil
	}
	return fmt.Sprint(v.Interface())
}

func listDefault(v reflect.Value) any {
	if v.Len() == 0 {
		return nil
	}
	return v.Interface()
}
