package lines

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// prose reads a line of words and numbers, each number named by the words
// before it: "load average: 0.52". It is believed only when a line of the same
// words was there before.
func (r *Reader) prose(b []byte) error {
	type found struct {
		name string
		text []byte
		unit Unit
	}
	words, err := fields(r.cells[:0], b)
	if r.cells = words; err != nil {
		return err
	}
	var all []found
	var name []string
	used := map[string]int{}
	for i, w := range words {
		text := bytes.Trim(w.text, `,;:()[]"'`)
		_, unit, ok := value(text)
		if !ok {
			if timeOfDay(text) {
				name = name[:0]
				continue
			}
			if len(text) > 0 && numeral(text) == 0 {
				name = append(name, string(bytes.Trim(text, "=")))
			}
			if last := w.text[len(w.text)-1]; last == ',' || last == ';' {
				name = name[:0]
			}
			continue
		}
		called := strings.TrimSpace(strings.Join(name[max(0, len(name)-3):], " "))
		if called == "" && i+1 < len(words) && !bytes.HasSuffix(w.text, []byte(",")) {
			if next := bytes.Trim(words[i+1].text, `,;:()[]"'`); numeral(next) == 0 {
				if _, isUnit := unitOf(next); !isUnit {
					called = string(next)
				}
			}
		}
		if called == "" {
			called = "value"
			if len(all) > 0 {
				called = strings.TrimRight(all[len(all)-1].name, "0123456789")
			}
		}
		if used[called]++; used[called] > 1 {
			called += strconv.Itoa(used[called])
		}
		if len(all) == 64 {
			return nil
		}
		all = append(all, found{called, text, unit})
		if unit == None && i+1 < len(words) {
			all[len(all)-1].unit = unitBehind(bytes.TrimRight(words[i+1].text, ".,;"))
		}
		name = name[:0]
	}
	if len(all) == 0 {
		return nil
	}
	var key strings.Builder
	for _, f := range all {
		key.WriteString(f.name + "\x00")
	}
	s := r.tried[key.String()]
	if s == nil && r.heard(key.String()) {
		s = r.newSchema(key.String())
		for _, f := range all {
			if _, err := r.add(s, f.name, ""); err != nil {
				return err
			}
		}
		r.tried[s.key], r.family = s, prose
	}
	if s == nil {
		return nil
	}
	r.row = r.row[:0]
	for i, f := range all {
		r.row = append(r.row, entry{col: s.cols[i], text: f.text, unit: f.unit})
	}
	return r.emit(s, r.row)
}

// heard reports whether a line of these words was there lately.
func (r *Reader) heard(key string) bool {
	if slices.Contains(r.rumours, key) {
		return true
	}
	if len(r.rumours) >= 8 {
		r.rumours = append(r.rumours[:0], r.rumours[1:]...)
	}
	r.rumours = append(r.rumours, key)
	return false
}
