package strictyaml

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Field is a key that a struct gives to its mapping.
type Field struct {
	// Key is its name in YAML.
	Key string
	// Owner is the struct that declares it, and Name the field's name there.
	Owner reflect.Type
	Name  string
	// Type is the type of the value.
	Type reflect.Type
	// Index leads to it from the outer struct, for [reflect.Value.FieldByIndex].
	Index []int
}

// Fields returns the keys of the struct type t in the order in which they are
// declared. A field has the key of its yaml tag; without a tag, or with "-",
// it cannot be configured. The fields of an embedded struct without a tag
// stand in its place. Two fields with one key are a programmer's error and
// panic.
func Fields(t reflect.Type) []Field {
	var out []Field
	seen := map[string]bool{}
	var walk func(t reflect.Type, at []int)
	walk = func(t reflect.Type, at []int) {
		for i := range t.NumField() {
			f := t.Field(i)
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			here := append(slices.Clip(at), i)
			switch {
			case f.Anonymous && key == "" && f.Type.Kind() == reflect.Struct:
				walk(f.Type, here)
			case key == "" || key == "-" || !f.IsExported():
			case seen[key]:
				panic(fmt.Sprintf("strictyaml: %s has two fields with the key %q", t, key))
			default:
				seen[key] = true
				out = append(out, Field{key, t, f.Name, f.Type, here})
			}
		}
	}
	walk(t, nil)
	return out
}
