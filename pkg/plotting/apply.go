package plotting

import (
	"bytes"
	"fmt"
	"slices"
)

// Apply returns f after the operations, in order. f is not changed. An error
// names the operation that does not fit; then there is no frame.
//
// It is what a client does with a patch: Apply(a, Diff(a, b)) writes the same
// SVG as b.
func Apply(f *Frame, ops []Op) (*Frame, error) {
	t := tree{nodes: map[string]*Node{}, parents: map[string]*Node{}}
	root := t.clone(f.Root)
	t.nodes[""] = root
	for i, op := range ops {
		if err := t.apply(op); err != nil {
			return nil, fmt.Errorf("op %d %q: %w", i, op.Code, err)
		}
	}
	return &Frame{Epoch: f.Epoch, Root: root}, nil
}

// tree is a frame that can be changed: its nodes by key.
type tree struct {
	nodes, parents map[string]*Node
}

// clone copies a subtree, all but the bytes of Live, and indexes what lies
// below its top.
func (t *tree) clone(n *Node) *Node {
	c := *n
	c.Kids = make([]*Node, len(n.Kids))
	for i, k := range n.Kids {
		c.Kids[i] = t.clone(k)
		t.nodes[k.Key], t.parents[k.Key] = c.Kids[i], &c
	}
	return &c
}

func (t *tree) apply(op Op) error {
	if op.Code == OpInsert {
		return t.insert(op)
	}
	n, ok := t.nodes[op.Key]
	if !ok || op.Key == "" {
		return fmt.Errorf("no node has the key %q", op.Key)
	}
	switch op.Code {
	case OpAppend:
		d := slices.Concat(n.Live, []byte(n.Tail))
		if n.Type != Path || op.Drop < 0 || op.Drop > len(d) {
			return fmt.Errorf("%q is not a path of at least %d bytes", op.Key, op.Drop)
		}
		n.Live, n.Tail = append(d[:len(d)-op.Drop], op.Text...), ""
		if !plain(n.Live) {
			return fmt.Errorf("%q: not a path", op.Text)
		}
	case OpTransform:
		if n.Type != Group || len(n.Live) == 0 || len(op.Text) == 0 || !plain(op.Text) {
			return fmt.Errorf("%q is not a group with a transform, or %q is none", op.Key, op.Text)
		}
		n.Live = op.Text
	case OpText:
		if n.Type != Text {
			return fmt.Errorf("%q does not hold text alone", op.Key)
		}
		n.Live = op.Text
	case OpDelete:
		p := t.parents[op.Key]
		p.Kids = slices.DeleteFunc(p.Kids, func(k *Node) bool { return k == n })
		t.forget(n)
	case OpReplace:
		p := t.parents[op.Key]
		i := slices.Index(p.Kids, n)
		t.forget(n)
		kid, err := t.adopt(op.Text, p)
		if err != nil {
			return err
		}
		if kid.Key != op.Key {
			return fmt.Errorf("%q is replaced by %q", op.Key, kid.Key)
		}
		p.Kids[i] = kid
	default:
		return fmt.Errorf("unknown operation")
	}
	return nil
}

func (t *tree) insert(op Op) error {
	p, ok := t.nodes[op.Parent]
	if !ok || p.Type != Group {
		return fmt.Errorf("no group has the key %q", op.Parent)
	}
	at := len(p.Kids)
	if op.Key != "" {
		at = slices.IndexFunc(p.Kids, func(k *Node) bool { return k.Key == op.Key })
		if at < 0 {
			return fmt.Errorf("%q has no child %q", op.Parent, op.Key)
		}
	}
	kid, err := t.adopt(op.Text, p)
	if err != nil {
		return err
	}
	p.Kids = slices.Insert(p.Kids, at, kid)
	return nil
}

// adopt parses markup and indexes its nodes; a key that is already there is an
// error.
func (t *tree) adopt(markup []byte, parent *Node) (*Node, error) {
	p := parser{b: markup}
	n, err := p.node()
	if err == nil && p.i < len(markup) {
		err = p.errorf("more than one element")
	}
	if err != nil {
		return nil, err
	}
	if err := t.learn(n, parent); err != nil {
		return nil, err
	}
	return n, nil
}

func (t *tree) learn(n, parent *Node) error {
	if _, taken := t.nodes[n.Key]; taken {
		return fmt.Errorf("the key %q is there twice", n.Key)
	}
	t.nodes[n.Key], t.parents[n.Key] = n, parent
	for _, k := range n.Kids {
		if err := t.learn(k, n); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) forget(n *Node) {
	delete(t.nodes, n.Key)
	delete(t.parents, n.Key)
	for _, k := range n.Kids {
		t.forget(k)
	}
}

// plain reports whether b can stand in a quoted attribute as it is.
func plain(b []byte) bool { return !bytes.ContainsAny(b, "'<>&") }
