package strictyaml

import (
	"reflect"
	"regexp"
)

// A type with a method Concealed holds what nobody should see, such as a
// password. No error repeats what a document has in its place, nor what it has
// in the place of a list, a mapping or a struct of such values.
var concealedType = reflect.TypeFor[interface{ Concealed() }]()

// concealed reports whether a value of type t may hold a secret.
func concealed(t reflect.Type) bool { return conceals(t, map[reflect.Type]bool{}) }

func conceals(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t.Implements(concealedType) {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return conceals(t.Elem(), seen)
	case reflect.Struct:
		for _, f := range Fields(t) {
			if conceals(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

// onlyVariable reports whether a text is one variable and nothing else, so that
// an error may name it.
func onlyVariable(s string) bool {
	return regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]{0,63}\}$`).MatchString(s)
}

// mayConceal reports whether a text that is not YAML, so that nobody knows what
// stands where, has a key that is usually followed by a secret.
func mayConceal(text []byte) bool {
	return regexp.MustCompile(`(?i)(token|secret|password|credential)s?["']?\s*:`).Match(text)
}
