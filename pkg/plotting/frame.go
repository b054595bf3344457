// Package plotting turns samples into frames: a chart's spec and a view become
// a tree of keyed SVG nodes, drawn by gonum/plot on a canvas of our own where
// it stands still, and appended to where it scrolls. Diff says what changed
// between two frames, Apply does it, and a full is a frame written out.
package plotting

import (
	"bytes"
)

// NodeType says which part of a node changes by itself.
type NodeType uint8

// The types of nodes.
const (
	// Group is a <g> of keyed children; Live is its transform.
	Group NodeType = iota
	// Path is a <path>; Live is its d.
	Path
	// Text is a <text>; Live is its text, not escaped.
	Text
	// Raw is a <g> of markup without keys, replaced as a whole; Live is what
	// stands inside.
	Raw
)

// Node is one keyed element of a frame. It is immutable once it is part of a
// published Frame; frames share the nodes that did not change.
type Node struct {
	// Key is the element's data-k, unique in the frame: [a-z0-9.].
	Key string
	// Type says what Live is.
	Type NodeType
	// Open is the start tag without its live attribute and without the closing
	// ">" or "/>": "<path data-k='s0.7' class='l c0'".
	Open string
	// Live is the part that changes; see NodeType. It has no "'" and no markup
	// in Group and Path.
	Live []byte
	// Kids are a Group's children in drawing order.
	Kids []*Node
}

// Frame is what a view shows at one moment. It is immutable.
type Frame struct {
	// Epoch is a short random name; frames of one epoch can be patched into
	// each other.
	Epoch string
	// Root is the <svg> element: a Group with the empty key and no transform.
	Root *Node
}

// AppendSVG appends the whole frame as an SVG document and returns the
// extended buffer.
func (f *Frame) AppendSVG(b []byte) []byte { return f.Root.append(b) }

// AppendMarkup appends the node as markup and returns the extended buffer.
func (n *Node) AppendMarkup(b []byte) []byte { return n.append(b) }

func (n *Node) append(b []byte) []byte {
	b = append(b, n.Open...)
	switch n.Type {
	case Path:
		b = append(b, " d='"...)
		b = append(b, n.Live...)
		return append(b, "'/>"...)
	case Text:
		b = append(b, '>')
		b = AppendEscaped(b, n.Live)
		return append(b, "</text>"...)
	case Raw:
		b = append(b, '>')
		b = append(b, n.Live...)
		return append(b, "</g>"...)
	}
	if len(n.Live) > 0 {
		b = append(b, " transform='"...)
		b = append(b, n.Live...)
		b = append(b, '\'')
	}
	b = append(b, '>')
	for _, k := range n.Kids {
		b = k.append(b)
	}
	if n.Key == "" {
		return append(b, "</svg>"...)
	}
	return append(b, "</g>"...)
}

// same reports whether two nodes have the same markup, children aside.
func (n *Node) same(o *Node) bool {
	return n.Type == o.Type && n.Open == o.Open && bytes.Equal(n.Live, o.Live)
}

// AppendEscaped appends text so that it stays text in SVG, in an element and
// in a quoted attribute alike. It is the one place where untrusted text (a
// title, a label, a unit) is escaped. Bytes that XML does not allow become
// U+FFFD.
func AppendEscaped(b, text []byte) []byte {
	for _, r := range string(text) {
		switch r {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '\'':
			b = append(b, "&#39;"...)
		case '"':
			b = append(b, "&#34;"...)
		default:
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
				r = '\uFFFD'
			}
			b = append(b, string(r)...)
		}
	}
	return b
}
