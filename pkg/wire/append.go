package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chartd/chartd/pkg/plotting"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string and returns the extended buffer. It
// writes what encoding/json writes with HTML escaping off: bytes that are not
// UTF-8 become U+FFFD; U+2028 and U+2029 are escaped, so that the text is a
// JavaScript literal, too.
func AppendString[T string | []byte](b []byte, s T) []byte {
	return append(appendContent(append(b, '"'), s), '"')
}

// appendContent appends s as the inside of a JSON string.
func appendContent[T string | []byte](b []byte, s T) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[start:i]...)
			b = appendControl(b, c)
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
			start = i + 1
		case r == '\u2028' || r == '\u2029':
			b = append(b, s[start:i]...)
			b = append(b, `\u202`...)
			b = append(b, hexDigits[r&0xF])
			start = i + n
		}
		i += n
	}
	return append(b, s[start:]...)
}

// appendControl appends an ASCII character that must be escaped.
func appendControl(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
}

// plain holds true for the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// object writes a JSON object by hand: no reflection, no HTML escaping, the
// fields in the order of the calls.
type object struct{ b []byte }

func begin(b []byte, t string) object {
	b = append(b, `{"t":"`...)
	b = append(b, t...)
	return object{append(b, '"')}
}

func (o object) end() []byte { return append(o.b, '}') }

func (o object) key(name string) object {
	o.b = append(o.b, ',', '"')
	o.b = append(o.b, name...)
	return object{append(o.b, '"', ':')}
}

// id writes the request's id if there is one.
func (o object) id(id ID) object {
	if id == "" {
		return o
	}
	return o.raw("id", string(id))
}

// must writes a string even if it is empty.
func (o object) must(name, s string) object {
	o = o.key(name)
	return object{AppendString(o.b, s)}
}

// str writes a string unless it is empty.
func (o object) str(name, s string) object {
	if s == "" {
		return o
	}
	return o.must(name, s)
}

func (o object) boolean(name string, v bool) object {
	o = o.key(name)
	return object{strconv.AppendBool(o.b, v)}
}

func (o object) num(name string, v uint64) object {
	o = o.key(name)
	return object{strconv.AppendUint(o.b, v, 10)}
}

func (o object) millis(name string, d time.Duration) object {
	o = o.key(name)
	us := max(0, d.Microseconds())
	return object{strconv.AppendFloat(o.b, float64(us)/1e3, 'f', -1, 64)}
}

func (o object) raw(name, text string) object {
	o = o.key(name)
	return object{append(o.b, text...)}
}

// json writes a value that is JSON already, unless it is nil. What is not JSON
// after all becomes null, and bytes that are not UTF-8 become U+FFFD, so that a
// handler cannot break the message.
func (o object) json(name string, v json.RawMessage) object {
	if v == nil {
		return o
	}
	if !json.Valid(v) {
		return o.raw(name, "null")
	}
	return o.raw(name, strings.ToValidUTF8(string(v), "\ufffd"))
}

// change writes a view's change. It is rare: one per request.
func (o object) change(name string, c *plotting.Change) object {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(c); err != nil {
		panic(err) // strings, numbers and durations always encode
	}
	return o.raw(name, strings.TrimSuffix(text.String(), "\n"))
}

// changed writes a view's change unless it changes nothing.
func (o object) changed(name string, c *plotting.Change) object {
	if reflect.ValueOf(c).Elem().IsZero() {
		return o
	}
	return o.change(name, c)
}
