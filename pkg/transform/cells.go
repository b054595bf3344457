package transform

import "math"

// walk calls fn with each node that n is made of, once, those below it first,
// n last.
func walk(n node, seen map[node]bool, fn func(node)) {
	if seen[n] {
		return
	}
	seen[n] = true
	n.kids(func(kid node) { walk(kid, seen, fn) })
	fn(n)
}

// leavesOf returns the leaves that a node is made of.
func leavesOf(n node) []*leaf {
	var out []*leaf
	walk(n, map[node]bool{}, func(n node) {
		if l, ok := n.(*leaf); ok {
			out = append(out, l)
		}
	})
	return out
}

// cellsOf sorts outputs into cells: those that share a leaf, directly or by way
// of others, are in one.
func cellsOf(outputs []*output) []*cell {
	above := map[*leaf]*leaf{} // a forest; the leaves of one cell are one tree
	var root func(l *leaf) *leaf
	root = func(l *leaf) *leaf {
		if above[l] == nil {
			return l
		}
		above[l] = root(above[l])
		return above[l]
	}
	for _, o := range outputs {
		o.leaves = leavesOf(o.node)
		for _, l := range o.leaves[1:] {
			if a, b := root(o.leaves[0]), root(l); a != b {
				above[b] = a
			}
		}
	}
	var cells []*cell
	of := map[*leaf]*cell{}
	seen := map[node]bool{}
	for _, o := range outputs {
		r := root(o.leaves[0])
		c := of[r]
		if c == nil {
			c = &cell{lead: Lookback, again: math.MaxInt64, since: math.MaxInt64, limit: math.MaxInt64}
			of[r] = c
			cells = append(cells, c)
		}
		c.outputs = append(c.outputs, o)
		for _, l := range o.leaves {
			l.outputs = append(l.outputs, o)
		}
		walk(o.node, seen, c.take)
	}
	return cells
}

// take makes a node that was not seen before part of the cell.
func (c *cell) take(n node) {
	switch n := n.(type) {
	case *leaf:
		c.leaves = append(c.leaves, n)
	case ranged:
		n.of.windows = append(n.of.windows, n.window)
		c.lead = max(c.lead, n.width)
	case *memo:
		c.memos = append(c.memos, n)
	case *ema:
		c.emas = append(c.emas, n)
		for _, l := range leavesOf(n) {
			l.emas = append(l.emas, n)
		}
	}
}
