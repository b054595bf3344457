package lines

import (
	"bytes"
	"strings"
)

// logfmt reads a line of key=value.
func (r *Reader) logfmt(b []byte) error {
	row, err := r.pairs(b)
	if err != nil || len(row) == 0 {
		return err
	}
	return r.emit(r.only(), row)
}

// pairs finds key=value in a line, also where other text stands around it:
// "64 bytes from ::1: icmp_seq=1 ttl=64 time=0.04 ms". A unit may be the next
// word.
func (r *Reader) pairs(b []byte) ([]entry, error) {
	r.row = r.row[:0]
	for i := 0; i < len(b); {
		eq := bytes.IndexByte(b[i:], '=')
		if eq < 0 {
			break
		}
		eq += i
		start := eq
		for start > i && !strings.ContainsRune(" \t,;({[\"'", rune(b[start-1])) {
			start--
		}
		key, rest := b[start:eq], b[eq+1:]
		if len(key) == 0 || len(rest) == 0 || blank(rest[0]) || rest[0] == '=' {
			i = eq + 1
			continue
		}
		var text []byte
		if rest[0] == '"' {
			quotedText, behind, ok := quoted(rest[1:])
			if !ok {
				return nil, errQuote
			}
			text = quotedText
			i = len(b) - len(behind)
		} else {
			end := 0
			for end < len(rest) && !strings.ContainsRune(" \t;)}]", rune(rest[end])) && (rest[end] != ',' || end+1 < len(rest) && digit(rest[end+1]) && end > 0 && digit(rest[end-1])) {
				end++
			}
			text, i = rest[:end], eq+1+end
		}
		col, err := r.byName(r.only(), key)
		if err != nil {
			return nil, err
		}
		if len(r.row) == maxCells {
			return nil, errCells
		}
		r.row = append(r.row, entry{col: col, text: r.lenient(col, text), unit: unitBehind(b[min(i, len(b)):])})
	}
	return r.row, nil
}

// lenient leaves out a text where a number was before: in logs, that is not
// wrong.
func (r *Reader) lenient(c *column, text []byte) []byte {
	if c.role != measure || c.asked {
		return text
	}
	if _, _, ok := value(text); ok {
		return text
	}
	r.Skipped++
	return nil
}

// unitBehind returns the unit that stands alone behind a number: " ms". The
// number stays as it is.
func unitBehind(rest []byte) Unit {
	rest = bytes.TrimLeft(rest, " ")
	end := 0
	for end < len(rest) && !strings.ContainsRune(" \t,;)]", rune(rest[end])) {
		end++
	}
	switch s, ok := unitOf(rest[:end]); {
	case !ok:
		return None
	case string(rest[:end]) == "ms":
		return Millis
	case s.scale == 1:
		return s.unit
	}
	return None
}

// regexp reads the groups of a line that matches.
func (r *Reader) regexp(b []byte) error {
	at := r.re.FindSubmatchIndex(b)
	if at == nil {
		return nil
	}
	s := r.current
	if s == nil {
		s = r.newSchema("")
		r.current = s
		names := r.re.SubexpNames()
		for i, name := range names[1:] {
			if name == "" {
				name = "value"
				if r.re.NumSubexp() > 1 {
					name = "value" + string(rune('1'+i%9))
				}
			}
			if _, err := r.add(s, name, ""); err != nil {
				return err
			}
		}
	}
	r.row = r.row[:0]
	for i, c := range s.cols {
		if from, to := at[2*i+2], at[2*i+3]; from >= 0 {
			if c.role == undecided && !missing(b[from:to]) && r.re.SubexpNames()[i+1] != "" && len(r.cfg.Labels) == 0 {
				r.group(s, c, b[from:to])
			}
			r.row = append(r.row, entry{col: c, text: b[from:to], unit: unitBehind(b[to:])})
		}
	}
	return r.emit(s, r.row)
}

// group decides that a named group that matches text is a label: why else name
// it?
func (r *Reader) group(s *schema, c *column, text []byte) {
	if r.decide(s, c, text); c.role == unused {
		c.role = label
		s.enlist(c)
	}
}
