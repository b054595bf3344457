package strictyaml

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxKeys is how deep the path of a value may lead that is laid over a document.
const maxKeys = 16

// Set lays one value over the document, in the place of what stands at key, as
// if it were written there: "server.max_connections" leads into the mapping
// `server`, which is made if it is not there. The value is YAML in turn, and its
// variables are replaced. A later Set wins over an earlier one. It must come
// before Decode. What is wrong is reported under the name given, without a line:
// "--set server.max_connections".
func (d *Document) Set(name, key, value string) {
	at := d.errs.overlay(name)
	keys := strings.Split(key, ".")
	if len(keys) > maxKeys || slices.ContainsFunc(keys, func(k string) bool { return !plainKey(k) }) {
		d.errs.add(at, "", quote(key)+" is not the path of a value",
			"write keys with dots between them, as server.max_connections; a list is set as a whole, as server.origins=[a, b]")
		return
	}
	node, ok := d.value(at, value)
	if ok {
		d.root = d.lay(d.root, keys, "", node, at)
	}
}

// value reads the YAML of one value. Its nodes stand at at: their own lines would
// be taken for the file's.
func (d *Document) value(at position, text string) (*yaml.Node, bool) {
	one, err := Parse("", []byte(text), d.lookup)
	if err != nil {
		for _, e := range mistakes(err) {
			d.errs.add(at, "", "the value: "+e.What, e.Want)
		}
		return nil, false
	}
	node := one.root
	if node == nil {
		node = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	move(node, at)
	return node, true
}

func mistakes(err error) []*Error {
	if es, ok := errors.AsType[*Errors](err); ok {
		return es.List
	}
	return []*Error{{What: err.Error()}}
}

// move gives a node and all below it a place. An alias stands inside the node
// that it leads to or beside it, so that the tree is all there is.
func move(n *yaml.Node, at position) {
	n.Line, n.Column = at.line, at.column
	for _, below := range n.Content {
		move(below, at)
	}
}

// lay returns n with value at keys below it. It copies what it changes: an
// anchor's mapping may stand elsewhere, too.
func (d *Document) lay(n *yaml.Node, keys []string, path string, value *yaml.Node, at position) *yaml.Node {
	if len(keys) == 0 {
		return value
	}
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: at.line, Column: at.column}
	var old *yaml.Node // what stands at the first key
	own := -1          // where in out
	if n != nil && !isNull(n) {
		target, leave := d.enter(n, path)
		defer leave()
		if target == nil {
			return n
		}
		if target.Kind != yaml.MappingNode {
			what := "one text" // which may be a secret
			if target.Kind == yaml.SequenceNode {
				what = "a list"
			}
			d.errs.add(at, path, fmt.Sprintf("is %s, which has no key %s", what, quote(keys[0])), "want a mapping there")
			return n
		}
		*out = *target
		out.Anchor, out.Content = "", slices.Clone(target.Content)
		for _, p := range d.pairs(target, path) {
			if p.key.Value == keys[0] {
				old = p.value
			}
		}
		for i := 0; i+1 < len(out.Content); i += 2 {
			if k := follow(out.Content[i]); k.Kind == yaml.ScalarNode && k.Value == keys[0] {
				own = i + 1
				break
			}
		}
	}
	below := d.lay(old, keys[1:], join(path, keys[0]), value, at)
	if own >= 0 {
		if len(keys) == 1 { // the new value counts as written behind its key
			key := *follow(out.Content[own-1])
			key.Line, key.Column = at.line, at.column
			out.Content[own-1] = &key
		}
		out.Content[own] = below
		return out
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: keys[0], Line: at.line, Column: at.column}
	out.Content = append(out.Content, key, below)
	return out
}
