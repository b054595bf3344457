package lines

import (
	"bytes"
	"errors"
)

// maxCells bounds the columns of a line.
const maxCells = 512

var errCells = errors.New("a line has more than 512 columns")

// cell is a part of a line.
type cell struct {
	text  []byte
	start int // in bytes from the line's beginning; -1 if that means nothing
}

// plain returns a line without what is for a terminal alone: ANSI sequences, a
// carriage return and what it overwrites. It may write into b.
func plain(b []byte) []byte {
	b = bytes.TrimRight(b, "\r\n")
	if i := bytes.LastIndexByte(b, '\r'); i >= 0 {
		b = b[i+1:]
	}
	if bytes.IndexByte(b, 0x1b) < 0 {
		return b
	}
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] != 0x1b {
			out = append(out, b[i])
			continue
		}
		if i++; i >= len(b) {
			break
		}
		switch b[i] {
		case '[': // a control sequence ends with a byte from @ to ~
			for i++; i < len(b) && (b[i] < '@' || b[i] > '~'); i++ {
			}
		case ']': // an operating system command ends with BEL or ESC \
			for i++; i < len(b) && b[i] != 7 && b[i] != 0x1b; i++ {
			}
			if i < len(b) && b[i] == 0x1b {
				i++
			}
		}
	}
	return out
}

// fields appends the words of a line.
func fields(dst []cell, b []byte) ([]cell, error) {
	for i := 0; i < len(b); {
		if blank(b[i]) {
			i++
			continue
		}
		start := i
		for i < len(b) && !blank(b[i]) {
			i++
		}
		if len(dst) == maxCells {
			return dst, errCells
		}
		dst = append(dst, cell{b[start:i], start})
	}
	return dst, nil
}

// wide appends the parts of a line that two blanks or a tab separate.
func wide(dst []cell, b []byte) ([]cell, error) {
	for i := 0; i < len(b); {
		if blank(b[i]) {
			i++
			continue
		}
		start := i
		for i < len(b) && b[i] != '\t' && (b[i] != ' ' || i+1 < len(b) && !blank(b[i+1])) {
			i++
		}
		if len(dst) == maxCells {
			return dst, errCells
		}
		dst = append(dst, cell{bytes.TrimRight(b[start:i], " "), start})
		if i < len(b) {
			i++
		}
	}
	return dst, nil
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// errQuote refuses a quoted field that does not end.
var errQuote = errors.New("a quoted field does not end on its line")

// separated appends the fields that sep separates, as RFC 4180 has it, but that
// blanks around a field do not count and that a field ends on its line. Doubled
// quotes are made single in b itself.
func separated(dst []cell, b []byte, sep byte) ([]cell, error) {
	for {
		if len(dst) == maxCells {
			return dst, errCells
		}
		for len(b) > 0 && b[0] == ' ' {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == '"' {
			text, rest, ok := quoted(b[1:])
			if !ok {
				return dst, errQuote
			}
			dst = append(dst, cell{text, -1})
			at := bytes.IndexByte(rest, sep)
			if at < 0 {
				return dst, nil
			}
			b = rest[at+1:]
			continue
		}
		at := bytes.IndexByte(b, sep)
		if at < 0 {
			return append(dst, cell{bytes.TrimRight(b, " "), -1}), nil
		}
		dst = append(dst, cell{bytes.TrimRight(b[:at], " "), -1})
		b = b[at+1:]
	}
}

// quoted cuts a field off that ends at a quote; b begins behind the first one.
func quoted(b []byte) (text, rest []byte, ok bool) {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == '"' {
			if i+1 == len(b) || b[i+1] != '"' {
				return out, b[i+1:], true
			}
			i++
		}
		out = append(out, b[i])
	}
	return nil, nil, false
}
