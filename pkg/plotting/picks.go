package plotting

import (
	"regexp"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/store"
)

// Picks are the values that a chart's vars have in one view. It is immutable,
// and good for one generation of the store.
type Picks struct {
	vars   map[string]Var
	values map[string]string // known ones
}

// Picks returns what the vars of a view stand for. q says what the first value
// of a list is that comes from the store; nil: nobody knows.
func (s *Spec) Picks(v View, q store.Querier) Picks {
	if len(s.Vars) == 0 {
		return Picks{}
	}
	values := make(map[string]string, len(s.Vars))
	set := v.Vars()
	for name, x := range s.Vars {
		value, known := set[name]
		if !known {
			value, known = x.Initial()
		}
		if !known {
			value, known = x.first(q)
		}
		if known {
			values[name] = value
		}
	}
	return Picks{s.Vars, values}
}

// unknownText stands in a text for a var whose list has no value yet.
const unknownText = "…"

// Value returns the value of a var; it is not known as long as a list that comes
// from the store is empty.
func (p Picks) Value(name string) (value string, known bool) {
	value, known = p.values[name]
	return value, known
}

// Text replaces each "$name" by the var's value, for people: All is "All". A "$"
// before anything else stays.
func (p Picks) Text(text string) string {
	if len(p.vars) == 0 || !strings.Contains(text, "$") {
		return text
	}
	var b strings.Builder
	for _, part := range p.cut(text) {
		switch {
		case part.pattern && part.value == anything:
			b.WriteString(allText)
		case part.unknown:
			b.WriteString(unknownText)
		default:
			b.WriteString(part.text)
		}
	}
	return b.String()
}

// Condition replaces each "$name" in a condition on a label, as
// [store.ParseMatcher] reads it: "$host", "!=$host", "=~$host:.*". (A matcher
// host="$host" of PromQL is the condition "$host", host=~"$host:.*" is
// "=~$host:.*".) The result is a condition with the meaning that one expects:
//
//   - A value is compared as it stands. One that comes from the store's labels is
//     text within a regular expression, too; of others YAML or the viewer may make
//     a part of it.
//   - A value that is a condition itself, as "=~web.*", is that condition where
//     "$host" stands alone, and its opposite behind "!=". "=~" also works amid text:
//     "rack-$n".
//   - All is the pattern "=~.*".
//   - A value that nobody knows yet matches nothing.
func (p Picks) Condition(text string) string {
	if len(p.vars) == 0 || !strings.Contains(text, "$") {
		return text
	}
	op, rest := operator(text)
	parts := p.cut(rest)
	if len(parts) == 1 && parts[0].name != "" {
		return parts[0].under(op)
	}
	expression := op == "=~" || op == "!~"
	if !expression && slices.ContainsFunc(parts, func(part varText) bool { return part.pattern }) {
		op = map[string]string{"": "=~", "!=": "!~"}[op]
		for i, part := range parts {
			if !part.pattern {
				parts[i].text = regexp.QuoteMeta(part.text)
			}
		}
		expression = true
	}
	var b strings.Builder
	b.WriteString(op)
	for _, part := range parts {
		if expression {
			b.WriteString(part.expression())
		} else {
			b.WriteString(part.text)
		}
	}
	return b.String()
}

// The expressions that match anything, and nothing.
const (
	anything = ".*"
	nothing  = `[^\x00-\x{10FFFF}]`
)

// varText is a piece of a text: as it stands, or the value of a var.
type varText struct {
	text    string
	name    string // of the var; "" is text
	value   string // of a pattern: the expression
	pattern bool
	unknown bool
	literal bool // the value is no part of an expression
}

// cut cuts a text around its vars.
func (p Picks) cut(text string) []varText {
	var parts []varText
	for found := true; found; {
		var before, name string
		before, name, text, found = cutVar(text)
		x, declared := p.vars[name]
		if found && !declared {
			before += "$" + name
		}
		if before != "" {
			parts = append(parts, varText{text: before})
		}
		if !found || !declared {
			continue
		}
		part := varText{name: name, literal: x.Live()}
		value, known := p.values[name]
		part.text = value
		switch {
		case !known:
			part.unknown, part.pattern, part.value = true, true, nothing
		case x.All && value == All:
			part.pattern, part.value = true, anything
		case strings.HasPrefix(value, "=~"):
			part.pattern, part.value = true, value[2:]
		}
		parts = append(parts, part)
	}
	return parts
}

// expression is the piece within a regular expression.
func (part varText) expression() string {
	switch {
	case part.pattern:
		return "(?:" + part.value + ")"
	case part.literal:
		return regexp.QuoteMeta(part.text)
	default:
		return part.text
	}
}

// under is the condition that op and the var's value state together.
func (part varText) under(op string) string {
	own, value := operator(part.text)
	if part.pattern {
		own, value = "=~", part.value
	}
	if op == "!=" || op == "!~" {
		own = map[string]string{"": op, "!=": "", "=~": "!~", "!~": "=~"}[own]
	} else if own == "" {
		own = op
	}
	if part.literal && !part.pattern && (own == "=~" || own == "!~") && !strings.HasPrefix(part.text, "!~") {
		value = regexp.QuoteMeta(value)
	}
	return own + value
}

// operator cuts the operator off a condition.
func operator(condition string) (op, rest string) {
	for _, op := range []string{"!=", "=~", "!~"} {
		if rest, ok := strings.CutPrefix(condition, op); ok {
			return op, rest
		}
	}
	return "", condition
}

// cutVar cuts a text around its first "$". name is what follows it and could be
// the name of a var, "" if nothing does.
func cutVar(text string) (before, name, after string, found bool) {
	before, after, found = strings.Cut(text, "$")
	n := 0
	for n < len(after) && (after[n] == '_' || after[n]|0x20 >= 'a' && after[n]|0x20 <= 'z' || n > 0 && after[n] >= '0' && after[n] <= '9') {
		n++
	}
	return before, after[:n], after[n:], found
}
