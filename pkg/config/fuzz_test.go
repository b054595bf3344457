package config_test

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/config"
)

// FuzzParse holds that no file makes the reader panic, that every error has a
// place, and that what is taken for good can be validated again, compared with
// itself, and has charts that can be told apart.
func FuzzParse(f *testing.F) {
	for _, file := range goodFiles(f) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add("charts: {a: {series: [{metric: m, labels: {a: '=~('}}], vars: {a.b: c}, callbacks: [{on: '*', set: {marks: [{t: 1, text: a}]}}]}}")
	f.Add("sources: {a: {type: host}, b: {type: push, interval: ${REFRESH}}}\nlog: {level: \"\\e[2J\"}")
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := config.Parse("f", []byte(text), kinds(), environment)
		if err != nil {
			all, ok := errors.AsType[*config.Errors](err)
			if !ok || cfg != nil || len(all.List) == 0 {
				t.Fatalf("%T %v", err, err)
			}
			for _, e := range all.List {
				if e.Line < 1 || e.Column < 1 || e.What == "" || strings.ContainsAny(e.Error(), "\n\r\x1b\x00") {
					t.Errorf("%q", e.Error())
				}
			}
			return
		}
		seen := map[string]bool{}
		for _, c := range cfg.Charts {
			if ps := c.Validate(); len(ps) > 0 || seen[c.Name] {
				t.Errorf("chart %q is seen %v, and has the problems %v", c.Name, seen[c.Name], ps)
			}
			seen[c.Name] = true
		}
		if d := config.Compare(cfg, cfg); !d.Empty() {
			t.Errorf("it differs from itself: %+v", d)
		}
	})
}

// TestEnvironmentIsNoYAML holds that a variable's value changes the one text
// that it stands in, whatever it is.
func TestEnvironmentIsNoYAML(t *testing.T) {
	const file = `
charts:
  a: {title: "<${X}>", y: {label: before}, series: [{metric: m}]}
  b: {title: b, series: [{metric: m, labels: {l: "${X}"}}]}
`
	without, err := config.Parse("f", []byte(file), kinds(), func(string) (string, bool) { return "", true })
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.StringN(0, 40, 100), rapid.SampledFrom([]string{"${X}", "$$", "*a", "&a", "!!int 5", "\"", "'}", "# c", "- ", "~", "\n  c: {}"})).Draw(t, "value")
		if strings.HasPrefix(value, "=~") || strings.HasPrefix(value, "!~") {
			value = " " + value // not every text is a regular expression
		}
		cfg, err := config.Parse("f", []byte(file), kinds(), func(name string) (string, bool) { return value, name == "X" })
		if err != nil {
			t.Fatal(err)
		}
		a, b := cfg.Charts[0], cfg.Charts[1]
		if a.Title != "<"+value+">" || b.Series[0].Labels["l"] != value {
			t.Fatalf("%q became %q and %q", value, a.Title, b.Series[0].Labels["l"])
		}
		a.Title, b.Series[0].Labels["l"] = "<>", ""
		if !reflect.DeepEqual(cfg.Charts, without.Charts) {
			t.Fatalf("%q changed more than its place", value)
		}
	})
}
