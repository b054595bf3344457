package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// checkBytes returns data without a byte order mark, having reported what no
// YAML document may hold.
func (d *Document) checkBytes(data []byte) []byte {
	start := position{1, 1}
	if len(data) > MaxSize {
		d.errs.add(start, "", fmt.Sprintf("the file has %d bytes", len(data)), fmt.Sprintf("at most %d", MaxSize))
		return nil
	}
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			d.errs.add(start, "", "the file is encoded in UTF-16", "save it as UTF-8")
			return nil
		}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	at := start
	for rest := data; len(rest) > 0; at.column++ {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			d.errs.add(at, "", fmt.Sprintf("the byte 0x%02x is not UTF-8", rest[0]), "save the file as UTF-8")
			return nil
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85, r == 0xfffe, r == 0xffff:
			d.errs.add(at, "", fmt.Sprintf("the control character U+%04X", r), `remove it, or write it as "\u…" in double quotes`)
			return nil
		case r == '\n':
			at = position{at.line + 1, 0}
		}
		rest = rest[size:]
	}
	return data
}

// syntax reports where text is not YAML, in words that say what to do.
func (d *Document) syntax(text []byte, err error) {
	le, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		d.errs.add(position{1, 1}, "", err.Error(), "")
		return
	}
	at := position{max(le.Mark.Line, 1), max(le.Mark.Column, 1)}
	from := position{max(le.ContextMark.Line, 1), max(le.ContextMark.Column, 1)}
	line := lineOf(text, at.line)
	if indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]; strings.Contains(indent, "\t") && at.column <= len(indent)+1 {
		d.errs.add(position{at.line, strings.IndexByte(indent, '\t') + 1}, "", "a tab in the indentation", "YAML is indented with spaces")
		return
	}
	msg := le.Message
	switch {
	case strings.HasPrefix(msg, "found character that cannot start any token"):
		d.errs.add(at, "", fmt.Sprintf("a value cannot begin with %q", runeAt(line, at.column)), "put quotes around the text")
	case strings.HasPrefix(msg, "mapping values are not allowed") && plainKey(strings.TrimSpace(untilColumn(line, at.column))):
		d.errs.add(position{at.line, 1 + len(line) - len(strings.TrimLeft(line, " "))}, "", "a key where none can stand",
			`does the line above lack its ":", or is this one indented too far?`)
	case strings.HasPrefix(msg, "mapping values are not allowed"):
		d.errs.add(at, "", `a ":" where no key can stand`, "put quotes around a value with a colon in it")
	case strings.HasPrefix(msg, "could not find expected ':'"):
		d.errs.add(from, "", `a key without a ":"`, `write it as "key: value"`)
	case strings.HasPrefix(msg, "did not find expected key"):
		d.errs.add(at, "", "the indentation fits nothing above", fmt.Sprintf("the keys of the mapping on line %d begin in column %d", from.line, from.column))
	case strings.HasPrefix(msg, "did not find expected '-' indicator"):
		d.errs.add(at, "", "not an item of the list above", fmt.Sprintf(`the items of the list on line %d begin with "- " in column %d`, from.line, from.column))
	case strings.Contains(msg, "',' or ']'"), strings.Contains(msg, "',' or '}'"):
		d.unclosedFlow(text, from, msg)
	case strings.HasPrefix(le.ContextMsg, "while scanning a quoted scalar") && strings.Contains(msg, "end of stream"),
		strings.HasPrefix(le.ContextMsg, "while scanning a quoted scalar") && strings.Contains(msg, "document indicator"):
		d.errs.add(from, "", "the quotes that begin here are not closed", "")
	case strings.HasPrefix(le.ContextMsg, "while scanning a quoted scalar") || strings.Contains(le.ContextMsg, "double-quoted"):
		d.errs.add(at, "", "an unknown escape in double quotes", `write "\\" for a backslash, or use single quotes`)
	case strings.HasPrefix(msg, "did not find expected node content"):
		d.errs.add(at, "", `a value is missing, or a "[" or "{" above is not closed`, "")
	case strings.HasPrefix(msg, "unknown anchor"):
		name := strings.Trim(strings.TrimPrefix(strings.TrimSuffix(msg, " referenced"), "unknown anchor "), "'")
		if mayConceal(text) {
			name = "NAME"
		}
		d.errs.add(at, "", fmt.Sprintf("the alias *%s has no anchor", clip(name)), fmt.Sprintf("put &%s in front of a value above it, or put quotes around the text", clip(name)))
	case strings.Contains(msg, "alphabetic or numeric character"):
		d.errs.add(at, "", `"*" or "&" begins an alias or an anchor, but no name follows`, "put quotes around the text")
	default:
		if le.ContextMsg != "" && from.line != at.line {
			msg += fmt.Sprintf(" (%s that begins on line %d)", strings.TrimPrefix(le.ContextMsg, "while "), from.line)
		}
		d.errs.add(at, "", "not YAML: "+msg, "")
	}
}

// unclosedFlow reports a "[" or "{" at from whose items do not end as they
// should.
func (d *Document) unclosedFlow(text []byte, from position, msg string) {
	open, end := "[", "]"
	if strings.Contains(msg, "'}'") {
		open, end = "{", "}"
	}
	want := fmt.Sprintf("separate its items by commas and close it with %q", end)
	if strings.Contains(lineOf(text, from.line), "${") {
		want += "; inside { } and [ ] a ${VARIABLE} needs quotes"
	}
	d.errs.add(from, "", fmt.Sprintf("the %q that begins here does not end well", open), want)
}

func lineOf(text []byte, line int) string {
	for ; line > 1; line-- {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return ""
		}
		text = text[i+1:]
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	return strings.TrimSuffix(string(first), "\r")
}

// untilColumn returns what stands before a column of a line.
func untilColumn(line string, column int) string {
	rs := []rune(line)
	return string(rs[:max(0, min(column-1, len(rs)))])
}

// runeAt returns the character in a column of a line, and a space beyond it.
func runeAt(line string, column int) rune {
	for i, r := range []rune(line) {
		if i == column-1 {
			return r
		}
	}
	return ' '
}
