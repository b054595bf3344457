package statsd

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/chartd/chartd/pkg/store"
)

// family is what is done with a metric's values.
type family uint8

const (
	counter family = iota
	gauge
	timer // also a histogram and a distribution
	set
)

// String returns the word that StatsD has for it.
func (f family) String() string { return [...]string{"counter", "gauge", "timer", "set"}[f] }

// line is one metric of a packet. Its parts are the packet's own bytes.
type line struct {
	name   []byte // without tags
	inline []byte // tags in Telegraf's form, behind the name: a=b,c=d
	values []byte // of all but a set, one or more between colons
	family family
	rate   float64 // of sampling, above 0 and at most 1
	tags   []byte  // in Datadog's form: a:b,c:d
}

// errNoMetric is for what DogStatsD sends beside metrics: events and service
// checks.
var errNoMetric = errors.New("is no metric")

// parse reads a line without its end.
func parse(b []byte) (l line, err error) {
	if bytes.HasPrefix(b, []byte("_e{")) || bytes.HasPrefix(b, []byte("_sc|")) {
		return l, errNoMetric
	}
	head, rest, ok := bytes.Cut(b, []byte{'|'})
	if !ok {
		return l, errors.New(`has no type; want name:value|type`)
	}
	// A tag behind the name may have a colon in its value; values have no comma,
	// but those of a set.
	if l.name, l.values, ok = bytes.Cut(head, []byte{':'}); !ok {
		return l, errors.New("has no value; want name:value|type")
	}
	l.name, l.inline, _ = bytes.Cut(l.name, []byte{','})
	if len(l.name) == 0 {
		return l, errors.New("has no name; want name:value|type")
	}
	if len(l.values) == 0 {
		return l, errors.New("has an empty value; want name:value|type")
	}
	kind, rest, _ := bytes.Cut(rest, []byte{'|'})
	switch string(kind) {
	case "c", "m": // a meter is a counter of one
		l.family = counter
	case "g":
		l.family = gauge
	case "ms", "h", "d":
		l.family = timer
	case "s":
		l.family = set
	default:
		return l, fmt.Errorf("has the unknown type %.20q; want c, g, ms, h, d or s", kind)
	}
	l.rate = 1
	for len(rest) > 0 {
		var part []byte
		part, rest, _ = bytes.Cut(rest, []byte{'|'})
		switch {
		case len(part) == 0:
		case part[0] == '@':
			if l.rate, err = number(part[1:]); err != nil || l.rate <= 0 || l.rate > 1 {
				return l, fmt.Errorf("has the sampling rate %.20q; want a number above 0, at most 1", part[1:])
			}
		case part[0] == '#':
			l.tags = part[1:]
		}
		// Anything else is Datadog's: a container's id, a time, and what comes next.
	}
	return l, nil
}

// each calls f with every value; delta says that a sign stood before it. It ends
// with the first that is no number.
func (l *line) each(f func(v float64, delta bool)) error {
	for rest, more := l.values, true; more; {
		var b []byte
		b, rest, more = bytes.Cut(rest, []byte{':'})
		v, err := number(b)
		if err != nil {
			return err
		}
		f(v, b[0] == '+' || b[0] == '-')
	}
	return nil
}

// number reads a finite decimal number.
func number(b []byte) (float64, error) {
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, fmt.Errorf("has the value %.20q, which is no number", b)
		}
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return 0, fmt.Errorf("has the value %.20q, which is no number", b)
	}
	return v, nil
}

// labels returns the tags, of both forms; of two with one name, the last. A tag
// without a value is "true".
func (l *line) labels() store.Labels {
	var out store.Labels
	add := func(tags []byte, separator byte) {
		for len(tags) > 0 {
			var tag []byte
			tag, tags, _ = bytes.Cut(tags, []byte{','})
			name, value, ok := bytes.Cut(tag, []byte{separator})
			if len(name) == 0 {
				continue
			}
			label := store.Label{Name: string(name), Value: string(value)}
			if !ok {
				label.Value = "true"
			}
			out = append(out, label)
		}
	}
	add(l.inline, '=')
	add(l.tags, ':')
	slices.SortStableFunc(out, func(a, b store.Label) int { return strings.Compare(a.Name, b.Name) })
	kept := out[:0]
	for i, label := range out {
		if i+1 < len(out) && out[i+1].Name == label.Name {
			continue
		}
		if label.Value != "" {
			kept = append(kept, label)
		}
	}
	return kept
}
