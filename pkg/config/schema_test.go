package config_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/chartd/chartd/pkg/config"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := config.Schema(kinds())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("chartd.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("chartd.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON reads YAML as an editor does: any value, merges resolved.
func asJSON(data []byte) (any, error) {
	var v any
	if err := yaml.Load(data, &v); err != nil {
		return nil, err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

func TestSchemaAcceptsGood(t *testing.T) {
	s := compiled(t)
	for _, file := range goodFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := asJSON(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestSchemaRefusesBad holds that a bad file fails the schema too, unless it
// says in a comment that no schema can know.
func TestSchemaRefusesBad(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := asJSON(data)
		if err != nil || !utf8.Valid(data) {
			continue // the editor says so before any schema is asked
		}
		err = s.Validate(v)
		cannot := strings.Contains(string(data), "# beyond a schema")
		if (err == nil) != cannot {
			t.Errorf("%s: the schema says %v; does the comment \"# beyond a schema\" tell the truth?", file, err)
		}
		if err != nil {
			refused++
		}
	}
	if refused < 15 {
		t.Errorf("the schema refuses only %d bad files", refused)
	}
}

// TestSchemaHelps holds what an editor shows to somebody who writes.
func TestSchemaHelps(t *testing.T) {
	data, err := config.Schema(kinds())
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	at := func(path ...string) map[string]any {
		m := root
		for _, p := range path {
			next, ok := m[p].(map[string]any)
			if !ok {
				t.Fatalf("%v: no %s among %q", path, p, slices.Sorted(maps.Keys(m)))
			}
			m = next
		}
		return m
	}
	window := at("properties", "charts", "additionalProperties", "properties", "window")
	if window["description"] != "window is how much time the x axis spans." || window["default"] != "5m" {
		t.Errorf("window is %v", window)
	}
	if ttl := at("properties", "session", "properties", "ttl"); ttl["default"] != "2m" {
		t.Errorf("session.ttl is %v", ttl)
	}
	// Everything that can be written has a description.
	var walk func(path string, v any)
	walk = func(path string, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			return
		}
		if ps, ok := m["properties"].(map[string]any); ok {
			if m["additionalProperties"] != false {
				t.Errorf("%s takes unknown keys", path)
			}
			for name, p := range ps {
				if d, _ := p.(map[string]any)["description"].(string); d == "" {
					t.Errorf("%s.%s has no description", path, name)
				}
				walk(path+"."+name, p)
			}
		}
		for _, sub := range []string{"items", "additionalProperties"} {
			walk(path+"."+sub, m[sub])
		}
		if list, ok := m["oneOf"].([]any); ok {
			for _, one := range list {
				walk(path, one)
			}
		}
	}
	walk("", root)
}
