package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// exposition reads what a target says: the text format of Prometheus, or
// OpenMetrics. They differ in the unit of timestamps and in how they end.
type exposition struct {
	rest        []byte
	openMetrics bool
	line        int // that was read last, from 1

	family  []byte // of the last TYPE, if it is one that has _created
	finite  bool   // "# EOF" has come
	current entry
}

// entry is one sample as it stands in a line.
type entry struct {
	series []byte // name and labels, as they are written
	value  float64
	t      int64 // ms; if stamped
	// stamped says that the target gave a time.
	stamped bool
}

// isWhole reports whether the end has come: OpenMetrics says where it is.
func (x *exposition) isWhole() bool {
	return !x.openMetrics || bytes.HasSuffix(bytes.TrimRight(x.rest, "\r\n"), []byte("# EOF"))
}

// next goes to the next sample and reports whether there is one; it is in
// current. An error is about that line alone.
func (x *exposition) next() (ok bool, err error) {
	for len(x.rest) > 0 {
		x.line++
		text, rest, whole := bytes.Cut(x.rest, []byte{'\n'})
		x.rest = rest
		text = bytes.TrimRight(text, "\r")
		switch {
		case x.finite:
			x.rest = nil
			return false, errors.New("something follows # EOF")
		case !whole && string(text) != "# EOF":
			return false, errors.New("the line is cut off: it does not end with a line feed")
		}
		if text = bytes.TrimLeft(text, " \t"); len(text) == 0 {
			continue
		}
		if text[0] == '#' {
			x.comment(text)
			continue
		}
		if x.current, err = x.sample(text); err != nil {
			return false, err
		}
		if !x.isCreated() {
			return true, nil
		}
	}
	return false, nil
}

// comment takes from a comment what matters: the end, and the type of what
// follows.
func (x *exposition) comment(text []byte) {
	if string(text) == "# EOF" {
		x.finite = x.openMetrics
		return
	}
	rest, ok := bytes.CutPrefix(text, []byte("# TYPE "))
	if !ok {
		return
	}
	x.family = nil
	name, kind, _ := bytes.Cut(bytes.TrimSpace(rest), []byte{' '})
	switch string(bytes.TrimSpace(kind)) {
	case "counter", "histogram", "summary":
		x.family = name
	}
}

// isCreated reports whether the sample says only when its series began.
func (x *exposition) isCreated() bool {
	rest, ok := bytes.CutPrefix(x.current.series, x.family)
	if !ok || len(x.family) == 0 {
		return false
	}
	rest, ok = bytes.CutPrefix(rest, []byte("_created"))
	return ok && (len(rest) == 0 || rest[0] == '{' || rest[0] == ' ' || rest[0] == '\t')
}

// sample reads a line: a series, a value, perhaps a time and an exemplar.
func (x *exposition) sample(text []byte) (entry, error) {
	end, err := seriesEnd(text)
	if err != nil {
		return entry{}, err
	}
	e := entry{series: text[:end]}
	rest := text[end:]
	// An exemplar belongs to a bucket of a histogram; no chart shows it.
	if x.openMetrics {
		if before, _, ok := bytes.Cut(rest, []byte(" # ")); ok {
			rest = before
		}
	}
	value, rest := field(rest)
	stamp, rest := field(rest)
	if more, _ := field(rest); len(more) > 0 {
		return entry{}, fmt.Errorf("%.40q stands behind the sample; want a series, a value and perhaps a time", more)
	}
	if e.value, err = number(value); err != nil {
		return entry{}, err
	}
	if len(stamp) > 0 {
		if e.t, err = x.time(stamp); err != nil {
			return entry{}, err
		}
		e.stamped = true
	}
	return e, nil
}

// seriesEnd returns where name and labels end.
func seriesEnd(text []byte) (int, error) {
	at := bytes.IndexAny(text, "{ \t")
	switch {
	case at < 0:
		return 0, fmt.Errorf("%.40q has no value", text)
	case text[at] != '{':
		// Blanks may stand before the labels.
		if rest := bytes.TrimLeft(text[at:], " \t"); len(rest) == 0 || rest[0] != '{' {
			return at, nil
		}
		at += bytes.IndexByte(text[at:], '{')
	}
	quoted := false
	for i := at + 1; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '}' && !quoted:
			return i + 1, nil
		}
	}
	return 0, fmt.Errorf("the labels of %.40q have no end; want '}'", text)
}

// field returns the first word of text, and what is behind it.
func field(text []byte) (word, rest []byte) {
	text = bytes.TrimLeft(text, " \t")
	if end := bytes.IndexAny(text, " \t"); end >= 0 {
		return text[:end], text[end:]
	}
	return text, nil
}

func number(text []byte) (float64, error) {
	s := string(text) // does not escape
	// Go knows more ways to write a number than the formats do.
	if strings.ContainsAny(s, "_pPxX") {
		return 0, fmt.Errorf("%.40q is not a number", text)
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%.40q is not a number", text)
	}
	return v, nil
}

// time returns a timestamp in ms: the text format has ms, OpenMetrics seconds.
func (x *exposition) time(text []byte) (int64, error) {
	if !x.openMetrics {
		t, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%.40q is not a time in ms", text)
		}
		return t, nil
	}
	seconds, err := number(text)
	if ms := math.Round(seconds * 1000); err == nil && math.Abs(ms) < 1<<62 {
		return int64(ms), nil
	}
	return 0, fmt.Errorf("%.40q is not a time in seconds", text)
}
