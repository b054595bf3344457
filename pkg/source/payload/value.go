package payload

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"
)

// What says what a text is.
type What uint8

// The kinds of texts.
const (
	Other   What = iota // something else
	Number              // a number, or a word that means one
	Nothing             // a word for no value, or empty
)

// words mean numbers, or nothing.
var words = [...]struct {
	text string
	v    float64
	what What
}{
	{"true", 1, Number},
	{"false", 0, Number},
	{"on", 1, Number},
	{"off", 0, Number},
	{"yes", 1, Number},
	{"no", 0, Number},
	{"online", 1, Number},
	{"offline", 0, Number},
	{"nan", 0, Nothing},
	{"null", 0, Nothing},
	{"none", 0, Nothing},
	{"unknown", 0, Nothing},
	{"unavailable", 0, Nothing},
}

const longestNumber = 64 // bytes

// Value reads a text that is a number as Go, C or JSON write it, in decimals, or
// one of a few words: true, on, yes and online are 1, false, off, no and offline
// are 0, in small letters or in large ones. It may stand in double quotes.
func Value(b []byte) (v float64, what What) {
	b = bytes.TrimSpace(b)
	if len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
		b = bytes.TrimSpace(b[1 : len(b)-1])
	}
	if len(b) == 0 {
		return 0, Nothing
	}
	if len(b) > longestNumber {
		return 0, Other
	}
	switch c := b[0]; {
	case c >= '0' && c <= '9', c == '-', c == '+', c == '.':
		if bytes.ContainsAny(b, "xXpP_iIn") { // hexadecimal, infinite
			return 0, Other
		}
		v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
		if err != nil || math.IsInf(v, 0) {
			return 0, Other
		}
		return v, Number
	}
	for i := range words {
		if w := &words[i]; len(w.text) == len(b) && bytes.EqualFold([]byte(w.text), b) {
			return w.v, w.what
		}
	}
	return 0, Other
}
