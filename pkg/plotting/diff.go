package plotting

import (
	"bytes"
	"slices"
)

// Op is one change to a frame.
type Op struct {
	// Code is one of the Op constants.
	Code byte
	// Key names the node; for OpInsert the sibling to stand before, "" for
	// the last place.
	Key string
	// Parent is the group to insert into, "" for the root. OpInsert only.
	Parent string
	// Text is the tail, transform, markup or text.
	Text []byte
	// Drop is how many bytes of d's end go before Text is appended. OpAppend
	// only; d is ASCII.
	Drop int
}

// The codes of operations, as they stand on the wire.
const (
	OpAppend    byte = 'a' // append Text to d, after dropping Drop bytes of its end
	OpTransform byte = 't' // set the transform to Text
	OpReplace   byte = 's' // replace the node by the markup Text
	OpInsert    byte = 'i' // insert the markup Text into Parent, before Key
	OpDelete    byte = 'd' // delete the node
	OpText      byte = 'x' // set the text content to Text
)

// Diff appends to dst the operations that turn prev into next, and returns the
// extended slice. It reports false when there is no such way: another epoch,
// or another root element. The operations may share memory with next.
//
// Nodes are compared by key, and equal pointers are equal nodes, so that the
// cost follows what changed and the number of nodes beside it, not the length
// of paths.
func Diff(prev, next *Frame, dst []Op) ([]Op, bool) {
	if prev == next {
		return dst, true
	}
	if prev.Epoch != next.Epoch || prev.Root.Open != next.Root.Open {
		return dst, false
	}
	return diffKids(prev.Root, next.Root, dst), true
}

func diffNode(p, n *Node, dst []Op) []Op {
	if p == n {
		return dst
	}
	if p.Type != n.Type || p.Open != n.Open {
		return append(dst, replacement(n))
	}
	switch n.Type {
	case Group:
		if !bytes.Equal(p.Live, n.Live) {
			if len(p.Live) == 0 || len(n.Live) == 0 {
				return append(dst, replacement(n)) // the attribute comes or goes
			}
			dst = append(dst, Op{Code: OpTransform, Key: n.Key, Text: n.Live})
		}
		return diffKids(p, n, dst)
	case Path:
		return diffPath(p, n, dst)
	case Text:
		if !bytes.Equal(p.Live, n.Live) {
			dst = append(dst, Op{Code: OpText, Key: n.Key, Text: n.Live})
		}
	case Raw:
		if !bytes.Equal(p.Live, n.Live) {
			dst = append(dst, replacement(n))
		}
	}
	return dst
}

// diffPath keeps what the two ds have in common at their start.
func diffPath(p, n *Node, dst []Op) []Op {
	common := commonPrefix(p.Live, n.Live)
	if common == len(p.Live) && common == len(n.Live) && p.Tail == n.Tail {
		return dst
	}
	op := Op{Code: OpAppend, Key: n.Key, Text: n.Live[common:], Drop: len(p.Live) - common + len(p.Tail)}
	if n.Tail != "" {
		op.Text = append(bytes.Clone(op.Text), n.Tail...)
	}
	return append(dst, op)
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	if n > 0 && &a[0] == &b[0] {
		return n // one buffer that has grown
	}
	if bytes.Equal(a[:n], b[:n]) {
		return n
	}
	i := 0
	for a[i] == b[i] {
		i++
	}
	return i
}

func replacement(n *Node) Op {
	return Op{Code: OpReplace, Key: n.Key, Text: n.AppendMarkup(nil)}
}

// diffKids deletes what went or changed its place, then walks the new children
// from the last to the first, so that the sibling to insert before is there.
func diffKids(p, n *Node, dst []Op) []Op {
	if sameKeys(p.Kids, n.Kids) {
		for i, kid := range n.Kids {
			dst = diffNode(p.Kids[i], kid, dst)
		}
		return dst
	}
	var kept [64]*Node // usual groups fit; longer ones go to the heap
	olds := append(kept[:0], make([]*Node, len(n.Kids))...)
	from := 0
	for _, old := range p.Kids {
		i := indexFrom(n.Kids, old.Key, from)
		if i < 0 {
			dst = append(dst, Op{Code: OpDelete, Key: old.Key})
			continue
		}
		olds[i], from = old, i+1
	}
	before := ""
	for i, kid := range slices.Backward(n.Kids) {
		if olds[i] != nil {
			dst = diffNode(olds[i], kid, dst)
		} else {
			dst = append(dst, Op{Code: OpInsert, Key: before, Parent: n.Key, Text: kid.AppendMarkup(nil)})
		}
		before = kid.Key
	}
	return dst
}

func sameKeys(a, b []*Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i, n := range a {
		if n != b[i] && n.Key != b[i].Key {
			return false
		}
	}
	return true
}

// indexFrom finds a key at or behind a place; a node that stands before it has
// changed its order and is inserted anew.
func indexFrom(nodes []*Node, key string, from int) int {
	for i := from; i < len(nodes); i++ {
		if nodes[i].Key == key {
			return i
		}
	}
	return -1
}
