// Package plotting turns samples into frames: a chart's spec and a view become
// a tree of keyed SVG nodes, drawn by gonum/plot on a canvas of our own where
// it stands still, and appended to where it scrolls. Diff says what changed
// between two frames, Apply does it, and a full is a frame written out.
package plotting

import (
	"strings"
	"unicode/utf8"
)

// NodeType says which part of a node changes by itself.
type NodeType uint8

// The types of nodes.
const (
	// Group is a <g> of keyed children; Live is its transform.
	Group NodeType = iota
	// Path is a <path>; Live is its d.
	Path
	// Text is an element that holds nothing but text, such as <text> or
	// <title>; Live is the text, not escaped.
	Text
	// Raw is an element whose content has no keys and is replaced as a whole,
	// such as <style> or a <g> of lines; Live is what stands inside.
	Raw
)

// Node is one keyed element of a frame. It is immutable once it is part of a
// published Frame; frames share the nodes that did not change.
type Node struct {
	// Key is the element's data-k: [A-Za-z0-9.], unique in the frame. A key keeps
	// its parent for a whole epoch.
	Key string
	// Type says what Live is.
	Type NodeType
	// Open is the start tag, data-k first, without the live attribute and
	// without the closing ">" or "/>": "<path data-k='s0.7' class='l'".
	Open string
	// Live is the part that changes; see NodeType. In a Group and a Path it
	// needs no escaping.
	Live []byte
	// Tail is a constant end of a Path's d, such as an area's way back to the
	// base line. It is apart from Live so that Live can grow in place.
	Tail string
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
func (f *Frame) AppendSVG(b []byte) []byte { return f.Root.AppendMarkup(b) }

// AppendMarkup appends the node as markup and returns the extended buffer.
func (n *Node) AppendMarkup(b []byte) []byte {
	b = append(b, n.Open...)
	switch n.Type {
	case Path:
		b = append(b, " d='"...)
		b = append(b, n.Live...)
		b = append(b, n.Tail...)
		return append(b, "'/>"...)
	case Text:
		b = append(b, '>')
		b = AppendEscaped(b, n.Live)
	case Raw:
		b = append(b, '>')
		b = append(b, n.Live...)
	case Group:
		if len(n.Live) > 0 {
			b = append(b, " transform='"...)
			b = append(b, n.Live...)
			b = append(b, '\'')
		}
		b = append(b, '>')
		for _, k := range n.Kids {
			b = k.AppendMarkup(b)
		}
	}
	b = append(b, "</"...)
	b = append(b, n.name()...)
	return append(b, '>')
}

// name is the element's name, read off the start tag.
func (n *Node) name() string {
	end := 1
	for end < len(n.Open) && n.Open[end] != ' ' {
		end++
	}
	return n.Open[1:end]
}

// Len returns about how many bytes the frame's SVG has, without writing it:
// escaped text counts a little more or less than it takes.
func (f *Frame) Len() int { return f.Root.len() }

func (n *Node) len() int {
	size := len(n.Open) + len(n.Live)
	switch n.Type {
	case Path:
		return size + len(n.Tail) + len(" d=''/>")
	case Text:
		for _, c := range n.Live {
			if c == '&' || c == '<' || c == '>' || c == '\'' || c == '"' {
				size += 4
			}
		}
	case Group:
		if len(n.Live) > 0 {
			size += len(" transform=''")
		}
		for _, k := range n.Kids {
			size += k.len()
		}
	case Raw:
	}
	return size + len("></>") + len(n.name())
}

// AppendEscaped appends text so that it stays text in SVG, in an element and
// in a quoted attribute alike. It is the one place where untrusted text (a
// title, a label, a unit) is escaped. What XML does not allow becomes U+FFFD.
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
			b = utf8.AppendRune(b, allowed(r))
		}
	}
	return b
}

// allowed returns r, or U+FFFD where XML has no such character or its readers
// alter it.
func allowed(r rune) rune {
	if r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
		return utf8.RuneError
	}
	return r
}

// cleanText returns text as a Text node holds it: what XML does not allow is
// replaced, so that it reads the same from a full and from a patch.
func cleanText(s string) []byte { return []byte(strings.Map(allowed, s)) }
