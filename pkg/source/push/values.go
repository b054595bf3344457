package push

import (
	"fmt"
	"strings"
)

// kind is what sort of value comes next.
type kind string

const (
	aString  kind = "a string"
	aNumber  kind = "a number"
	aBoolean kind = "a boolean"
	aNull    kind = "null"
	anObject kind = "an object"
	anArray  kind = "an array"
)

// kindOf returns the kind of a value by its first byte; "" begins none.
func kindOf(c byte) kind {
	switch {
	case c == '"':
		return aString
	case c == '-' || '0' <= c && c <= '9':
		return aNumber
	case c == 't' || c == 'f':
		return aBoolean
	case c == 'n':
		return aNull
	case c == '{':
		return anObject
	case c == '[':
		return anArray
	}
	return ""
}

// next goes to the next value and returns its kind. An error means that none
// comes.
func (s *scanner) next() (kind, error) {
	s.skipSpace()
	c, ok := s.peek()
	if k := kindOf(c); ok && k != "" {
		return k, nil
	}
	if c == 'N' {
		return "", s.unexpected(`want a value (a gap is null, or "NaN" in quotes)`)
	}
	return "", s.unexpected("want a value")
}

// readNumber reads a number, which is next, into text.
func (s *scanner) readNumber() error {
	s.text = s.text[:0]
	for {
		c, ok := s.peek()
		if !ok || strings.IndexByte("+-.0123456789Ee", c) < 0 {
			break
		}
		s.text = append(s.text, c)
		s.pos++
	}
	if !isNumber(s.text) {
		return fmt.Errorf("%.40q is not a number as JSON has it", s.text)
	}
	return nil
}

// isNumber reports whether b is a number as JSON has it: no leading zero or
// plus, digits on both sides of the point.
func isNumber(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	whole := digits(b)
	if whole == 0 || whole > 1 && b[0] == '0' {
		return false
	}
	b = b[whole:]
	if len(b) > 0 && b[0] == '.' {
		fraction := digits(b[1:])
		if fraction == 0 {
			return false
		}
		b = b[1+fraction:]
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		exponent := digits(b)
		return exponent > 0 && exponent == len(b)
	}
	return len(b) == 0
}

// digits returns how many digits b begins with.
func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}

// readWord reads true, false or null, which is next.
func (s *scanner) readWord() error {
	c, _ := s.peek()
	word := "null"
	switch c {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	}
	for i := range len(word) {
		if c, ok := s.peek(); !ok || c != word[i] {
			return s.unexpected(fmt.Sprintf("want %q", word))
		}
		s.pos++
	}
	return nil
}

// skip passes over a value of any kind, which is next.
func (s *scanner) skip(depth int) error {
	k, err := s.next()
	if err != nil {
		return err
	}
	switch k {
	case aString:
		return s.readString()
	case aNumber:
		return s.readNumber()
	case anObject:
		return s.skipAll('}', depth, func() error {
			if err := s.key(); err != nil {
				return err
			}
			return s.skip(depth + 1)
		})
	case anArray:
		return s.skipAll(']', depth, func() error { return s.skip(depth + 1) })
	}
	return s.readWord()
}

// skipAll passes over the members of an object or array up to its end.
func (s *scanner) skipAll(end byte, depth int, member func() error) error {
	if depth == maxDepth {
		return fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	s.pos++
	return s.members(end, member)
}

// members calls member for each member of an object or array whose opening is
// behind, and takes the commas between them and the end.
func (s *scanner) members(end byte, member func() error) error {
	s.skipSpace()
	if c, ok := s.peek(); ok && c == end {
		s.pos++
		return nil
	}
	for {
		if err := member(); err != nil {
			return err
		}
		s.skipSpace()
		c, ok := s.peek()
		switch {
		case ok && c == end:
			s.pos++
			return nil
		case !ok || c != ',':
			return s.unexpected(fmt.Sprintf("want ',' or %q", end))
		}
		s.pos++
	}
}

// key reads the name of a member and the colon behind it; the name is in text.
func (s *scanner) key() error {
	s.skipSpace()
	if c, ok := s.peek(); !ok || c != '"' {
		return s.unexpected(`want the name of a field, as "metric"`)
	}
	if err := s.readString(); err != nil {
		return err
	}
	s.skipSpace()
	if c, ok := s.peek(); !ok || c != ':' {
		return s.unexpected("want ':' behind the name of a field")
	}
	s.pos++
	return nil
}
