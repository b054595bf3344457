package strictyaml_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/config/strictyaml"
)

// FuzzDecode holds that no text makes the decoder panic or hang, and that an
// error always has a place inside the text.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"title: a\ny: {min: 1}\nseries:\n  - {metric: a, labels: {b: c}}\n",
		"x-a: &a {unit: s}\ny: {<<: [*a, *a]}\nsize: [1, 2]\n",
		"title: ${A:-${B:-c}} $$ ${\nsmall: 0x7f\nratio: 1e3\nstack: true\nevery: 1h\nhidden: [a]\nlimit: 1KiB\n",
		"? [a]\n: b\n<<: *x\n", "y: &a {<<: *a}\n", "a: |\n  b\n  c\n", "---\n...\n---\n", "\ufeff%YAML 1.2\n---\n", "a: !!binary x\n\tb", "later: {a: {b: [c]}}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := strictyaml.Parse("f", []byte(text), environment)
		if err == nil {
			var v sample
			doc.Decode(&v)
			for _, e := range doc.Entries(v.Later, "a mapping") {
				var one item
				doc.DecodeNode(e.Value, &one, "type")
			}
			doc.Check("", v)
			err = doc.Err()
		}
		if err == nil {
			return
		}
		all, ok := errors.AsType[*strictyaml.Errors](err)
		if !ok {
			t.Fatalf("%T: %v", err, err)
		}
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + strings.Count(text, "\u0085") + strings.Count(text, "\u2028") + strings.Count(text, "\u2029") + 2
		for _, e := range all.List {
			if e.Line < 1 || e.Line > lines || e.Column < 1 || e.What == "" || strings.ContainsAny(e.Error(), "\n\x1b\x00") {
				t.Errorf("%q gives %q", text, e.Error())
			}
		}
	})
}

// TestAsTheLibrary holds that a value which the YAML library writes is read
// back as it was.
func TestAsTheLibrary(t *testing.T) {
	type part struct {
		Name   string            `yaml:"name"`
		Labels map[string]string `yaml:"labels"`
		Values []float64         `yaml:"values"`
		Number int64             `yaml:"number"`
		On     bool              `yaml:"on"`
		Far    *string           `yaml:"far"`
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Filter(func(s string) bool { return !strings.Contains(s, "$") })
		gen := rapid.Custom(func(t *rapid.T) part {
			return part{
				Name:   text.Draw(t, "name"),
				Labels: rapid.MapOfN(text, text, 0, 3).Draw(t, "labels"),
				Values: rapid.SliceOfN(rapid.Float64(), 0, 3).Draw(t, "values"),
				Number: rapid.Int64().Draw(t, "number"),
				On:     rapid.Bool().Draw(t, "on"),
				Far:    rapid.Ptr(text, true).Draw(t, "far"),
			}
		})
		want := struct {
			Parts []part `yaml:"parts"`
		}{rapid.SliceOfN(gen, 1, 3).Draw(t, "parts")}
		data, err := yaml.Dump(want)
		if err != nil {
			t.Fatal(err)
		}
		got := want
		got.Parts = nil
		doc, err := strictyaml.Parse("f", data, nil)
		if err != nil {
			t.Fatalf("%s\n%v", data, err)
		}
		doc.Decode(&got)
		if err := doc.Err(); err != nil {
			t.Fatalf("%s\n%v", data, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\ngives %+v, want %+v", data, got, want)
		}
	})
}
