package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chartd/chartd/pkg/problem"
)

const (
	// MaxSize is how long a document may be, in bytes.
	MaxSize = 1 << 20
	// maxVisits is how many values a document may have with all its aliases
	// expanded. MaxSize of the shortest values stays below it.
	maxVisits = 600_000
)

// Document is one parsed YAML document. Its methods collect what is wrong;
// Err gives it back. It is owned by one goroutine.
type Document struct {
	root   *yaml.Node // nil when the document is empty
	lookup func(string) (string, bool)
	errs   collector

	at      map[string]position // where each path stands
	bad     map[string]bool     // paths that already have an error
	visits  int
	onStack map[*yaml.Node]bool // collections that are being read, against loops

	templates *templates // of what is being decoded; nil for most
}

// Node is a value that is decoded later, when it is known into what. A struct
// field of this type takes any value. The zero Node is an absent value.
type Node struct {
	node *yaml.Node
	path string
}

// Present reports whether the document has the value; a key with nothing
// behind it has none.
func (n Node) Present() bool { return n.node != nil }

// Path returns where the value stands: "charts.cpu".
func (n Node) Path() string { return n.path }

// Parse reads data as one YAML document; name stands in its errors. lookup
// finds environment variables; nil means that there are none. The error is an
// *Errors with the first place where data is not YAML.
func Parse(name string, data []byte, lookup func(string) (string, bool)) (*Document, error) {
	if lookup == nil {
		lookup = func(string) (string, bool) { return "", false }
	}
	d := &Document{
		lookup: lookup, errs: collector{file: name},
		at: map[string]position{}, bad: map[string]bool{}, onStack: map[*yaml.Node]bool{},
	}
	text := d.checkBytes(data)
	if err := d.Err(); err != nil {
		return nil, err
	}
	if err := d.parse(text); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Document) parse(text []byte) error {
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", d.errs.file, err)
	}
	var doc yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		d.syntax(text, err)
		return d.Err()
	}
	var second yaml.Node
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(text, err)
	default:
		d.errs.add(positionOf(&second), "", `a second document begins here`, `one file holds one document: remove the "---" or "..." line`)
	}
	if len(doc.Content) > 0 && !isNull(doc.Content[0]) {
		d.root = doc.Content[0]
	}
	return d.Err()
}

// Decode stores the whole document in the struct that v points to. What the
// document does not mention keeps its value.
func (d *Document) Decode(v any) {
	if d.root == nil {
		return
	}
	d.at[""] = position{1, 1}
	d.decode(d.root, reflect.ValueOf(v).Elem(), "", options{skip: extension})
}

// extension reports whether a key at the top of the document is for the
// reader alone, such as a place for anchors.
func extension(key string) bool { return strings.HasPrefix(key, "x-") }

// DecodeNode stores n in what v points to; known are keys of a mapping that
// are meant for somebody else.
func (d *Document) DecodeNode(n Node, v any, known ...string) {
	if n.node != nil {
		d.decode(n.node, reflect.ValueOf(v).Elem(), n.path, options{known: known})
	}
}

// Entry is one key of a mapping and its value.
type Entry struct {
	// Key is the key's text.
	Key string
	// Value is what stands behind it.
	Value Node
}

// Entries returns the keys of the mapping n in the order of the document. It
// reports what is not a mapping; want says what should be there, as "a mapping
// of names to charts".
func (d *Document) Entries(n Node, want string) []Entry {
	if n.node == nil {
		return nil
	}
	target, leave := d.enter(n.node, n.path)
	defer leave()
	if target == nil || isNull(target) {
		return nil
	}
	if target.Kind != yaml.MappingNode {
		d.wrongType(target, n.path, want, false)
		return nil
	}
	pairs := d.pairs(target, n.path)
	out := make([]Entry, len(pairs))
	for i, p := range pairs {
		path := join(n.path, p.key.Value)
		d.place(path, p.key, p.value)
		out[i] = Entry{p.key.Value, Node{p.value, path}}
	}
	return out
}

// IsFalse reports whether n is the plain word false, which switches off what
// is otherwise a mapping.
func (d *Document) IsFalse(n Node) bool {
	if n.node == nil {
		return false
	}
	t := follow(n.node)
	return t.Kind == yaml.ScalarNode && t.ShortTag() == "!!bool" && strings.EqualFold(t.Value, "false")
}

// Report adds an error at the value at path, or, if it is absent, at the
// nearest value around it.
func (d *Document) Report(path, what, want string) {
	d.errs.add(d.find(path), path, what, want)
	d.bad[path] = true
}

// unknownKey adds an error at an unknown key of the mapping at path; known are
// the keys it may have. hide keeps what it says to itself, unless it is nearly
// one of those.
func (d *Document) unknownKey(key *yaml.Node, path string, known []string, hide bool) {
	want := "this mapping has no keys"
	near := problem.Nearest(key.Value, known)
	switch {
	case near != "":
		want = fmt.Sprintf("did you mean %q?", near)
		// Without the slip the key would be there: nobody needs to hear that
		// it is missing as well.
		d.bad[join(path, near)] = true
	case len(known) > 0:
		want = "the keys here are: " + strings.Join(known, ", ")
	}
	what := "unknown key " + quote(key.Value)
	if hide && near == "" {
		what = "a key that is not known, and without a value"
	}
	d.errs.add(positionOf(key), path, what, want)
}

// Check asks v for its problems and reports them as those of the value at
// path. A problem of a value that already has an error is not repeated.
func (d *Document) Check(path string, v problem.Validator) {
	for _, p := range v.Validate() {
		full := under(path, p.Path)
		if !d.isBad(full) {
			d.errs.add(d.find(full), full, p.What, p.Want)
		}
	}
}

// Bad reports whether the value at path, or one that it is part of, has an
// error.
func (d *Document) Bad(path string) bool { return d.isBad(path) }

func (d *Document) isBad(path string) bool {
	for ; path != ""; path = parent(path) {
		if d.bad[path] {
			return true
		}
	}
	return d.bad[""]
}

// Err returns the *Errors collected so far, or nil.
func (d *Document) Err() error { return d.errs.err() }

// find returns where path stands, or the nearest value around it.
func (d *Document) find(path string) position {
	for {
		if p, ok := d.at[path]; ok {
			return p
		}
		if path == "" {
			return position{1, 1}
		}
		path = parent(path)
	}
}

// place remembers where path stands: at the value, if that begins on the
// key's line; at the key, if the value is a block below it. A problem of a
// block is found at its head.
func (d *Document) place(path string, key, value *yaml.Node) {
	if _, ok := d.at[path]; ok {
		return
	}
	if key != nil && value.Line != key.Line {
		d.at[path] = positionOf(key)
		return
	}
	d.at[path] = positionOf(value)
}
