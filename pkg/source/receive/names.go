package receive

const (
	maxNames   = 4096 // kept at a time
	maxNameLen = 256  // bytes of a name that is worth keeping
)

// Names turns bytes into strings without an allocation for those it has seen
// lately: in a body, and in the next one, names repeat. The zero Names is empty.
// It is not safe for concurrent use.
type Names struct {
	seen map[string]string
}

// Like is String for a b that often is like another string, which is then
// returned.
func (n *Names) Like(other string, b []byte) string {
	if other == string(b) {
		return other
	}
	return n.String(b)
}

// String returns b as a string.
func (n *Names) String(b []byte) string {
	if s, ok := n.seen[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(s) > maxNameLen {
		return s
	}
	if n.seen == nil {
		n.seen = map[string]string{}
	}
	if len(n.seen) == maxNames {
		clear(n.seen)
	}
	n.seen[s] = s
	return s
}
