package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/chartd/chartd/pkg/store"
)

// parseSeries reads a name and labels as seriesEnd found them:
//
//	name{label="value",…}
//	{"name", label="value", "another label"="value"}
func parseSeries(text []byte) (metric string, labels []store.Label, err error) {
	head, body, ok := bytes.Cut(text, []byte{'{'})
	metric = string(bytes.TrimRight(head, " \t"))
	if metric != "" && !isName(metric, true) {
		return "", nil, fmt.Errorf("%.40q is no name of a metric", metric)
	}
	if ok {
		// seriesEnd stopped at the last '}'.
		p := pairs{rest: bytes.TrimLeft(body[:len(body)-1], " \t")}
		for len(p.rest) > 0 {
			name, value, isMetric, err := p.next()
			switch {
			case err != nil:
				return "", nil, err
			case !isMetric:
				labels = append(labels, store.Label{Name: name, Value: value})
			case metric != "":
				return "", nil, fmt.Errorf("has two names, %.40q and %.40q", metric, name)
			default:
				metric = name
			}
		}
	}
	if metric == "" {
		return "", nil, errors.New("the metric has no name")
	}
	return metric, labels, nil
}

// pairs reads what stands between the braces.
type pairs struct{ rest []byte }

// next reads a label with its value, or the name of the metric, and the comma
// behind.
func (p *pairs) next() (name, value string, isMetric bool, err error) {
	quoted := p.rest[0] == '"'
	if quoted {
		if name, err = p.text(); err != nil {
			return "", "", false, err
		}
	} else {
		end := bytes.IndexAny(p.rest, "= \t,")
		if end < 0 {
			end = len(p.rest)
		}
		name = string(p.rest[:end])
		p.rest = p.rest[end:]
		if !isName(name, false) {
			return "", "", false, fmt.Errorf("%.40q is no name of a label", name)
		}
	}
	p.blank()
	switch {
	case len(p.rest) > 0 && p.rest[0] == '=':
		p.rest = p.rest[1:]
		p.blank()
		if len(p.rest) == 0 || p.rest[0] != '"' {
			return "", "", false, fmt.Errorf("the value of label %.40q is not in quotes", name)
		}
		if value, err = p.text(); err != nil {
			return "", "", false, err
		}
	case quoted:
		isMetric = true
	default:
		return "", "", false, fmt.Errorf("label %.40q has no value", name)
	}
	p.blank()
	if len(p.rest) > 0 {
		if p.rest[0] != ',' {
			return "", "", false, fmt.Errorf("want ',' or '}' behind %.40q", name)
		}
		p.rest = p.rest[1:]
		p.blank()
	}
	return name, value, isMetric, nil
}

func (p *pairs) blank() { p.rest = bytes.TrimLeft(p.rest, " \t") }

// text reads a text in quotes, which is next.
func (p *pairs) text() (string, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		c := p.rest[i]
		switch c {
		case '"':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case '\\':
			i++
			if i == len(p.rest) {
				break
			}
			switch c = p.rest[i]; c {
			case '\\', '"':
			case 'n':
				c = '\n'
			default:
				return "", fmt.Errorf(`"\%c" is no escape; want \\, \" or \n`, c)
			}
		}
		b.WriteByte(c)
	}
	return "", errors.New("a text has no closing quote")
}

// isName reports whether s may stand without quotes.
func isName(s string, colons bool) bool {
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' && colons
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
