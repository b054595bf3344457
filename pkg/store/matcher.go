package store

import (
	"fmt"
	"regexp"
	"strings"
)

// Matcher is a condition on one label. The zero Matcher matches everything.
type Matcher struct {
	label   string
	value   string
	re      *regexp.Regexp
	negated bool
}

// MaxMatcher is how long, in bytes, the value of a matcher may be.
const MaxMatcher = MaxLabelValue

// ParseMatcher returns the condition that value states about a label:
//
//	"web1"       the label is "web1" ("" : it is absent)
//	"!=web1"     it is something else, or absent
//	"=~web[12]"  it matches the regular expression (RE2), as a whole
//	"!~web.*"    it does not
//
// A value that itself begins with one of the signs is matched by "=~" and \Q…\E.
func ParseMatcher(label, value string) (Matcher, error) {
	if err := checkText("labels", "a label's name ", label, MaxLabelName); err != nil {
		return Matcher{}, err
	}
	if len(value) > MaxMatcher {
		return Matcher{}, fmt.Errorf("the matcher of %s is %d bytes long; at most %d", label, len(value), MaxMatcher)
	}
	m := Matcher{label: label, value: value}
	if rest, ok := strings.CutPrefix(value, "!="); ok {
		m.value, m.negated = rest, true
		return m, nil
	}
	expr, ok := strings.CutPrefix(value, "=~")
	if !ok {
		expr, ok = strings.CutPrefix(value, "!~")
		m.negated = ok
	}
	if !ok {
		return m, nil
	}
	// The expression is compiled alone first: "a)(b" would be valid inside the
	// group below, and an error should quote what was written.
	if _, err := regexp.Compile(expr); err != nil {
		return Matcher{}, fmt.Errorf("the matcher of %s is no regular expression: %w", label, err)
	}
	re, err := regexp.Compile(`^(?s:` + expr + `)$`)
	if err != nil {
		return Matcher{}, fmt.Errorf("the matcher of %s is no regular expression: %w", label, err)
	}
	m.re = re
	return m, nil
}

// Label returns the name of the label that m looks at.
func (m Matcher) Label() string { return m.label }

// Matches reports whether a series with these labels fulfils m.
func (m Matcher) Matches(ls Labels) bool {
	v := ls.Get(m.label)
	if m.re != nil {
		return m.re.MatchString(v) != m.negated
	}
	return (v == m.value) != m.negated
}
