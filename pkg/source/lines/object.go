package lines

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep objects may be nested.
const maxDepth = 8

// object reads a JSON object. What is nested has the names on the way joined by
// a dot; lists are left out.
func (r *Reader) object(b []byte) error {
	r.jsonIn.Reset(b)
	r.json.Reset(&r.jsonIn)
	r.row, r.path = r.row[:0], r.path[:0]
	if k := r.json.PeekKind(); k != '{' {
		return errors.New("a line is no JSON object")
	}
	arena := r.scratchText()
	if err := r.members(arena, 0); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	if _, err := r.json.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("a line has something behind its JSON object")
	}
	return r.emit(r.only(), r.row)
}

// text holds copies of what a decoder showed, for the time of one line.
type text struct{ b []byte }

func (t *text) keep(b []byte) []byte {
	at := len(t.b)
	t.b = append(t.b, b...)
	return t.b[at:len(t.b):len(t.b)]
}

func (r *Reader) scratchText() *text {
	r.texts.b = r.texts.b[:0]
	return &r.texts
}

// members reads an object whose names begin with r.path.
func (r *Reader) members(arena *text, depth int) error {
	if _, err := r.json.ReadToken(); err != nil {
		return err
	}
	if depth == maxDepth {
		return fmt.Errorf("objects are nested more than %d deep", maxDepth)
	}
	for r.json.PeekKind() != '}' {
		name, err := r.json.ReadValue()
		if err != nil {
			return err
		}
		before := len(r.path)
		if before > 0 {
			r.path = append(r.path, '.')
		}
		if r.path, err = jsontext.AppendUnquote(r.path, name); err != nil {
			return err
		}
		if r.json.PeekKind() == '{' {
			err = r.members(arena, depth+1)
		} else {
			err = r.member(arena)
		}
		if err != nil {
			return err
		}
		r.path = r.path[:before]
	}
	_, err := r.json.ReadToken()
	return err
}

// member reads a value that is no object.
func (r *Reader) member(arena *text) error {
	kind := r.json.PeekKind()
	raw, err := r.json.ReadValue()
	if err != nil {
		return err
	}
	var cell []byte
	switch kind {
	case '0':
		cell = arena.keep(raw)
	case 't':
		cell = []byte("1")
	case 'f':
		cell = []byte("0")
	case '"':
		at := len(arena.b)
		if arena.b, err = jsontext.AppendUnquote(arena.b, raw); err != nil {
			return err
		}
		cell = arena.b[at:len(arena.b):len(arena.b)]
	default:
		return nil
	}
	if len(r.row) == maxCells {
		return errCells
	}
	col, err := r.byName(r.only(), r.path)
	if err != nil {
		return err
	}
	if col.role == measure && kind == '"' {
		if _, _, ok := value(cell); !ok && !missing(cell) {
			cell = nil // a text where a number was before: left out, not wrong
			r.Skipped++
		}
	}
	r.row = append(r.row, entry{col: col, text: bytes.TrimSpace(cell)})
	return nil
}
