package push

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	bufferSize = 16 << 10
	// maxDepth is how deep values may nest that are only passed over.
	maxDepth = 64
)

// scanner reads JSON from a stream piece by piece, as it arrives, and knows on
// which line it is. Its methods return an error at the byte that is not JSON;
// what the reader returns is kept in err, and looks like the end of input.
type scanner struct {
	r   io.Reader
	err error // of r, io.EOF included

	buf  []byte
	pos  int // next byte
	end  int // of what is in buf
	base int // offset of buf[0] in the stream
	line int // of the next byte, from 1

	fresh int    // offset of the first byte that is not space in its line, as far as skipSpace saw it
	text  []byte // the string or number that was read last
}

func (s *scanner) reset(r io.Reader) {
	*s = scanner{r: r, buf: s.buf, text: s.text[:0], line: 1}
	if s.buf == nil {
		s.buf = make([]byte, bufferSize)
	}
}

// peek returns the next byte without taking it; ok is false at the end.
func (s *scanner) peek() (c byte, ok bool) {
	if s.pos < s.end || s.fill() {
		return s.buf[s.pos], true
	}
	return 0, false
}

// fill reads more once all of buf is taken.
func (s *scanner) fill() bool {
	s.base += s.end
	s.pos, s.end = 0, 0
	for range 100 {
		if s.err != nil {
			return false
		}
		s.end, s.err = s.r.Read(s.buf)
		if s.end > 0 {
			return true
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// skipSpace goes to the next byte that is not white space.
func (s *scanner) skipSpace() {
	for {
		c, ok := s.peek()
		if !ok {
			return
		}
		switch c {
		case '\n':
			s.line++
			s.pos++
			s.fresh = s.base + s.pos
		case ' ', '\t', '\r':
			if s.fresh == s.base+s.pos {
				s.fresh++
			}
			s.pos++
		default:
			return
		}
	}
}

// startsLine reports whether the next byte is the first of its line.
func (s *scanner) startsLine() bool { return s.fresh == s.base+s.pos }

// skipLine goes behind the end of the line, and reports whether there was
// anything but white space.
func (s *scanner) skipLine() (lost bool) {
	for {
		c, ok := s.peek()
		if !ok {
			return lost
		}
		s.pos++
		if c == '\n' {
			s.line++
			s.fresh = s.base + s.pos
			return lost
		}
		lost = lost || c != ' ' && c != '\t' && c != '\r'
	}
}

// unexpected says that the next byte is not what is wanted.
func (s *scanner) unexpected(want string) error {
	c, ok := s.peek()
	switch {
	case ok && c < utf8.RuneSelf:
		return fmt.Errorf("unexpected %q; %s", c, want)
	case ok:
		return fmt.Errorf("unexpected byte %#x; %s", c, want)
	case errors.Is(s.err, io.EOF):
		return fmt.Errorf("unexpected end of the body; %s", want)
	}
	return fmt.Errorf("the body breaks off; %s", want)
}

// readString reads a string, whose opening quote is next, into text.
func (s *scanner) readString() error {
	s.pos++
	s.text = s.text[:0]
	for {
		if s.pos == s.end && !s.fill() {
			return s.unexpected("want the end of a string")
		}
		i := s.pos
		for i < s.end && s.buf[i] != '"' && s.buf[i] != '\\' && s.buf[i] >= ' ' {
			i++
		}
		s.text = append(s.text, s.buf[s.pos:i]...)
		s.pos = i
		if i == s.end {
			continue
		}
		switch s.buf[i] {
		case '"':
			s.pos++
			return nil
		case '\\':
			if err := s.readEscape(); err != nil {
				return err
			}
		default:
			return fmt.Errorf("a string goes on over the end of the line, or has a control character %#x in it", s.buf[i])
		}
	}
}

// readEscape reads an escape sequence, whose backslash is next.
func (s *scanner) readEscape() error {
	s.pos++
	return s.readEscaped()
}

// readEscaped reads an escape sequence behind its backslash. Half a surrogate
// pair becomes U+FFFD.
func (s *scanner) readEscaped() error {
	c, ok := s.peek()
	if !ok {
		return s.unexpected("want the end of a string")
	}
	switch c {
	case '"', '\\', '/':
		s.text = append(s.text, c)
	case 'b':
		s.text = append(s.text, '\b')
	case 'f':
		s.text = append(s.text, '\f')
	case 'n':
		s.text = append(s.text, '\n')
	case 'r':
		s.text = append(s.text, '\r')
	case 't':
		s.text = append(s.text, '\t')
	case 'u':
		s.pos++
		return s.readUnicode()
	default:
		return s.unexpected(`want one of "\/bfnrtu behind a backslash`)
	}
	s.pos++
	return nil
}

func (s *scanner) readUnicode() error {
	r, err := s.readHex()
	if err != nil {
		return err
	}
	for utf16.IsSurrogate(r) {
		// The other half must follow, as another escape.
		if c, ok := s.peek(); !ok || c != '\\' {
			break
		}
		s.pos++
		if c, ok := s.peek(); !ok || c != 'u' {
			s.text = utf8.AppendRune(s.text, r)
			return s.readEscaped()
		}
		s.pos++
		second, err := s.readHex()
		if err != nil {
			return err
		}
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			r = pair
			break
		}
		s.text = utf8.AppendRune(s.text, r)
		r = second
	}
	s.text = utf8.AppendRune(s.text, r) // which writes U+FFFD for a half
	return nil
}

// readHex reads four hexadecimal digits.
func (s *scanner) readHex() (rune, error) {
	var r rune
	for range 4 {
		c, _ := s.peek()
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, s.unexpected(`want four hexadecimal digits behind \u`)
		}
		s.pos++
	}
	return r, nil
}
