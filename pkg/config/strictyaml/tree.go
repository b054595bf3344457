package strictyaml

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// enter follows an alias and counts the visit. It returns nil if the value
// must not be read, having said why; leave must be called in any case.
func (d *Document) enter(n *yaml.Node, path string) (target *yaml.Node, leave func()) {
	leave = func() {}
	// The keys of a mapping count here, because they are visited for nothing
	// when it is merged.
	d.visits += 1 + len(follow(n).Content)
	if d.visits > maxVisits {
		d.errs.add(position{1, 1}, "", fmt.Sprintf("the document has more than %d values", maxVisits), "use fewer aliases of aliases")
		d.bad[path] = true
		return nil, leave
	}
	from := n
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode {
		return n, leave
	}
	if d.onStack[n] {
		d.errs.add(positionOf(from), path, "the alias *"+clip(from.Value)+" stands inside its own anchor", "an anchor must end before it is used")
		d.bad[path] = true
		return nil, leave
	}
	d.onStack[n] = true
	return n, func() { delete(d.onStack, n) }
}

// pair is a key of a mapping and its value.
type pair struct{ key, value *yaml.Node }

// pairs returns the keys of a mapping in their order, with those that "<<"
// merges in behind them: a key that is written out wins over a merged one, and
// the first merged one over the later.
func (d *Document) pairs(n *yaml.Node, path string) []pair {
	var out []pair
	var merges []*yaml.Node
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			d.errs.add(positionOf(n.Content[i]), path, "a key is "+describe(key, "", ""), "a key is one word")
		case key.ShortTag() == "!!merge":
			merges = append(merges, value)
		case first[key.Value] != nil:
			want := "" // a value of one line has no other
			if line := first[key.Value].Line; line > 0 {
				want = fmt.Sprintf("it stands on line %d already", line)
			}
			d.errs.add(positionOf(key), path, "the key "+quote(key.Value)+" is given twice", want)
		default:
			first[key.Value] = key
			out = append(out, pair{key, value})
		}
	}
	for _, m := range merges {
		for _, p := range d.merged(m, path) {
			if first[p.key.Value] == nil {
				first[p.key.Value] = p.key
				out = append(out, p)
			}
		}
	}
	return out
}

// merged returns the keys that "<<: n" brings.
func (d *Document) merged(n *yaml.Node, path string) []pair {
	target, leave := d.enter(n, path)
	defer leave()
	if target == nil {
		return nil
	}
	switch target.Kind {
	case yaml.MappingNode:
		return d.pairs(target, path)
	case yaml.SequenceNode:
		var out []pair
		for _, item := range target.Content {
			if t := follow(item); t.Kind != yaml.MappingNode {
				d.errs.add(positionOf(item), path, `"<<" lists `+describe(t, t.Value, ""), "want aliases of mappings, as [*a, *b]")
				continue
			}
			out = append(out, d.merged(item, path)...)
		}
		return out
	default:
		d.errs.add(positionOf(n), path, `"<<" is `+describe(target, target.Value, ""), "want an alias of a mapping, as *name")
		return nil
	}
}

func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// isNull reports whether n is a key's missing value: nothing, "~" or "null".
func isNull(n *yaml.Node) bool {
	n = follow(n)
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// describe says what n is, for a person: "the number 5". For a scalar text is
// its value with the variables replaced, and source the text it was made from
// if that differs.
func describe(n *yaml.Node, text, source string) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if source != "" {
		return fmt.Sprintf("%s, made from %s", quote(text), quote(source))
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + clip(text)
	case "!!bool":
		return text
	default:
		return "the text " + quote(text)
	}
}
