package transform

import (
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/store"
)

// member is one series of an expression's value.
type member struct {
	labels store.Labels
	node   node
}

// binder makes nodes of an expression for the series that there are.
type binder struct {
	found  map[*selector][]*store.Series
	leaves map[*store.Series]*leaf
	fault  func(what string) func(t int64)
}

// bind returns the series that an expression has; nil for a number.
func (b *binder) bind(e expr) []member {
	switch e := e.(type) {
	case *selector:
		return b.each(e, func(l *leaf) node { return l })
	case *overRange:
		return b.each(e.of, func(l *leaf) node {
			return ranged{&window{fn: e.fn, width: e.width, phi: e.phi}, l}
		})
	case *perValue:
		return wrap(b.bind(e.of), func(n node) node { return &mapped{fn: e.fn, of: n} })
	case *smooth:
		return wrap(b.bind(e.of), func(n node) node { return &ema{of: n, alpha: e.alpha, tau: e.tau} })
	case *aggregate:
		return b.aggregate(e)
	case *binary:
		return b.binary(e)
	}
	return nil
}

func wrap(members []member, fn func(node) node) []member {
	for i := range members {
		members[i].node = fn(members[i].node)
	}
	return members
}

func (b *binder) each(s *selector, fn func(*leaf) node) []member {
	series := b.found[s]
	out := make([]member, len(series))
	for i, sr := range series {
		l := b.leaves[sr]
		if l == nil {
			l = &leaf{series: sr}
			l.reset()
			b.leaves[sr] = l
		}
		out[i] = member{sr.Labels(), fn(l)}
	}
	return out
}

func (b *binder) aggregate(e *aggregate) []member {
	var out []member
	at := map[string]*group{}
	for _, m := range b.bind(e.of) {
		labels := choose(m.labels, e.labels, !e.drop)
		key := labels.String()
		g := at[key]
		if g == nil {
			g = &group{fn: e.fn, phi: e.phi}
			at[key] = g
			out = append(out, member{labels, &memo{of: g}})
		}
		g.of = append(g.of, m.node)
	}
	return out
}

// choose returns the labels that are among names, or those that are not.
func choose(labels store.Labels, names []string, among bool) store.Labels {
	out := make(store.Labels, 0, len(labels))
	for _, l := range labels {
		if slices.Contains(names, l.Name) == among {
			out = append(out, l)
		}
	}
	return out
}

func (b *binder) binary(e *binary) []member {
	if n, ok := e.left.(number); ok {
		return wrap(b.bind(e.right), func(r node) node { return &pair{e.op, constant(n), r} })
	}
	if n, ok := e.right.(number); ok {
		return wrap(b.bind(e.left), func(l node) node { return &pair{e.op, l, constant(n)} })
	}
	left, right := b.bind(e.left), b.bind(e.right)
	switch e.match.many {
	case leftSide:
		return b.manyToOne(e, left, right, false)
	case rightSide:
		return b.manyToOne(e, right, left, true)
	}
	ones := b.bySignature(e, right)
	var out []member
	for key, l := range b.bySignature(e, left) {
		r := ones[key]
		if len(r) == 0 {
			continue
		}
		out = append(out, member{
			b.signature(e, l[0].labels),
			&pair{
				e.op,
				b.oneOf(l, -1, "several series on the left "+of(key)+"; say what tells them apart with on or ignoring, or allow it with group_left"),
				b.oneOf(r, -1, "several series on the right "+of(key)+"; say what tells them apart with on or ignoring, or allow it with group_right"),
			},
		})
	}
	return out
}

// manyToOne pairs each series of one side with the one of the other side that
// matches it. flipped says that the many are on the right.
func (b *binder) manyToOne(e *binary, many, one []member, flipped bool) []member {
	groups := b.bySignature(e, one)
	for key, g := range groups {
		for i := range g {
			g[i].node = &memo{of: g[i].node}
		}
		groups[key] = g
	}
	var keys []string
	byLabels := map[string][]member{}
	for _, m := range many {
		key := b.signature(e, m.labels).String()
		for i, o := range groups[key] {
			labels := m.labels
			if len(e.match.include) > 0 {
				labels = choose(m.labels, e.match.include, false)
				labels = append(labels, choose(o.labels, e.match.include, true)...)
				slices.SortFunc(labels, func(a, b store.Label) int { return strings.Compare(a.Name, b.Name) })
			}
			p := &pair{e.op, m.node, b.oneOf(groups[key], i, "several series on the side of the one "+of(key))}
			if flipped {
				p.a, p.b = p.b, p.a
			}
			k := labels.String()
			if byLabels[k] == nil {
				keys = append(keys, k)
			}
			byLabels[k] = append(byLabels[k], member{labels, p})
		}
	}
	out := make([]member, 0, len(keys))
	for _, k := range keys {
		same := byLabels[k]
		out = append(out, member{same[0].labels, b.oneOf(same, -1, "several results "+of(k)+"; group_left or group_right must leave them distinct")})
	}
	return out
}

func of(key string) string { return "match " + key }

// oneOf returns a node that is whichever of the members has a value.
func (b *binder) oneOf(members []member, pick int, fault string) node {
	if len(members) == 1 {
		return members[0].node
	}
	o := &oneOf{pick: pick, fault: b.fault(fault)}
	for _, m := range members {
		o.of = append(o.of, m.node)
	}
	return o
}

// signature is what must agree of two series for them to belong together.
func (b *binder) signature(e *binary, labels store.Labels) store.Labels {
	return choose(labels, e.match.labels, e.match.on)
}

func (b *binder) bySignature(e *binary, members []member) map[string][]member {
	out := map[string][]member{}
	for _, m := range members {
		key := b.signature(e, m.labels).String()
		out[key] = append(out[key], m)
	}
	return out
}
