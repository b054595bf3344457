package plotting

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"

	"gonum.org/v1/plot/vg"
)

// readings is what the kinds without a time axis share: the newest value of
// each line, and a node or two for each that change with it.
type readings struct {
	head   header
	lines  []*line // those that are not hidden
	values []float64
	y      lazyRange
	zero   bool // the range always has 0
	layout layout
	limits []Threshold
	still  []*Node // what is drawn once an epoch
	moving []*Node // what changes with the values
	// draw returns the nodes of the i-th line; at a new epoch old is empty.
	draw func(i int, old []*Node) []*Node
	per  int // nodes for each line
}

func newReadings(h header, lines []*line, zero bool, per int) *readings {
	r := &readings{head: h, zero: zero, per: per}
	for _, l := range lines {
		if !l.hidden {
			r.lines = append(r.lines, l)
		}
	}
	r.values = make([]float64, len(r.lines))
	for i := range r.values {
		r.values[i] = math.NaN()
	}
	return r
}

func (r *readings) follow(from, to int64) bool {
	lo, hi := math.Inf(1), math.Inf(-1)
	for i, l := range r.lines {
		v := l.value(from, to)
		if !equal(v, r.values[i]) {
			r.values[i] = v
			if r.moving != nil {
				r.moving[i*r.per] = nil
			}
		}
		if !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	changed := r.y.follow(lo, hi, r.head.spec.Y, r.zero, axisTicks(r.head.view.Height), r.head.view.calm(to))
	return changed
}

func equal(a, b float64) bool { return a == b || a != a && b != b }

func (r *readings) nodes(int64, int64) []*Node {
	if r.moving == nil {
		r.moving = make([]*Node, r.per*len(r.lines))
	}
	// The first node is taken away when the value changes; the last frame has
	// the old ones.
	for i := range r.lines {
		mine := r.moving[i*r.per : (i+1)*r.per]
		if mine[0] != nil {
			continue
		}
		for j, n := range r.draw(i, mine) {
			mine[j] = n
		}
	}
	kids := make([]*Node, 0, len(r.still)+len(r.moving))
	return append(append(kids, r.still...), r.moving...)
}

func (r *readings) attributes() string {
	b := append([]byte(" data-y='"), strconv.FormatFloat(r.y.now.min, 'g', -1, 64)...)
	b = strconv.AppendFloat(append(b, ' '), r.y.now.max, 'g', -1, 64)
	b = AppendEscaped(append(b, "' data-unit='"...), []byte(r.head.spec.Y.Unit))
	b = append(b, '\'')
	if d := r.layout.data; d.w > 0 {
		b = append(b, d.attribute()...)
	}
	return string(b)
}

// restart begins an epoch: it draws the title and returns a typesetter and the
// room below it, in units.
func (r *readings) restart(h header) (typesetter, box) {
	r.head, r.moving, r.still = h, nil, nil
	r.limits = h.spec.ThresholdsOf(h.view)
	r.layout = layout{width: h.view.Width, height: h.view.Height, left: r.layout.left}
	ts := newTypesetter(h.view.Width, h.view.Height)
	top := r.layout.heading(ts, h.title)
	r.still = append(r.still, r.layout.title)
	return ts, box{
		margin * unit, round(float64(top) * unit),
		int64(h.view.Width-2*margin) * unit, round(float64(ts.c.height-top-margin) * unit),
	}
}

// nothing says so where no line is drawn.
func (r *readings) nothing(room box) {
	if len(r.lines) == 0 {
		r.still = append(r.still, textNode("e", "fm", room.x+room.w/2, room.y+room.h/2, 130, "No data yet"))
	}
}

// cells cuts the room into one cell for each line, as near to aspect (width by
// height) as may be.
func (r *readings) cells(room box, aspect float64) []box {
	n := int64(len(r.lines))
	if n == 0 {
		return nil
	}
	cols, best := int64(1), 0.0
	for c := int64(1); c <= n; c++ {
		rows := (n + c - 1) / c
		w, h := float64(room.w/c), float64(room.h/rows)
		if size := min(w, h*aspect); size > best*1.001 {
			cols, best = c, size
		}
	}
	rows := (n + cols - 1) / cols
	out := make([]box, n)
	for i := range out {
		col, row := int64(i)%cols, int64(i)/cols
		out[i] = box{room.x + col*room.w/cols, room.y + row*room.h/rows, room.w / cols, room.h / rows}
	}
	return out
}

// names draws each line's name by itself, so that untrusted text is measured
// and cut to its cell.
func (r *readings) names(ts typesetter, at func(i int) (x, y, width, size int64)) {
	for i, l := range r.lines {
		x, y, width, size := at(i)
		sty := ts.style(vg.Length(size)/unit, MutedInk, false)
		name := ts.fit(l.name, sty, vg.Length(width)/unit)
		r.still = append(r.still, textNode("n"+strconv.Itoa(i), "fm", x, y, size, name))
	}
}

// textNode is a text about x on the base line y; size is in units.
func textNode(key, class string, x, y, size int64, text string) *Node {
	b := append([]byte("<text data-k='"+key+"' class='"+class+"' text-anchor='middle'"), ""...)
	b = appendAttr(b, " x='", x)
	b = appendAttr(b, "' y='", y)
	b = appendAttr(b, "' font-size='", size)
	return &Node{Key: key, Type: Text, Open: string(append(b, '\'')), Live: cleanText(text)}
}

// fitting returns the size, in units, at which a text is not wider than width:
// the usual one, or a smaller one. Digits are 0.56 of the size wide, in bold
// and plain alike; other letters are about that.
func fitting(text string, size, width int64) int64 {
	n := int64(utf8.RuneCountInString(text))
	return max(min(size, width*100/(58*max(n, 1))), 6*unit)
}

// kept returns the old node if the new one is the same.
func kept(old, n *Node) *Node {
	if old != nil && old.Open == n.Open && bytes.Equal(old.Live, n.Live) {
		return old
	}
	return n
}
