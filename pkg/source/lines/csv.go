package lines

import (
	"bytes"
	"fmt"
)

// separators are looked for in this order.
var separators = [...]byte{'\t', ';', ',', '|'}

// sniff returns what divides the fields of a line that can only be CSV, or 0.
func (r *Reader) sniff(b []byte) byte {
	for _, sep := range separators {
		if bytes.IndexByte(b, sep) < 0 {
			continue
		}
		r.comma = sep == ';'
		cells, err := separated(r.others[:0], bytes.Clone(b), sep)
		if r.others = cells; err != nil || len(cells) < 2 {
			continue
		}
		numbers, texts, odd := r.census(cells)
		if numbers == 0 {
			continue
		}
		if len(r.heads[0]) > 0 {
			heads, err := separated(nil, bytes.TrimPrefix(bytes.Clone(r.heads[0]), []byte("# ")), sep)
			if n, _, _ := r.census(heads); err == nil && len(heads) == len(cells) && n == 0 {
				return sep
			}
		}
		if odd == 0 && texts <= 2 {
			return sep
		}
	}
	r.comma = false
	return 0
}

// census counts cells that are numbers or times, that are texts, and those of
// the texts that no table would have: sentences.
func (r *Reader) census(cells []cell) (numbers, texts, odd int) {
	var c clock
	for _, one := range cells {
		if _, _, ok := r.value(one.text); ok {
			numbers++
			continue
		}
		if missing(one.text) || timeOfDay(one.text) {
			continue
		}
		if _, ok := c.read(one.text, r.now, true); ok {
			continue
		}
		texts++
		if bytes.ContainsAny(one.text, " =:") {
			odd++
		}
	}
	return numbers, texts, odd
}

// csv reads a line of fields that a separator divides. The first line, if it
// has no number, is the header.
func (r *Reader) csv(b []byte) error {
	b = bytes.TrimPrefix(b, []byte("# "))
	if r.sep == 0 {
		r.sep = ','
		for _, sep := range separators {
			if bytes.IndexByte(b, sep) >= 0 {
				r.sep = sep
				break
			}
		}
	}
	r.comma = r.sep == ';'
	cells, err := separated(r.cells[:0], b, r.sep)
	r.cells = cells
	if err != nil {
		return err
	}
	if r.current == nil || r.fresh {
		done, err := r.csvHead(cells)
		if done || err != nil {
			return err
		}
	}
	s := r.current
	if same(s, cells) {
		return nil // the header, again
	}
	if len(cells) != len(s.cols) {
		if n, texts, odd := r.census(cells); r.cfg.Format == Auto && n == 0 && odd == 0 && texts == len(cells) {
			r.fresh = true
			_, err := r.csvHead(cells)
			return err
		}
		return fmt.Errorf("a line has %d fields; want %d", len(cells), len(s.cols))
	}
	r.row = r.row[:0]
	for i, c := range cells {
		r.row = append(r.row, entry{col: s.cols[i], text: c.text})
	}
	return r.emit(s, r.row)
}

// csvHead makes the schema; done says that the line was a header.
func (r *Reader) csvHead(cells []cell) (done bool, err error) {
	numbers, texts, _ := r.census(cells)
	header := len(r.cfg.Header) == 0 && numbers == 0 && texts > 0
	if r.current != nil && !header {
		r.fresh = false
		return false, nil
	}
	if r.current != nil && same(r.current, cells) {
		r.fresh = false
		return true, nil
	}
	s := r.newSchema("")
	s.guess, s.nameless = true, !header && len(r.cfg.Header) == 0
	for i, c := range cells {
		name := fmt.Sprintf("c%d", i+1)
		switch {
		case header && len(c.text) > 0:
			name = string(c.text[:min(len(c.text), 100)])
		case i < len(r.cfg.Header):
			name = r.cfg.Header[i]
		case len(cells) == 1:
			name = "value"
		}
		if _, err := r.add(s, name, ""); err != nil {
			return false, err
		}
	}
	r.current, r.fresh = s, false
	return header, nil
}

// same reports whether the cells are the names of a schema's columns.
func same(s *schema, cells []cell) bool {
	if len(s.cols) != len(cells) {
		return false
	}
	for i, c := range cells {
		if s.cols[i].name != string(c.text) {
			return false
		}
	}
	return true
}
