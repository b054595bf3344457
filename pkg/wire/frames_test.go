package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
)

const svgOpen = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8000 4000' class='chartd'"

// drawing is a frame that a property test changes at random: what a renderer
// may do, and more. Nodes are never changed in place.
type drawing struct {
	t     *rapid.T
	next  int // for fresh keys
	epoch int
	frame *plotting.Frame
}

func newDrawing(t *rapid.T) *drawing {
	d := &drawing{t: t}
	kids := []*plotting.Node{d.group(2)}
	for range rapid.IntRange(3, 12).Draw(t, "kids") {
		kids = append(kids, d.node(2))
	}
	d.frame = &plotting.Frame{Epoch: "e0", Root: &plotting.Node{Type: plotting.Group, Open: svgOpen, Kids: kids}}
	return d
}

func (d *drawing) key() string {
	d.next++
	return "n" + strconv.FormatInt(int64(d.next), 36)
}

func (d *drawing) open(name, key string) string {
	return fmt.Sprintf("<%s data-k='%s' class='c%d'", name, key, rapid.IntRange(0, 3).Draw(d.t, "class"))
}

func (d *drawing) text(name string) string {
	return rapid.OneOf(
		rapid.StringMatching(`[a-z0-9 .%]{0,12}`),
		rapid.String(),
		rapid.SampledFrom(strange),
		rapid.SampledFrom([]string{"</text><script>", "'\"<>&", "&amp;", "a\x01", "]]>"}),
	).Draw(d.t, name)
}

func (d *drawing) path() []byte {
	return []byte("M0 0l" + strings.Repeat("12-3 ", rapid.IntRange(0, 20).Draw(d.t, "points")) +
		rapid.StringMatching(`(-?[0-9]{1,4} ){0,6}`).Draw(d.t, "tail"))
}

func (d *drawing) transform() []byte {
	if rapid.Bool().Draw(d.t, "still") {
		return nil
	}
	return []byte("translate(-" + strconv.Itoa(rapid.IntRange(0, 99999).Draw(d.t, "off")) + " 0)")
}

func (d *drawing) raw() []byte {
	return []byte(strings.Repeat("<rect width='1' height='2'/>", rapid.IntRange(0, 4).Draw(d.t, "rects")) + "<line x1='3'/>")
}

func (d *drawing) group(depth int) *plotting.Node {
	key := d.key()
	n := &plotting.Node{Key: key, Type: plotting.Group, Open: d.open("g", key), Live: d.transform()}
	for range rapid.IntRange(0, 4).Draw(d.t, "members") {
		n.Kids = append(n.Kids, d.node(depth-1))
	}
	return n
}

func (d *drawing) node(depth int) *plotting.Node {
	switch k := rapid.IntRange(0, 9).Draw(d.t, "type"); {
	case k < 2 && depth > 0:
		return d.group(depth)
	case k < 6:
		key := d.key()
		return &plotting.Node{Key: key, Type: plotting.Path, Open: d.open("path", key), Live: d.path()}
	case k < 8:
		key := d.key()
		name := rapid.SampledFrom([]string{"text", "title", "desc"}).Draw(d.t, "name")
		return &plotting.Node{Key: key, Type: plotting.Text, Open: d.open(name, key), Live: []byte(d.text("text"))}
	}
	key := d.key()
	return &plotting.Node{Key: key, Type: plotting.Raw, Open: d.open("g", key), Live: d.raw()}
}

// step changes the drawing: usually a little, sometimes all, sometimes nothing,
// which it reports.
func (d *drawing) step() (same bool) {
	f := *d.frame
	switch rapid.IntRange(0, 19).Draw(d.t, "step") {
	case 0: // the same frame
		return true
	case 1: // an equal frame
		root := *f.Root
		root.Kids = slices.Clone(root.Kids)
		f.Root = &root
		same = true
	case 2: // a new epoch
		d.epoch++
		f.Epoch = "e" + strconv.Itoa(d.epoch)
	case 3: // another root element
		root := *f.Root
		root.Open = svgOpen + " data-n='" + strconv.Itoa(rapid.IntRange(0, 9).Draw(d.t, "n")) + "'"
		f.Root = &root
	default:
		for range rapid.IntRange(1, 4).Draw(d.t, "edits") {
			f.Root = d.edit(f.Root)
		}
	}
	d.frame = &f
	return same
}

// edit returns n with one change somewhere in it.
func (d *drawing) edit(n *plotting.Node) *plotting.Node {
	c := *n
	switch n.Type {
	case plotting.Path:
		switch rapid.IntRange(0, 3).Draw(d.t, "path edit") {
		case 0:
			c.Live = d.path()
		case 1:
			c.Tail = rapid.SampledFrom([]string{"", "v12", "h3v4z"}).Draw(d.t, "end")
		default: // grows in the same buffer, as a live chunk does
			c.Live = append(c.Live, "7-7 "...)
		}
	case plotting.Text:
		c.Live = []byte(d.text("new text"))
	case plotting.Raw:
		c.Live = d.raw()
	case plotting.Group:
		d.editGroup(&c)
	}
	return &c
}

func (d *drawing) editGroup(c *plotting.Node) {
	at := func(name string, more int) int { return rapid.IntRange(0, len(c.Kids)-1+more).Draw(d.t, name) }
	kids := slices.Clone(c.Kids)
	switch k := rapid.IntRange(0, 9).Draw(d.t, "group edit"); {
	case k == 0 || len(kids) == 0:
		kids = slices.Insert(kids, at("insert at", 1), d.node(1))
	case k == 1 && len(kids) > 1:
		i := at("delete at", 0)
		kids = slices.Delete(kids, i, i+1)
	case k == 2: // another order
		i, j := at("from", 0), at("to", 0)
		kids[i], kids[j] = kids[j], kids[i]
	case k == 3 && c.Key != "":
		c.Live = d.transform()
	case k == 4 && c.Key != "":
		c.Open = d.open("g", c.Key)
	default:
		i := at("edit at", 0)
		kids[i] = d.edit(kids[i])
	}
	c.Kids = kids
}
