package plotting

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// maxDepth bounds the nesting of groups that Parse follows.
const maxDepth = 32

// Parse reads an SVG that a Frame wrote. The result writes the same bytes
// again; its Epoch is empty. It reads chartd's own way of writing SVG (data-k
// first, single quotes, d and transform last), not SVG at large.
func Parse(svg []byte) (*Frame, error) {
	p := parser{b: svg}
	open, err := p.startTag()
	if err != nil {
		return nil, err
	}
	root := &Node{Type: Group, Open: open.text}
	if open.name != "svg" || open.empty {
		return nil, p.errorf("not an <svg>")
	}
	if err := p.kids(root); err != nil {
		return nil, err
	}
	if p.i < len(svg) {
		return nil, p.errorf("text behind </svg>")
	}
	t := tree{nodes: map[string]*Node{}, parents: map[string]*Node{}}
	if err := t.learn(root, nil); err != nil {
		return nil, err
	}
	return &Frame{Root: root}, nil
}

type parser struct {
	b     []byte
	i     int
	depth int
}

type startTag struct {
	name, key, text string // text: from "<" up to the closing ">" or "/>"
	empty           bool   // "/>"
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: "+format, append([]any{p.i}, args...)...)
}

// startTag reads "<name attr='value' …>" or "…/>".
func (p *parser) startTag() (startTag, error) {
	if p.i >= len(p.b) || p.b[p.i] != '<' {
		return startTag{}, p.errorf("no element")
	}
	end := bytes.IndexByte(p.b[p.i:], '>')
	if end < 0 {
		return startTag{}, p.errorf("a tag without its end")
	}
	text := string(p.b[p.i : p.i+end])
	t := startTag{}
	text, t.empty = strings.CutSuffix(text, "/")
	t.text = text
	t.name, _, _ = strings.Cut(text[1:], " ")
	if t.name == "" || strings.Trim(t.name, "abcdefghijklmnopqrstuvwxyz") != "" ||
		strings.Count(text, "'")%2 != 0 || strings.ContainsRune(text[1:], '<') {
		return startTag{}, p.errorf("not a start tag: %q", text)
	}
	if rest, ok := strings.CutPrefix(text[1+len(t.name):], " data-k='"); ok {
		t.key, _, _ = strings.Cut(rest, "'")
	}
	p.i += end + 1
	return t, nil
}

// live cuts the last attribute off a start tag, if it has the name.
func (t startTag) live(attr string) (open, value string, ok bool) {
	head, ok := strings.CutSuffix(t.text, "'")
	if !ok {
		return t.text, "", false
	}
	i := strings.LastIndexByte(head, '\'')
	if i < 0 {
		return t.text, "", false
	}
	open, ok = strings.CutSuffix(head[:i], " "+attr+"=")
	if !ok {
		return t.text, "", false
	}
	return open, head[i+1:], true
}

// node reads one keyed element.
func (p *parser) node() (*Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.errorf("groups nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	t, err := p.startTag()
	if err != nil {
		return nil, err
	}
	if t.key == "" {
		return nil, p.errorf("<%s> has no data-k", t.name)
	}
	n := &Node{Key: t.key, Open: t.text}
	switch t.name {
	case "path":
		open, d, ok := t.live("d")
		if !ok || !t.empty {
			return nil, p.errorf("a path is written <path … d='…'/>")
		}
		n.Type, n.Open, n.Live = Path, open, []byte(d)
		return n, nil
	case "text", "title", "desc":
		n.Type = Text
		end := bytes.IndexByte(p.b[p.i:], '<')
		if t.empty || end < 0 {
			return nil, p.errorf("<%s> without its end", t.name)
		}
		if n.Live, err = unescape(p.b[p.i : p.i+end]); err != nil {
			return nil, p.errorf("%w", err)
		}
		p.i += end
		return n, p.endTag(t.name)
	}
	if t.empty {
		return nil, p.errorf("<%s/> is empty", t.name)
	}
	if t.name == "g" {
		if p.keyed() || bytes.HasPrefix(p.b[p.i:], []byte("</g>")) {
			if open, transform, ok := t.live("transform"); ok && transform != "" {
				n.Open, n.Live = open, []byte(transform)
			}
			return n, p.kids(n)
		}
	}
	n.Type = Raw
	n.Live, err = p.raw(t.name)
	return n, err
}

// keyed reports whether an element with a data-k comes next.
func (p *parser) keyed() bool {
	rest, ok := bytes.CutPrefix(p.b[p.i:], []byte("<"))
	if !ok {
		return false
	}
	name := bytes.IndexFunc(rest, func(r rune) bool { return r < 'a' || r > 'z' })
	return name > 0 && bytes.HasPrefix(rest[name:], []byte(" data-k='"))
}

// kids reads a group's children and its end tag.
func (p *parser) kids(n *Node) error {
	for !bytes.HasPrefix(p.b[p.i:], []byte("</")) {
		kid, err := p.node()
		if err != nil {
			return err
		}
		n.Kids = append(n.Kids, kid)
	}
	return p.endTag(n.name())
}

func (p *parser) endTag(name string) error {
	tag := "</" + name + ">"
	if !bytes.HasPrefix(p.b[p.i:], []byte(tag)) {
		return p.errorf("no %s", tag)
	}
	p.i += len(tag)
	return nil
}

// raw reads up to the element's end tag, and returns what stands before it.
func (p *parser) raw(name string) ([]byte, error) {
	start, open := p.i, "<"+name
	for depth := 1; ; {
		lt := bytes.IndexByte(p.b[p.i:], '<')
		if lt < 0 {
			return nil, p.errorf("no </%s>", name)
		}
		p.i += lt
		rest := p.b[p.i:]
		switch {
		case bytes.HasPrefix(rest, []byte("</"+name+">")):
			if depth--; depth == 0 {
				content := p.b[start:p.i]
				return content, p.endTag(name)
			}
		case bytes.HasPrefix(rest, []byte(open)) && len(rest) > len(open) && (rest[len(open)] == ' ' || rest[len(open)] == '>'):
			depth++
		}
		p.i++
	}
}

// unescape undoes AppendEscaped, and refuses what that never writes.
func unescape(b []byte) ([]byte, error) {
	var out []byte
	for len(b) > 0 {
		i := bytes.IndexByte(b, '&')
		if i < 0 {
			i = len(b)
		}
		if bytes.ContainsAny(b[:i], "<>'\"") {
			return nil, errors.New("text that is not escaped")
		}
		out = append(out, b[:i]...)
		if b = b[i:]; len(b) == 0 {
			break
		}
		found := false
		for _, e := range entities {
			if rest, ok := bytes.CutPrefix(b, []byte(e.name)); ok {
				out, b, found = append(out, e.char), rest, true
				break
			}
		}
		if !found {
			return nil, errors.New("an unknown entity")
		}
	}
	return out, nil
}

var entities = [...]struct {
	name string
	char byte
}{{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&#39;", '\''}, {"&#34;", '"'}}
