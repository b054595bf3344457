package plotting

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/store"
)

// report adds one problem of a spec.
type report func(path, want, format string, args ...any)

// validateVars reports what is wrong with the vars themselves.
func (s *Spec) validateVars(add report) {
	for _, name := range slices.Sorted(maps.Keys(s.Vars)) {
		path := "vars." + name
		if !isVar(name) {
			add(path, "letters, digits and _, a letter first", "%q cannot be the name of a var", name)
			continue
		}
		x := s.Vars[name]
		text := func(path, value string) {
			if len(value) > MaxText || !utf8.ValidString(value) {
				add(path, fmt.Sprintf("at most %d bytes of UTF-8", MaxText), "the text has %d bytes, or they are no UTF-8", len(value))
			}
		}
		text(path+".default", x.Default)
		text(path+".label", x.Label)
		x.validateValues(path, text, add)
		if x.Live() {
			x.From.validate(path+".from", add)
		}
		switch {
		case x.Live() && len(x.Values) > 0:
			add(path+".from", "one of the two", `there is a list already, "values"`)
		case x.All && !x.listed():
			add(path+".all", `a list as well: "values" or "from"`, "there is nothing of which that could be all")
		case !x.takes(x.Default) && x.Default != "":
			add(path+".default", x.choice(x.Default), "%q is not in the list", x.Default)
		}
	}
}

func (x Var) validateValues(path string, text func(path, value string), add report) {
	if len(x.Values) > MaxValues {
		add(path+".values", fmt.Sprintf("at most %d, or \"from\", which takes them from the data", MaxValues), "the list has %d values", len(x.Values))
		return
	}
	seen := map[string]bool{}
	for i, value := range x.Values {
		at := fmt.Sprintf("%s.values[%d]", path, i)
		text(at, value)
		switch {
		case value == "":
			add(at, "a text", "the value is empty")
		case seen[value]:
			add(at, "each value once", "%q stands in the list twice", value)
		case x.All && value == All:
			add(at, "the list without it", "%q is what all: true adds", All)
		}
		seen[value] = true
	}
}

func (f VarSource) validate(path string, add report) {
	if f.Metric == "" {
		add(path+".metric", "the metric whose series have the label, such as host_load", "is empty")
	}
	if f.Label == "" {
		add(path+".label", "the label whose values are listed, such as host", "is empty")
	} else if _, err := store.ParseMatcher(f.Label, ""); err != nil {
		add(path+".label", "the name of a label, such as host", "%v", err)
	}
	for _, label := range slices.Sorted(maps.Keys(f.Labels)) {
		value := f.Labels[label]
		if _, name, _, _ := cutVar(value); name != "" {
			add(path+".labels."+label, "a text without one", "no var can stand in what a list is made from: %q", "$"+name)
		} else if _, err := store.ParseMatcher(label, value); err != nil {
			add(path+".labels."+label, `"value", "!=value", "=~regexp" or "!~regexp"`, "%v", err)
		}
	}
}

// choice says what a viewer can pick, for who picked something else.
func (x Var) choice(got string) string {
	values := x.Values
	if x.All {
		values = slices.Concat([]string{All}, values)
	}
	const most = 10
	say := "one of: " + strings.Join(values[:min(len(values), most)], ", ")
	if more := len(values) - most; more > 0 {
		say += fmt.Sprintf(" and %d more", more)
	}
	if near := problem.Nearest(got, values); near != "" {
		say = fmt.Sprintf("did you mean %q? It is ", near) + say
	}
	return say
}

// checkVars reports each "$name" that stands for nothing. In a chart without
// vars a "$" is a dollar, as in every text of which nobody said otherwise.
func (s *Spec) checkVars(add report) {
	if len(s.Vars) == 0 {
		return
	}
	declared := slices.Sorted(maps.Keys(s.Vars))
	check := func(path, text string) {
		for found := true; found; {
			var name string
			if _, name, text, found = cutVar(text); name == "" {
				continue
			}
			if _, ok := s.Vars[name]; ok {
				continue
			}
			add(path, problem.OneOf(name, declared)+`; a "$" that no letter follows stays as it is`, "there is no var %q", name)
		}
	}
	check("title", s.Title)
	check("description", s.Description)
	check("y.label", s.Y.Label)
	for i, series := range s.Series {
		path := fmt.Sprintf("series[%d]", i)
		check(path+".metric", series.Metric)
		check(path+".transform", strings.ReplaceAll(series.Transform, grafanas, "")) // see checkTransform
		check(path+".name", series.Name)
		for label, value := range series.Labels {
			check(path+".labels."+label, value)
		}
		for _, name := range varsIn(series.Metric) {
			if s.Vars[name].All {
				add(path+".metric", "a var without all: true, or the var in labels", "a metric cannot be all of %q", "$"+name)
			}
		}
	}
}

// tryCondition returns an error if a condition on a label makes no sense for one
// of the values that its vars can have: those that are written down.
func (s *Spec) tryCondition(label, condition string) error {
	try := func(values map[string]string) error {
		_, err := store.ParseMatcher(label, Picks{s.Vars, values}.Condition(condition))
		return err
	}
	values := s.Picks(View{}, nil).values
	if err := try(values); err != nil {
		return err
	}
	for _, name := range varsIn(condition) {
		for _, value := range s.Vars[name].Values {
			one := maps.Clone(values)
			one[name] = value
			if err := try(one); err != nil {
				return err
			}
		}
	}
	return nil
}

// varsIn returns the names that follow a "$" in a text.
func varsIn(text string) []string {
	var names []string
	for found := true; found; {
		var name string
		if _, name, text, found = cutVar(text); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func isVar(name string) bool {
	for i, c := range []byte(name) {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
