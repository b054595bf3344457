package config_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/config/strictyaml"
)

var update = flag.Bool("update", false, "write the expected files anew")

// TestFieldDocs holds that docs.json says what the doc comments say, and that
// every key has one.
func TestFieldDocs(t *testing.T) {
	docs := map[string]string{}
	for _, owner := range configured(t) {
		for name, text := range comments(t, owner) {
			docs[owner.PkgPath()+"."+owner.Name()+"."+name] = text
			if text == "" {
				t.Errorf("%s.%s can be configured and has no doc comment", owner, name)
			}
		}
	}
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(docs); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("docs.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("docs.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs.json is not what the doc comments say; run: go test ./pkg/config -run TestFieldDocs -update")
	}
}

// configured returns every struct type that YAML can fill.
func configured(t *testing.T) []reflect.Type {
	t.Helper()
	var out []reflect.Type
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			for _, f := range strictyaml.Fields(typ) {
				if !seen[f.Owner] {
					seen[f.Owner] = true
					out = append(out, f.Owner)
				}
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[config.Config]())
	walk(reflect.TypeFor[config.Chart]())
	for _, kind := range kinds().Kinds() {
		cfg, err := kinds().New(kind)
		if err != nil {
			t.Fatal(err)
		}
		walk(reflect.TypeOf(cfg))
	}
	return out
}

// comments returns what the source says about the fields of a struct. A field
// without a comment shares that of the one before it. Config's own fields that
// are read by hand count too.
func comments(t *testing.T, owner reflect.Type) map[string]string {
	t.Helper()
	rel, ok := strings.CutPrefix(owner.PkgPath(), "github.com/chartd/chartd/")
	if !ok {
		t.Fatalf("%s is not of this module", owner)
	}
	files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(rel), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != owner.Name() {
				return true
			}
			st, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			last := ""
			for _, f := range st.Fields.List {
				text := f.Doc.Text() + f.Comment.Text()
				text = strings.Join(strings.Fields(text), " ")
				if text == "" {
					text = last
				}
				last = text
				for _, name := range f.Names {
					if name.IsExported() {
						out[name.Name] = text
					}
				}
			}
			return false
		})
	}
	if len(out) == 0 {
		t.Errorf("the source of %s was not found", owner)
	}
	return out
}
