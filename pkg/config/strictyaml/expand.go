package strictyaml

import (
	"fmt"
	"slices"
	"strings"
)

// maxNesting is how deep defaults may nest: ${A:-${B:-${C}}}.
const maxNesting = 8

// expandError says why a value's variables could not be replaced.
type expandError struct{ what, want string }

// expand replaces the environment variables in s. used reports whether there
// was at least one.
func expand(s string, lookup func(string) (string, bool)) (out string, used bool, problem *expandError) {
	if !strings.Contains(s, "$") {
		return s, false, nil
	}
	e := expander{rest: s, lookup: lookup}
	var b strings.Builder
	problem = e.run(&b, 0, true)
	if problem == nil && len(e.unset) > 0 {
		problem = unsetError(e.unset)
	}
	return b.String(), e.used, problem
}

type expander struct {
	rest   string
	lookup func(string) (string, bool)
	used   bool
	unset  []string // variables that are needed and not set
}

func unsetError(names []string) *expandError {
	verb := "variable " + names[0] + " is"
	if last := len(names) - 1; last > 0 {
		verb = "variables " + strings.Join(names[:last], ", ") + " and " + names[last] + " are"
	}
	return &expandError{
		"the environment " + verb + " not set",
		fmt.Sprintf("set it, or give it a default: ${%s:-default}", names[0]),
	}
}

// run writes the text up to the end, or, inside a default, to its closing
// brace, which it takes. live is false in a default that is not needed: its
// variables need not be set.
func (e *expander) run(b *strings.Builder, depth int, live bool) *expandError {
	for e.rest != "" {
		i := strings.IndexAny(e.rest, "$}")
		if i < 0 {
			i = len(e.rest)
		}
		b.WriteString(e.rest[:i])
		e.rest = e.rest[i:]
		var problem *expandError
		switch {
		case e.rest == "":
		case e.rest[0] == '}':
			e.rest = e.rest[1:]
			if depth > 0 {
				return nil
			}
			b.WriteByte('}')
		case strings.HasPrefix(e.rest, "$$"):
			b.WriteByte('$')
			e.rest = e.rest[2:]
		case strings.HasPrefix(e.rest, "${"):
			problem = e.variable(b, depth, live)
		default:
			b.WriteByte('$')
			e.rest = e.rest[1:]
		}
		if problem != nil {
			return problem
		}
	}
	if depth > 0 {
		return unclosed
	}
	return nil
}

var unclosed = &expandError{`"${" has no closing "}"`, `write ${NAME}, ${NAME:-default}, or $${ for the characters themselves`}

// variable replaces the one that rest begins with.
func (e *expander) variable(b *strings.Builder, depth int, live bool) *expandError {
	e.used = true
	body := e.rest[2:]
	end := strings.IndexAny(body, ":}")
	if end < 0 {
		return unclosed
	}
	name := body[:end]
	if !variableName(name) {
		return &expandError{
			fmt.Sprintf("%s is not the name of an environment variable", quote(name)),
			`write ${NAME}, ${NAME:-default}, or $${ for the characters themselves`,
		}
	}
	value, set := e.lookup(name)
	if body[end] == '}' {
		e.rest = body[end+1:]
		if !set && live && !slices.Contains(e.unset, clip(name)) {
			e.unset = append(e.unset, clip(name))
		}
		b.WriteString(value)
		return nil
	}
	fallback, ok := strings.CutPrefix(body[end:], ":-")
	if !ok {
		return &expandError{
			fmt.Sprintf("%q follows the name %s in ${…}", body[end:min(end+2, len(body))], name),
			fmt.Sprintf("a default is written ${%s:-default}", name),
		}
	}
	if depth == maxNesting {
		return &expandError{"defaults nest too deep", fmt.Sprintf("at most %d", maxNesting)}
	}
	e.rest = fallback
	// As in a shell, an empty variable takes the default of ":-" too.
	var text strings.Builder
	if problem := e.run(&text, depth+1, live && value == ""); problem != nil {
		return problem
	}
	if value == "" {
		value = text.String()
	}
	b.WriteString(value)
	return nil
}

func variableName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
