package lines

import (
	"bytes"
	"fmt"
	"strings"
)

// columnar reads a line of columns that blanks divide. Several tables, each with
// its header, may take turns, as iostat prints them.
func (r *Reader) columnar(b []byte) error {
	if r.tabular(b) {
		return r.pending
	}
	if cells := r.words(b); r.headlike(cells) || r.cfg.Format == Auto {
		r.remember(b)
		return nil
	}
	return fmt.Errorf("%.60q does not fit under the header", b)
}

// tabular reads a line if it is a known header or a row of a table; r.pending
// is then what was wrong with the row.
func (r *Reader) tabular(b []byte) bool {
	r.pending = nil
	cells := r.words(b)
	if len(cells) == 0 {
		return false
	}
	if string(cells[0].text) == "Average:" {
		return r.current != nil // what sar and its kin say at the end, of what was there
	}
	if r.headlike(cells) {
		if s := r.tried[r.key(cells)]; s != nil {
			r.current = s
			r.heads[0], r.heads[1] = r.heads[0][:0], r.heads[1][:0]
			return true
		}
		return false
	}
	if len(r.heads[0]) > 0 || len(r.cfg.Header) > 0 && r.current == nil {
		r.found(b, cells)
	}
	if r.current == nil || r.current.key == "" && !r.fits(r.current, b, cells) {
		r.headless(b, cells)
	}
	s := r.current
	if s == nil || !r.fits(s, b, cells) {
		return false
	}
	r.pending = r.emit(s, r.row)
	return true
}

// words returns the words of a line; what is one thing, a day and its time, is
// one word.
func (r *Reader) words(b []byte) []cell {
	cells, err := fields(r.cells[:0], b)
	if r.cells = cells; err != nil {
		return nil
	}
	out := cells[:0]
	for i := 0; i < len(cells); i++ {
		c := cells[i]
		if i+1 < len(cells) {
			next := cells[i+1].text
			if date(c.text) && timeOfDay(next) || timeOfDay(c.text) && (string(next) == "AM" || string(next) == "PM") {
				end := cells[i+1].start + len(next)
				c.text = b[c.start:end]
				if !date(c.text[:min(10, len(c.text))]) {
					c.text = b[c.start : c.start+len(cells[i].text)] // AM and PM say nothing to us
				}
				i++
			}
		}
		out = append(out, c)
	}
	return out
}

// headlike reports whether the words may be a header: no number among them, but
// for the time that sar begins with.
func (r *Reader) headlike(cells []cell) bool {
	texts := 0
	for i, c := range cells {
		if timeOfDay(c.text) && i == 0 {
			continue
		}
		if _, _, ok := value(c.text); ok || missing(c.text) && len(c.text) < 3 || timeOfDay(c.text) {
			return false
		}
		if _, ok := iso(c.text); ok {
			return false
		}
		texts++
	}
	return texts > 0
}

// key is how a header is known again: its words, without the time.
func (r *Reader) key(cells []cell) string {
	r.path = r.path[:0]
	for i, c := range cells {
		if i == 0 && timeOfDay(c.text) {
			c.text = []byte("time")
		}
		r.path = append(append(r.path, c.text...), 0)
	}
	return string(r.path)
}

// found makes a table of the line before, if this one fits under it.
func (r *Reader) found(b []byte, cells []cell) {
	head := r.heads[0]
	if len(r.cfg.Header) > 0 {
		head = []byte(strings.Join(r.cfg.Header, " "))
	}
	head = bytes.TrimPrefix(head, []byte("#"))
	heads, err := fields(nil, head)
	if err != nil || !r.headlike(heads) {
		return
	}
	s := r.newSchema(r.key(heads))
	s.guess = true
	names := make([]string, len(heads))
	for i, h := range heads {
		if names[i] = string(h.text); i == 0 && timeOfDay(h.text) {
			names[i] = "time"
		}
	}
	_, _, first := value(cells[0].text)
	first = first || timeOfDay(cells[0].text)
	wideHeads, _ := wide(nil, head)
	wideCells, _ := wide(r.others[:0], b)
	r.others = wideCells
	n := len(names)
	switch {
	case len(r.cfg.Header) > 0 && len(r.cfg.Header) == len(cells):
		names = r.cfg.Header
	case len(cells) == n:
	case len(wideHeads) == len(wideCells) && len(wideCells) > 1 && bytes.Contains(bytes.TrimSpace(head), []byte(" ")) && pairable(wideCells):
		s.wide = true
		names = names[:0]
		for _, h := range wideHeads {
			names = append(names, string(h.text))
		}
	case len(cells) == n+1 && !first, len(cells) > 1 && len(cells) <= n && bytes.HasSuffix(cells[0].text, []byte(":")):
		s.rowFirst = true
		names = append([]string{"name"}, names...)
	case len(cells) == n-1 && strings.HasSuffix(names[0], ":"):
		s.group, names = strings.TrimSuffix(names[0], ":"), names[1:]
	case len(cells) == n-1 && n > 3:
		names[n-2] += " " + names[n-1]
		names = names[:n-1]
	default:
		return
	}
	if numbers, texts, _ := r.census(cells); numbers == 0 || !s.wide && texts > numbers+1 {
		return
	}
	if err := r.fill(s, names, heads); err != nil {
		return
	}
	if !r.fits(s, b, cells) {
		return
	}
	r.pick(s)
	r.tried[s.key], r.current = s, s
	r.heads[0], r.heads[1] = r.heads[0][:0], r.heads[1][:0]
}

// fill adds the columns of a table.
func (r *Reader) fill(s *schema, names []string, heads []cell) error {
	groups := r.groups(names, heads)
	for i, name := range names {
		group := s.group
		if i < len(groups) {
			group = groups[i]
		}
		one, two := name, ""
		if s.wide {
			if a, b, ok := strings.Cut(name, " / "); ok {
				one, two = a, b
			} else if a, b, ok := strings.Cut(name, "/"); ok {
				at := strings.LastIndexByte(a, ' ') + 1
				one, two, group = a, a[:at]+b, strings.TrimSpace(name)
			}
		}
		c, err := r.add(s, one, group)
		if err != nil {
			return err
		}
		if two == "" {
			continue
		}
		if c.second, err = r.add(s, two, group); err != nil {
			return err
		}
	}
	return nil
}

// groups returns the headings above the names, as vmstat has them: the words
// with dashes around them.
func (r *Reader) groups(names []string, heads []cell) []string {
	over, err := fields(nil, r.heads[1])
	if err != nil || len(over) < 2 || len(names) != len(heads) || len(over) > len(heads) || !bytes.Contains(r.heads[1], []byte("--")) {
		return nil
	}
	out := make([]string, len(heads))
	at := 0
	for i, h := range heads {
		for at+1 < len(over) && over[at+1].start < h.start+len(h.text) {
			at++
		}
		out[i] = string(bytes.Trim(over[at].text, "-"))
	}
	return out
}

// pick chooses the column that names the rows, if several hold text: NAME
// rather than CONTAINER ID.
func (r *Reader) pick(s *schema) {
	if len(r.cfg.Labels) > 0 || s.rowFirst {
		return
	}
	for _, e := range r.row {
		if _, _, isNumber := value(e.text); e.col.role == undecided && !isNumber && isNameName(e.col.name) {
			e.col.role = label
			s.enlist(e.col)
			return
		}
	}
}

// pairable reports whether each cell is one word, or two as in "1.2kB / 3B", or
// text.
func pairable(cells []cell) bool {
	for _, c := range cells {
		if numeral(c.text) > 0 && bytes.Contains(c.text, []byte(" ")) && !bytes.Contains(c.text, []byte(" / ")) {
			if _, _, ok := value(c.text); !ok {
				return false
			}
		}
	}
	return true
}

// fits puts a line into r.row, if it has the columns of s.
func (r *Reader) fits(s *schema, b []byte, cells []cell) bool {
	r.row = r.row[:0]
	if s.wide {
		cells, _ = wide(r.others[:0], b)
		r.others = cells
		i := 0
		for _, c := range cells {
			if i >= len(s.cols) {
				return false
			}
			col := s.cols[i]
			i++
			if col.second != nil {
				one, two, ok := bytes.Cut(c.text, []byte(" / "))
				r.row = append(r.row, entry{col: col, text: bytes.TrimSpace(one)})
				if ok {
					r.row = append(r.row, entry{col: col.second, text: bytes.TrimSpace(two)})
				}
				i++
				continue
			}
			r.row = append(r.row, entry{col: col, text: c.text})
		}
		return i == len(s.cols)
	}
	if len(cells) != len(s.cols) && (!s.rowFirst || len(cells) < 2 || len(cells) > len(s.cols)) {
		return false
	}
	for i, c := range cells {
		if col := s.cols[i]; col.role == measure && !col.asked {
			if _, _, ok := value(c.text); !ok && !missing(c.text) {
				return false
			}
		}
		r.row = append(r.row, entry{col: s.cols[i], text: c.text})
	}
	return true
}

// headless makes a table without a header, if the line is all numbers, but
// perhaps for the first word.
func (r *Reader) headless(b []byte, cells []cell) {
	for i, c := range cells {
		if _, _, ok := value(c.text); ok || i == 0 && len(cells) > 1 || missing(c.text) || timeOfDay(c.text) {
			continue
		}
		if _, ok := iso(c.text); !ok {
			return
		}
	}
	s := r.newSchema("")
	s.guess, s.nameless = true, true
	for i := range cells {
		name := fmt.Sprintf("c%d", i+1)
		_, _, isNumber := value(cells[i].text)
		switch {
		case len(cells) == 1, len(cells) == 2 && i == 1:
			name = "value"
		case i == 0 && !isNumber:
			name = "name"
		}
		if i == 0 && len(cells) == 2 && !isNumber {
			name = "name"
		}
		if _, err := r.add(s, name, ""); err != nil {
			return
		}
	}
	if r.fits(s, b, cells) {
		r.current = s
	}
}
