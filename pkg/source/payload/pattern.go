package payload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/store"
)

// Syntax is how a broker writes its subjects: MQTT has topics such as
// "sensors/kitchen/temp", others have subjects or channels.
type Syntax struct {
	// Word is what the broker calls a subject, and the name of the label that
	// holds a whole one: "topic".
	Word string
	// Separator stands between the parts of a subject: "/".
	Separator string
	// One is what stands for any one part in a subscription, and Rest for all
	// parts that are left: "+" and "#". Either is "" if there is none. They may be
	// the same, which means Rest at the end and One elsewhere.
	One, Rest string
	// RestMayBeEmpty says that Rest stands for no part at all, too: in MQTT, a/#
	// is also a.
	RestMayBeEmpty bool
}

// nameOfMetric is the name of the part that names the metric.
const nameOfMetric = "metric"

type partKind uint8

const (
	literal partKind = iota
	one
	rest
	named
)

type part struct {
	kind partKind
	text string // of a literal, or the name
}

// Pattern says which subjects are meant, and what their parts are:
// "sensors/{room}/{metric}". A part in braces becomes the label of that name, but
// {metric} the name of the metric. Unless there is such a part, and where a
// wildcard of the broker is in it, too, the whole subject becomes a label that is
// called what Syntax.Word says, so that two subjects do not share a series. It is
// never changed.
type Pattern struct {
	syntax Syntax
	parts  []part
	whole  bool // the whole subject is a label
}

// ParsePattern reads a pattern. The error says what would be right.
func ParsePattern(text string, syntax Syntax) (Pattern, error) {
	p := Pattern{syntax: syntax}
	if text == "" {
		return p, fmt.Errorf("a %s is empty", syntax.Word)
	}
	texts := strings.Split(text, syntax.Separator)
	names, wild := 0, 0
	for i, t := range texts {
		switch last := i == len(texts)-1; {
		case t != "" && t == syntax.Rest && last:
			p.parts = append(p.parts, part{rest, ""})
			wild++
		case t != "" && t == syntax.One:
			p.parts = append(p.parts, part{one, ""})
			wild++
		case syntax.One != "" && strings.Contains(t, syntax.One), syntax.Rest != "" && strings.Contains(t, syntax.Rest):
			if t == syntax.Rest {
				return p, fmt.Errorf("%q: %s stands at the end alone", text, t)
			}
			return p, fmt.Errorf("%q: a wildcard stands alone between two %q", text, syntax.Separator)
		case strings.ContainsAny(t, "{}"):
			name, ok := strings.CutPrefix(t, "{")
			name, closed := strings.CutSuffix(name, "}")
			if !ok || !closed || !isName(name) {
				return p, fmt.Errorf("%q: %q is no name in braces, such as {room}, which stands alone between two %q", text, t, syntax.Separator)
			}
			if slices.Contains(p.parts, part{named, name}) {
				return p, fmt.Errorf("%q: {%s} stands there twice", text, name)
			}
			if syntax.One == "" {
				return p, fmt.Errorf("%q: a %s has no wildcards here, so that no part of it has a name", text, syntax.Word)
			}
			p.parts = append(p.parts, part{named, name})
			names++
		default:
			p.parts = append(p.parts, part{literal, t})
		}
	}
	p.whole = (names == 0 || wild > 0) && !slices.Contains(p.parts, part{named, syntax.Word})
	return p, nil
}

// isName reports whether s may be the name of a part: a label that a chart can
// name.
func isName(s string) bool {
	return s != "" && len(s) <= store.MaxLabelName && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// ParsePatterns reads the patterns of a setting that is a list. A problem's path
// is path, or path[i]. Two that mean the same subject are a problem, too: a
// broker may send what both mean twice.
func ParsePatterns(path string, texts []string, syntax Syntax) ([]Pattern, []problem.Problem) {
	var (
		out []Pattern
		ps  []problem.Problem
	)
	for i, text := range texts {
		p, err := ParsePattern(text, syntax)
		at := fmt.Sprintf("%s[%d]", path, i)
		if err != nil {
			ps = append(ps, problem.Problem{Path: at, What: err.Error(), Want: fmt.Sprintf("a %s such as %q", syntax.Word, strings.Join([]string{"sensors", "{room}", "{metric}"}, syntax.Separator))})
			continue
		}
		for _, other := range out {
			if p.overlaps(other) {
				ps = append(ps, problem.Problem{Path: at, What: fmt.Sprintf("some %ss are meant by %q and by %q, and would count twice", syntax.Word, text, other), Want: "one that means both, or a source of its own"})
				break
			}
		}
		out = append(out, p)
	}
	return out, ps
}

// String returns the pattern as it is written.
func (p Pattern) String() string {
	return p.join(func(name string) string { return "{" + name + "}" })
}

// Filter returns what a broker is asked for: wildcards stand for the names.
func (p Pattern) Filter() string {
	return p.join(func(string) string { return p.syntax.One })
}

// Wild reports whether the pattern may mean more than one subject.
func (p Pattern) Wild() bool {
	return slices.ContainsFunc(p.parts, func(q part) bool { return q.kind != literal })
}

func (p Pattern) join(name func(string) string) string {
	texts := make([]string, len(p.parts))
	for i, q := range p.parts {
		switch q.kind {
		case literal:
			texts[i] = q.text
		case one:
			texts[i] = p.syntax.One
		case rest:
			texts[i] = p.syntax.Rest
		case named:
			texts[i] = name(q.text)
		}
	}
	return strings.Join(texts, p.syntax.Separator)
}

// match returns the labels that a subject gives, which are its own, and the name
// of the metric, "" if it has none. ok is false if the pattern does not mean it.
func (p Pattern) match(subject string) (labels store.Labels, metric string, ok bool) {
	m := map[string]string{}
	left, more := subject, true
	for _, q := range p.parts {
		if q.kind == rest {
			if !more && !p.syntax.RestMayBeEmpty {
				return nil, "", false
			}
			more = false
			break
		}
		if !more {
			return nil, "", false
		}
		var text string
		text, left, more = strings.Cut(left, p.syntax.Separator)
		switch {
		case q.kind == literal && q.text != text:
			return nil, "", false
		case q.kind == named && q.text == nameOfMetric:
			metric = text
		case q.kind == named:
			m[q.text] = text
		}
	}
	if more {
		return nil, "", false
	}
	if p.whole {
		m[p.syntax.Word] = subject
	}
	return store.LabelsOf(m), metric, true
}

// namesMetric reports whether a part of the subject is the name of the metric.
func (p Pattern) namesMetric() bool { return slices.Contains(p.parts, part{named, nameOfMetric}) }

// overlaps reports whether some subject is meant by both.
func (p Pattern) overlaps(o Pattern) bool {
	for i := 0; ; i++ {
		pEnd, oEnd := i >= len(p.parts), i >= len(o.parts)
		switch {
		case pEnd && oEnd:
			return true
		case !pEnd && p.parts[i].kind == rest:
			return !oEnd || p.syntax.RestMayBeEmpty
		case !oEnd && o.parts[i].kind == rest:
			return !pEnd || p.syntax.RestMayBeEmpty
		case pEnd || oEnd:
			return false
		case p.parts[i].kind == literal && o.parts[i].kind == literal && p.parts[i].text != o.parts[i].text:
			return false
		}
	}
}
