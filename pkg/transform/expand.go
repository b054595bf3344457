package transform

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// source is an expression after its vars and its selectors without a metric
// were filled in, with the place in what was written that each byte stands for.
type source struct {
	out    []byte
	origin []int
	// inserted are the places in out of selectors that were given the metric.
	inserted map[int]bool
}

// at returns where in the written text a byte of the expanded one comes from.
func (s *source) at(pos int) int {
	if len(s.origin) == 0 {
		return 0
	}
	return s.origin[max(0, min(pos, len(s.origin)-1))]
}

func (s *source) add(from int, text string) {
	s.out = append(s.out, text...)
	for range len(text) {
		s.origin = append(s.origin, from)
	}
}

// expand replaces "$name" outside of strings by its value, and gives a selector
// without a metric that one. It looks at tokens: a value can be nothing but one
// word, number or duration. What stands in a string stays; see matcherOf.
func expand(text string, opts Options) (*source, *Error) {
	s := &source{inserted: map[int]bool{}}
	brackets := 0
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '#': // a comment
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case '"', '\'', '`':
			i = s.quoted(text, i)
		case '$':
			name := varName(text[i+1:])
			if name == "" {
				return nil, &Error{text: text, Pos: i, What: `a "$" that no name follows`, Want: "a var, such as $host"}
			}
			value, err := valueOf(text, i, name, opts)
			if err != nil {
				return nil, err
			}
			word := tokens()
			switch {
			case value == "" && brackets > 0: // not known yet
				value = "1m"
			case value == "":
				value = "_"
			case brackets > 0 && !word.duration.MatchString(value):
				return nil, &Error{text: text, Pos: i, What: fmt.Sprintf("$%s stands for %q, which is no duration", name, value), Want: "such as 5m or 30s"}
			case !word.token.MatchString(value):
				return nil, &Error{text: text, Pos: i, What: fmt.Sprintf("$%s stands for %q, which cannot stand outside of quotes", name, value), Want: "one name, number or duration"}
			}
			s.add(i, value)
			i += 1 + len(name)
		case '{':
			if opts.Metric != "" && !s.named() && !namedInside(text[i:]) {
				s.inserted[len(s.out)] = true
				s.add(i, `{__name__=`+strconv.Quote(opts.Metric))
				if !strings.HasPrefix(strings.TrimSpace(text[i+1:]), "}") {
					s.add(i, ",")
				}
			} else {
				s.add(i, "{")
			}
			i++
		default:
			switch c {
			case '[':
				brackets++
			case ']':
				brackets--
			}
			s.add(i, text[i:i+1])
			i++
		}
	}
	return s, nil
}

// quoted copies the string that begins at i, and returns the place behind it.
func (s *source) quoted(text string, i int) int {
	quote, end := text[i], i+1
	for end < len(text) && text[end] != quote {
		if text[end] == '\\' && quote != '`' {
			end++
		}
		end++
	}
	end = min(end+1, len(text)) // the parser says if it does not end
	for ; i < end; i++ {
		s.add(i, text[i:i+1])
	}
	return end
}

func valueOf(text string, at int, name string, opts Options) (string, *Error) {
	if opts.Lookup != nil {
		if value, ok := opts.Lookup(name); ok {
			return value, nil
		}
	}
	err := &Error{text: text, Pos: at, What: fmt.Sprintf("there is no var %q", name), Want: "one of the chart's vars"}
	if strings.HasPrefix(name, "__") {
		err.What, err.Want = fmt.Sprintf("$%s is known only to Grafana", name), "a duration, such as 1m: at least four times the time between two samples"
	}
	return "", err
}

// varName returns the name of a var that a text begins with, or "".
func varName(text string) string {
	n := 0
	for n < len(text) && (text[n] == '_' || text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z' || n > 0 && text[n] >= '0' && text[n] <= '9') {
		n++
	}
	return text[:n]
}

// words are what a value may be outside of quotes.
type words struct{ token, duration *regexp.Regexp }

func tokens() words {
	const duration = `(?:[0-9]+(?:ms|[smhdwy]))+`
	return words{
		token:    regexp.MustCompile(`^(?:[a-zA-Z_:][a-zA-Z0-9_:]*|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|` + duration + `)$`),
		duration: regexp.MustCompile(`^` + duration + `$`),
	}
}

// named reports whether what has been copied ends in a metric's name.
func (s *source) named() bool {
	out := strings.TrimRight(string(s.out), " \t\r\n")
	i := len(out)
	for i > 0 && (out[i-1] == '_' || out[i-1] == ':' || out[i-1]|0x20 >= 'a' && out[i-1]|0x20 <= 'z' || out[i-1] >= '0' && out[i-1] <= '9') {
		i--
	}
	switch strings.ToLower(out[i:]) {
	case "", "and", "or", "unless", "bool", "atan2", "group_left", "group_right":
		return false
	}
	return true
}

// namedInside reports whether a selector, which begins with its brace, names a
// metric between its braces.
func namedInside(text string) bool {
	begins := true // a matcher begins here
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '}':
			return false
		case c == ',':
			begins = true
		case c == '"' || c == '\'' || c == '`':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' && c != '`' {
					i++
				}
			}
			rest := strings.TrimLeft(text[min(i+1, len(text)):], " \t\r\n")
			if begins && !strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "!") {
				return true
			}
			begins = false
		case begins && strings.HasPrefix(text[i:], "__name__"):
			return true
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			begins = false
		}
	}
	return false
}
