package session

import (
	"errors"
	"fmt"
	"strings"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
)

// ChartConfig is the part of a chart's YAML that says how callbacks change it.
// It stands beside the fields of plotting.Spec.
type ChartConfig struct {
	// Scope says whose view a client's callback changes: "view" (the default)
	// is its caller's alone, "shared" everybody's.
	Scope Scope `yaml:"scope"`
	// Callbacks change the view when a client raises a callback. The first
	// whose `on` fits decides; then the chart's Go handler is not asked.
	Callbacks []CallbackRule `yaml:"callbacks"`
}

// Scope says whose view a client's callback changes.
type Scope string

// The scopes.
const (
	ScopeView   Scope = "view"
	ScopeShared Scope = "shared"
)

// Scopes lists every Scope.
func Scopes() []Scope { return []Scope{ScopeView, ScopeShared} }

// CallbackRule answers a client's callback without any Go.
type CallbackRule struct {
	// On is the argument: exactly this text, or a pattern in which "*" stands
	// for any text and "?" for one character.
	On string `yaml:"on"`
	// Set is how the view changes.
	Set plotting.Change `yaml:"set"`
}

// DefaultChartConfig returns the values that ChartConfig has where YAML is
// silent.
func DefaultChartConfig() ChartConfig { return ChartConfig{Scope: ScopeView} }

// Validate returns every problem that shows without the chart's spec; Against
// finds the others.
func (c ChartConfig) Validate() []problem.Problem {
	var ps []problem.Problem
	if c.Scope != ScopeView && c.Scope != ScopeShared {
		ps = append(ps, problem.Problem{Path: "scope", What: fmt.Sprintf("no scope %q", c.Scope), Want: problem.OneOf(c.Scope, Scopes())})
	}
	seen := map[string]int{}
	for i, r := range c.Callbacks {
		at := fmt.Sprintf("callbacks[%d]", i)
		if r.On == "" {
			ps = append(ps, problem.Problem{Path: at + ".on", What: "is missing", Want: `the argument of the callback, as "MyCustomArgs" or "zoom-*"`})
			continue
		}
		if first, dup := seen[r.On]; dup {
			ps = append(ps, problem.Problem{
				Path: at + ".on", What: fmt.Sprintf("%q stands in callbacks[%d] already, and the first decides", r.On, first),
				Want: "one rule for each argument",
			})
		} else {
			seen[r.On] = i
		}
		if c.Scope == ScopeShared && r.Set.Paused != nil {
			ps = append(ps, problem.Problem{Path: at + ".set.paused", What: "pauses one viewer, but the scope is shared", Want: "scope: view, or no paused"})
		}
	}
	return ps
}

// Against returns the problems of the rules with the chart that they change.
func (c ChartConfig) Against(spec *plotting.Spec) []problem.Problem {
	var ps []problem.Problem
	for i, r := range c.Callbacks {
		_, err := spec.Change(spec.View("chart"), r.Set)
		for _, e := range flatten(err) {
			ps = append(ps, problem.Problem{Path: fmt.Sprintf("callbacks[%d].set", i), What: e.Error()})
		}
	}
	return ps
}

// flatten returns the errors that were joined into one.
func flatten(err error) []error {
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// rule returns the first rule that fits arg, or nil.
func (c *ChartConfig) rule(arg string) *CallbackRule {
	for i := range c.Callbacks {
		if fits(c.Callbacks[i].On, arg) {
			return &c.Callbacks[i]
		}
	}
	return nil
}

// fits reports whether text is pattern, or is what its "*" and "?" stand for.
func fits(pattern, text string) bool {
	if pattern == text {
		return true
	}
	if !strings.ContainsAny(pattern, "*?") {
		return false
	}
	p, s := []rune(pattern), []rune(text)
	// On a mismatch, the last star takes one character more; earlier stars
	// never need to be tried again.
	star, from := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
