package problem

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// OfJSON says in the words of who writes JSON what encoding/json says in those
// of Go: "a JSON number, where a text is wanted".
func OfJSON(e *json.UnmarshalTypeError) string {
	return fmt.Sprintf("a JSON %s, where %s is wanted", e.Value, wanted(e.Type))
}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	case reflect.Array:
		return fmt.Sprintf("a list of %d", t.Len())
	case reflect.Map, reflect.Struct:
		return "an object"
	default:
		return t.String()
	}
}
