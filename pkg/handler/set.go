package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/session"
)

// Set is a change of the view. Wherever it holds a value, it may hold a template
// that becomes one when the callback is raised.
type Set struct {
	plotting.Change
	templates []place
}

// place is a template and where it stands.
type place struct {
	path  []any // keys, and indexes of lists
	text  string
	plain bool // the value reads a text; any other is made of JSON
}

// Defer keeps a template for later, or says why it is none; see
// strictyaml.Templated.
func (s *Set) Defer(path []any, text string, plain bool) error {
	if _, err := parseTemplate(text); err != nil {
		return err
	}
	s.templates = append(s.templates, place{path, text, plain})
	return nil
}

// pathOf writes a path as YAML's names: "marks[0].text".
func pathOf(path []any) string {
	var b strings.Builder
	for _, step := range path {
		switch step := step.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(step) + "]")
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// has reports whether the change has a template under a key.
func (s *Set) has(key string) bool {
	return slices.ContainsFunc(s.templates, func(p place) bool { return p.path[0] == key })
}

// validate returns what is wrong whatever the chart shows.
func (s *Set) validate(o owner) []problem.Problem {
	if s.Paused == nil && !s.has("paused") {
		return nil
	}
	what := ""
	switch {
	case o.scope == session.ScopeShared:
		what = "pauses one viewer, but the scope is shared"
	case o.on.tick():
		what = "pauses one viewer, but a tick is for all who watch"
	default:
		return nil
	}
	return []problem.Problem{{Path: "paused", What: what, Want: "scope: view and another on, or no paused"}}
}

// against returns what the chart refuses of the change. What a template will
// say is not known yet.
func (s *Set) against(spec *plotting.Spec) []problem.Problem {
	known, err := s.without()
	if err != nil {
		return []problem.Problem{{What: err.Error()}}
	}
	_, err = spec.Change(spec.View("chart"), known)
	var ps []problem.Problem
	for _, e := range problem.Joined(err) {
		ps = append(ps, problem.Problem{What: e.Error()})
	}
	return ps
}

// without returns the change without the keys that hold templates.
func (s *Set) without() (known plotting.Change, err error) {
	if len(s.templates) == 0 {
		return s.Change, nil
	}
	tree, err := treeOf(s.Change)
	if err != nil {
		return known, err
	}
	for _, p := range s.templates {
		if key, ok := p.path[0].(string); ok {
			delete(tree, key)
		}
	}
	err = fill(&known, tree)
	return known, err
}

// callback returns what changes the view.
func (s *Set) callback() (session.RefreshCallback, error) {
	if len(s.templates) == 0 {
		change := s.Change
		return func(_ context.Context, call *session.Call) error { return call.Set(change) }, nil
	}
	base, err := json.Marshal(s.Change)
	if err != nil {
		return nil, fmt.Errorf("set: %w", err)
	}
	parsed := make([]*template.Template, len(s.templates))
	for i, p := range s.templates {
		if parsed[i], err = parseTemplate(p.text); err != nil {
			return nil, fmt.Errorf("set.%s: %w", pathOf(p.path), err)
		}
	}
	places := s.templates
	return func(_ context.Context, call *session.Call) error {
		tree := map[string]any{}
		if err := decodeJSON(base, &tree); err != nil {
			return fmt.Errorf("set: %w", err)
		}
		data := dataOf(call)
		for i, t := range parsed {
			v, err := value(t, data, places[i].plain)
			if err != nil {
				return fmt.Errorf("set.%s: %w", pathOf(places[i].path), err)
			}
			put(tree, places[i].path, v)
		}
		var change plotting.Change
		if err := fill(&change, tree); err != nil {
			return err
		}
		return call.Set(change)
	}, nil
}

// value returns what a template becomes: a text, or JSON.
func value(t *template.Template, data map[string]any, plain bool) (any, error) {
	text, err := expand(t, data)
	if err != nil || plain {
		return text, err
	}
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("%q is neither a number, a boolean nor JSON", cut(text))
	}
	return json.RawMessage(text), nil
}

// dataOf returns what templates see of a call.
func dataOf(call *session.Call) map[string]any {
	vars := map[string]any{}
	for name, v := range varsOf(call.Spec(), call.View()) {
		vars[name] = v
	}
	return map[string]any{
		"arg": decode(call.Arg()), "chart": call.Chart(), "user": call.User(), "claims": claimsOf(call), "vars": vars, "cause": string(call.Cause()),
	}
}

// claimsOf returns the caller's claims, none if there are none.
func claimsOf(call *session.Call) any {
	if v := decode(call.Claims()); v != nil {
		return v
	}
	return map[string]any{}
}

// put stores v in a tree of JSON at path. Every list and object on the way is
// there already, since a placeholder stands for each template.
func put(tree map[string]any, path []any, v any) {
	var at any = tree
	for i, step := range path {
		last := i == len(path)-1
		switch step := step.(type) {
		case string:
			m, ok := at.(map[string]any)
			if !ok {
				return
			}
			if last {
				m[step] = v
				return
			}
			at = m[step]
		case int:
			list, ok := at.([]any)
			if !ok || step >= len(list) {
				return
			}
			if last {
				list[step] = v
				return
			}
			at = list[step]
		}
	}
}

// treeOf returns a change as a tree of JSON.
func treeOf(c plotting.Change) (map[string]any, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	tree := map[string]any{}
	return tree, decodeJSON(b, &tree)
}

// fill stores a tree in a change, key by key, so that an error names its own.
func fill(c *plotting.Change, tree map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		b, err := json.Marshal(map[string]any{key: tree[key]})
		if err == nil {
			err = decodeJSON(b, c)
		}
		if err != nil {
			return fmt.Errorf("set.%s: %w", key, clear(err))
		}
	}
	return nil
}

func decodeJSON(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

// clear says what encoding/json means in the words of who writes YAML.
func clear(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return errors.New(problem.OfJSON(e))
	}
	return err
}
