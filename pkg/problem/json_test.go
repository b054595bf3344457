package problem_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/chartd/chartd/pkg/problem"
)

func TestOfJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"b":1}`:   "a JSON number, where true or false is wanted",
		`{"i":1.5}`: "a JSON number 1.5, where a whole number is wanted",
		`{"u":"1"}`: "a JSON string, where a whole number is wanted",
		`{"f":[]}`:  "a JSON array, where a number is wanted",
		`{"s":{}}`:  "a JSON object, where a text is wanted",
		`{"l":"x"}`: "a JSON string, where a list is wanted",
		`{"a":"x"}`: "a JSON string, where a list of 2 is wanted",
		`{"m":5}`:   "a JSON number, where an object is wanted",
		`5`:         "a JSON number, where an object is wanted",
		`{"c":"x"}`: "a JSON string, where chan int is wanted",
	} {
		var v struct {
			B bool
			I int64
			U uint16
			F float64
			S string
			L []string
			A [2]int
			M map[string]string
			C chan int
		}
		e, ok := errors.AsType[*json.UnmarshalTypeError](json.Unmarshal([]byte(text), &v))
		if !ok {
			t.Errorf("%s: no error of a type", text)
		} else if got := problem.OfJSON(e); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
