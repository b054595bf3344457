package plotting

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
