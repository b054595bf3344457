package conformance

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
)

// node is an element, or, with an empty name, a text. It keeps its markup as
// it came, so that a picture can be written byte by byte as the server does.
type node struct {
	name   string
	open   string // the start tag, or the text
	close  string // the end tag; "" for <x/> and texts
	key    string
	parent *node
	kids   []*node
}

const prologue = "<svg xmlns='http://www.w3.org/2000/svg'>"

// parse reads one element.
func parse(text string) (*node, error) {
	dec := xml.NewDecoder(strings.NewReader(text))
	top := &node{}
	at := top
	for {
		from := dec.InputOffset()
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		raw := text[from:dec.InputOffset()]
		switch tok := tok.(type) {
		case xml.StartElement:
			n := &node{name: tok.Name.Local, open: raw, parent: at}
			for _, a := range tok.Attr {
				if a.Name.Local == "data-k" {
					n.key = a.Value
				}
			}
			if tok.Name.Space != "http://www.w3.org/2000/svg" {
				return nil, fmt.Errorf("<%s> is no SVG", n.name)
			}
			at.kids = append(at.kids, n)
			at = n
		case xml.EndElement:
			at.close = raw
			at = at.parent
		case xml.CharData:
			at.kids = append(at.kids, &node{open: raw, parent: at})
		default:
			return nil, fmt.Errorf("%T in a picture", tok)
		}
	}
	if len(top.kids) != 1 || top.kids[0].name == "" {
		return nil, fmt.Errorf("%d elements, want one", len(top.kids))
	}
	n := top.kids[0]
	n.parent = nil
	return n, nil
}

// fragment reads the markup of an operation.
func fragment(markup string) (*node, error) {
	root, err := parse(prologue + markup + "</svg>")
	if err != nil {
		return nil, err
	}
	if len(root.kids) != 1 || root.kids[0].key == "" {
		return nil, fmt.Errorf("not one element with a key: %s", markup)
	}
	return root.kids[0], nil
}

func (n *node) write(b *strings.Builder) {
	b.WriteString(n.open)
	for _, k := range n.kids {
		k.write(b)
	}
	b.WriteString(n.close)
}

func (n *node) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

// all calls f with every keyed element at and below n.
func (n *node) all(f func(n *node)) {
	if n.key != "" {
		f(n)
	}
	for _, k := range n.kids {
		k.all(f)
	}
}

// attr returns an attribute's value as it is written, and where it stands.
func (n *node) attr(name string) (value string, from, to int, ok bool) {
	head := " " + name + "='"
	i := strings.Index(n.open, head)
	if i < 0 {
		return "", 0, 0, false
	}
	from = i + len(head)
	j := strings.IndexByte(n.open[from:], '\'')
	return n.open[from : from+j], from, from + j, true
}

func (n *node) setAttr(name string, change func(old string) (string, error)) error {
	old, from, to, ok := n.attr(name)
	if !ok {
		return fmt.Errorf("%q has no %s", n.key, name)
	}
	value, err := change(old)
	if err != nil {
		return err
	}
	n.open = n.open[:from] + value + n.open[to:]
	return nil
}

// picture is what a client shows of a view.
type picture struct {
	root *node
	keys map[string]*node
}

func newPicture(svg string) (*picture, error) {
	root, err := parse(svg)
	if err != nil {
		return nil, err
	}
	if root.name != "svg" {
		return nil, fmt.Errorf("a picture that is a <%s>", root.name)
	}
	p := &picture{root: root, keys: map[string]*node{"": root}}
	return p, p.learn(root)
}

func (p *picture) learn(top *node) (err error) {
	top.all(func(n *node) {
		if p.keys[n.key] != nil {
			err = fmt.Errorf("the key %q is there twice", n.key)
		}
		p.keys[n.key] = n
	})
	return err
}

func (p *picture) forget(top *node) { top.all(func(n *node) { delete(p.keys, n.key) }) }

// apply carries out one operation.
func (p *picture) apply(op []any) error {
	word := func(i int) string {
		if i < len(op) {
			s, _ := op[i].(string)
			return s
		}
		return ""
	}
	code := word(0)
	if code == "i" {
		return p.insert(word(1), word(2), word(3))
	}
	n := p.keys[word(1)]
	if n == nil || n == p.root {
		return fmt.Errorf("no element has the key %q", word(1))
	}
	switch code {
	case "a":
		return n.setAttr("d", func(d string) (string, error) {
			drop := 0
			if len(op) > 3 {
				f, _ := op[3].(float64)
				drop = int(f)
			}
			if drop > len(d) {
				return "", fmt.Errorf("%d of %d characters dropped", drop, len(d))
			}
			return d[:len(d)-drop] + word(2), nil
		})
	case "t":
		return n.setAttr("transform", func(string) (string, error) { return word(2), nil })
	case "x":
		n.kids = nil
		if word(2) != "" {
			n.kids = []*node{{open: html.EscapeString(word(2)), parent: n}}
		}
	case "d":
		p.forget(n)
		i := slices.Index(n.parent.kids, n)
		n.parent.kids = slices.Delete(n.parent.kids, i, i+1)
	case "s":
		next, err := fragment(word(2))
		if err != nil {
			return err
		}
		if next.key != n.key {
			return fmt.Errorf("%q is replaced by %q", n.key, next.key)
		}
		p.forget(n)
		next.parent = n.parent
		n.parent.kids[slices.Index(n.parent.kids, n)] = next
		return p.learn(next)
	default:
		return fmt.Errorf("unknown operation %q", code)
	}
	return nil
}

func (p *picture) insert(before, parent, markup string) error {
	into := p.keys[parent]
	if into == nil {
		return fmt.Errorf("no element has the key %q", parent)
	}
	at := len(into.kids)
	if before != "" {
		if at = slices.Index(into.kids, p.keys[before]); at < 0 {
			return fmt.Errorf("%q is not in %q", before, parent)
		}
	}
	n, err := fragment(markup)
	if err != nil {
		return err
	}
	n.parent = into
	into.kids = slices.Insert(into.kids, at, n)
	return p.learn(n)
}
