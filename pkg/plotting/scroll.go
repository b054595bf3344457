package plotting

import (
	"bytes"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/chartd/chartd/pkg/store"
)

// maxUnits is how far an epoch's coordinates may run before a new one begins:
// browsers hold them as 32-bit floats, which are exact to a tenth of a unit up
// to here.
const maxUnits = 500_000

// maxLag is how far behind the present, in ms, a page may show the window: it
// moves it from one refresh to the next while it waits for the one after. What
// leaves on the left stays for so long.
const maxLag = 2_000

// clipFar is half the width of the clip that moves with the data.
const clipFar = 2 * maxUnits

// scrolling is the body of the kinds that have a time axis. Everything that
// moves lives in one group at fixed units per ms from the epoch's start, so
// that a new sample is an append, and the moving window one transform.
type scrolling struct {
	style   scrollStyle
	lines   []*line
	visible []*line
	stack   *stack // nil: each line by itself
	window  int64  // ms
	lag     int64  // ms; how far behind a page may glide
	head    header
	y       lazyRange
	layout  layout
	scale   scale
	ticks   timeTicks
	shapes  []shape
	buf     []store.Sample

	opened bool   // the long series have been read
	gate   string // the start tag of p

	// The nodes as last drawn: clips, axes, the clipped group, the one in it
	// that moves, and in that the time ticks, the data, and the marks; the
	// thresholds; what is said without data, legend, title.
	clip, p, x, t, b, m, w, e *Node
}

// scrollStyle is what tells the kinds with a time axis apart.
type scrollStyle struct {
	// classes of the groups of the line's shapes, in drawing order; see the
	// style sheet.
	classes []string
	// shapes of a line, by class, for a base line at a y in units.
	shapes func(base int64) []shape
	zero   bool // the value axis always has 0
	stack  bool
}

func newScrolling(style scrollStyle, h header, lines []*line) *scrolling {
	s := &scrolling{style: style, lines: lines, head: h, window: h.view.Window.Millis()}
	s.lag = int64(float64(min(h.view.Pace().Milliseconds(), maxLag)) * h.view.fast())
	if !h.view.Live() {
		s.window, s.lag = h.view.To-h.view.From, 0
	}
	// The data rectangle's width is not known before the axis is; a bucket of
	// about a px is what matters.
	bucket := s.window / int64(max(h.view.Width-64, 16))
	for _, l := range lines {
		l.trace = newTrace(bucket, h.spec.Gap.Millis())
		if l.fixed {
			l.trace.seen = timeRange{h.view.From, h.view.To}
		}
		if len(h.spec.LegendValues) > 0 {
			l.tally = &tally{bucket: l.trace.bucket, seen: l.trace.seen}
		}
		if !l.hidden {
			s.visible = append(s.visible, l)
		}
	}
	if style.stack {
		s.stack = newStack(s.visible, h.spec.Gap.Millis(), h.spec.Missing)
	}
	return s
}

func (s *scrolling) follow(from, to int64) bool {
	limit := int64(noEnd)
	if s.head.view.ended() {
		limit = to
	}
	if s.stack != nil {
		s.stack.follow(from, limit)
	} else {
		if !s.opened {
			s.open(from, limit)
		}
		for _, l := range s.visible {
			s.buf = l.follow(from, limit, s.buf)
		}
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, l := range s.visible {
		if !l.fixed { // there, nothing leaves
			l.trace.trim(from - s.lag)
		}
		l.tally.trim(from)
		a, b := l.trace.extent()
		lo, hi = min(lo, a), max(hi, b)
	}
	if lo > hi { // nothing counts, and yet a line may go through the picture
		for _, l := range s.visible {
			if a, b, ok := l.trace.passing(); ok {
				lo, hi = min(lo, a.v, b.v), max(hi, a.v, b.v)
			}
		}
	}
	changed := s.y.follow(lo, hi, s.head.spec.Y, s.style.zero, axisTicks(s.head.view.Height), s.head.view.calm(to))
	x := s.scale.x(to)
	return changed || x > maxUnits || x < -maxUnits
}

// manySamples is how many of a series make reading it for the first time worth
// a goroutine.
const manySamples = 100_000

// open reads long series for the first time, side by side.
func (s *scrolling) open(from, limit int64) {
	s.opened = true
	var wg sync.WaitGroup
	for _, l := range s.visible {
		if !l.begun && l.series.Len() > manySamples {
			wg.Go(func() { l.follow(from, limit, nil) })
		}
	}
	wg.Wait()
}

func (s *scrolling) begin(h header, from, to int64) {
	s.head = h
	ts := newTypesetter(h.view.Width, h.view.Height)
	s.layout = layout{width: h.view.Width, height: h.view.Height, left: s.layout.left}
	l := &s.layout
	top := l.heading(ts, h.title)
	bottom := l.key(ts, h, s.y.now, ts.c.height-top-timeStrip-margin)
	l.axis(ts, s.y.now, h.axis(), top, bottom+timeStrip+margin-4)

	d := l.data
	base := d.bottom()
	s.scale = scale{
		t0: to, perMs: float64(d.w) / float64(s.window),
		bottom: d.bottom(), min: s.y.now.min, perUnit: float64(d.h) / (s.y.now.max - s.y.now.min),
	}
	if !h.view.Live() {
		s.scale.t0 = from
	}
	if s.y.now.min < 0 {
		base = min(max(s.scale.y(0), d.y), d.bottom())
	}
	s.shapes = s.style.shapes(base)
	for _, ln := range s.lines {
		ln.groups = make([]*Node, len(s.shapes))
		ln.trace.fresh, ln.trace.gone = 0, 0
		for _, c := range ln.trace.chunks {
			c.dirty, c.drawn = 0, nil
		}
	}
	s.clip = s.clips()
	s.gate = "<g data-k='p' clip-path='url(#" + h.id + "a)'"
	s.ticks = newTimeTicks(s.window, d, h.zone)
	s.ticks.none = l.bare()
	s.m = s.drawMarks()
	s.w = nil
	if list := h.spec.ThresholdsOf(h.view); len(list) > 0 {
		s.w = thresholdLines(ts, list, s.y.now, &s.scale, d)
	}
	s.p, s.x, s.b, s.t, s.e = nil, nil, nil, nil, nil
}

func (s *scrolling) attributes() string {
	b := append([]byte(" data-x0='"), strconv.FormatInt(s.scale.t0, 10)...)
	b = append(b, "' data-xs='"...)
	b = strconv.AppendFloat(b, s.scale.perMs, 'g', -1, 64)
	b = append(b, "' data-y='"...)
	b = strconv.AppendFloat(b, s.y.now.min, 'g', -1, 64)
	b = strconv.AppendFloat(append(b, ' '), s.y.now.max, 'g', -1, 64)
	b = append(b, "' data-unit='"...)
	b = AppendEscaped(b, []byte(s.head.spec.Y.Unit))
	b = append(b, "' data-zone='"...)
	b = AppendEscaped(b, []byte(zoneName(s.head.zone, s.scale.t0)))
	return string(append(b, '\'')) + s.layout.data.attribute()
}

// zoneName returns what a page knows a zone by: its name or, where that is only
// known to this machine, how far it is off at a time in ms.
func zoneName(zone *time.Location, t int64) string {
	if zone == time.Local {
		return time.UnixMilli(t).In(zone).Format("-07:00")
	}
	return zone.String()
}

// clips cuts the data to their rectangle, and the time labels below it to the
// picture. The first clip stands still; the second moves with the data, and
// only bounds their height. It ends above the strip of the labels: where both
// cut through a row of pixels, a line at the bottom would show through beside
// the rectangle.
func (s *scrolling) clips() *Node {
	d, w := s.layout.data, int64(s.layout.width*unit)
	below, strip := d.bottom()+3*unit, d.bottom()+timeStrip*unit
	var b []byte
	b = append(b, "<clipPath id='"+s.head.id+"a'><path d='M"...)
	b = appendXY(b, d.x, d.y-unit)
	b = appendAttr(b, "H", d.right())
	b = appendAttr(b, "V", below)
	b = appendAttr(b, "H", w)
	b = appendAttr(b, "V", strip)
	b = append(b, "H0"...)
	b = appendAttr(b, "V", below)
	b = appendAttr(b, "H", d.x)
	b = append(b, "Z'/></clipPath><clipPath id='"+s.head.id+"b'><path d='M"...)
	b = appendXY(b, -clipFar, d.y-unit)
	b = appendAttr(b, "H", clipFar)
	b = appendAttr(b, "V", d.bottom()+unit)
	b = appendAttr(b, "H", -clipFar)
	b = append(b, "Z'/></clipPath>"...)
	return &Node{Key: "defs", Type: Raw, Open: "<defs data-k='defs'", Live: b}
}

func (s *scrolling) nodes(from, to int64) []*Node {
	s.drawData()
	t := s.ticks.follow(&s.scale, from-s.lag, to-s.lag)
	shift := appendAttr(make([]byte, 0, 24), "translate(", s.layout.data.right()-s.scale.x(to))
	shift = append(shift, ')')
	if x := s.x; x == nil || x.Kids[0] != t || x.Kids[1] != s.b || !bytes.Equal(x.Live, shift) {
		s.x = &Node{Key: "x", Type: Group, Open: "<g data-k='x' class='x'", Live: shift, Kids: []*Node{t, s.b, s.m}}
		s.p = &Node{Key: "p", Type: Group, Open: s.gate, Kids: []*Node{s.x}}
	}
	s.drawEmpty(to)
	l := &s.layout
	names := l.legend.follow(s.lines, from, to)
	if s.w == nil {
		return []*Node{s.clip, l.axes, s.p, s.e, names, l.title}
	}
	return []*Node{s.clip, l.axes, s.p, s.w, s.e, names, l.title}
}

// drawData brings the data's group up to date.
func (s *scrolling) drawData() {
	n := len(s.visible)
	changed := s.b == nil
	for i, sh := range s.shapes {
		for _, ln := range s.visible {
			g := s.drawLine(ln, i, sh)
			changed = changed || g != ln.groups[i]
			ln.groups[i] = g
		}
	}
	for _, ln := range s.visible {
		for _, c := range ln.trace.chunks[ln.trace.fresh:] {
			c.dirty = len(c.pts)
		}
		ln.trace.fresh, ln.trace.gone = len(ln.trace.chunks), 0
	}
	if !changed {
		return
	}
	groups := make([]*Node, 0, len(s.shapes)*n)
	for i := range s.shapes {
		for j, ln := range s.visible {
			if s.stack != nil { // each area hides the foot of the next higher one
				ln = s.visible[n-1-j]
			}
			groups = append(groups, ln.groups[i])
		}
	}
	s.b = &Node{Key: "b", Type: Group, Open: "<g data-k='b' clip-path='url(#" + s.head.id + "b)'", Kids: groups}
}

// drawLine returns the group of a line's i-th shape, the same one as before if
// nothing in it has changed.
func (s *scrolling) drawLine(ln *line, i int, sh shape) *Node {
	old := ln.groups[i]
	class := s.style.classes[i]
	key, prefix := ln.key, ln.key[1:]
	if class[0] == 'a' {
		prefix = "a" + prefix
		key = prefix
	}
	chunks, fresh := ln.trace.chunks, ln.trace.fresh
	if old != nil && fresh == len(chunks) && ln.trace.gone == 0 {
		return old
	}
	if c := fresh - 1; c >= 0 && (fresh == len(chunks) || chunks[fresh].dirty == 0) && chunks[c].drawn[i].turns(chunks[c], ln.trace.goesOn(c)) {
		fresh-- // whether it goes on has changed
	}
	// Only the chunks that changed are looked at: the others are most of the
	// window, and out of the processor's cache.
	kids := make([]*Node, len(chunks))
	if old != nil && fresh > 0 {
		copy(kids[:fresh], old.Kids[ln.trace.gone:])
	}
	for j, c := range chunks[fresh:] {
		if c.drawn == nil {
			c.drawn = c.own[:len(s.shapes)]
			clear(c.own[:])
		}
		d := &c.drawn[i]
		if d.node == nil {
			if c.name == "" {
				c.name = ln.trace.name(c.index)
			}
			d.node = &Node{Key: prefix + c.name, Type: Path}
			d.node.Open = "<path data-k='" + d.node.Key + "'"
		}
		d.draw(c, &s.scale, sh, ln.trace.goesOn(fresh+j))
		kids[fresh+j] = d.node
	}
	g := &Node{Key: key, Type: Group, Kids: kids}
	if old != nil {
		g.Open = old.Open
		return g
	}
	open := append([]byte("<g data-k='"), key...)
	open = append(append(open, "' class='"...), class...)
	open = append(append(open, " c"...), strconv.Itoa(ln.index%Colors)...)
	open = append(open, "' data-name='"...)
	g.Open = string(append(AppendEscaped(open, []byte(ln.name)), '\''))
	return g
}

// drawEmpty says that there is no data, as long as there is none.
func (s *scrolling) drawEmpty(to int64) {
	text := "No data yet"
	if s.head.view.replaying() {
		text = s.head.nothingHeld(to)
	}
	for _, ln := range s.visible {
		if ln.trace.shows() {
			text = ""
		}
	}
	if len(s.lines) > 0 && len(s.visible) == 0 {
		text = "All series are hidden"
	}
	if s.e != nil && string(s.e.Live) == text {
		return
	}
	d := s.layout.data
	open := appendAttr([]byte("<text data-k='e' class='fm' text-anchor='middle' font-size='130' x='"), "", d.x+d.w/2)
	open = appendAttr(open, "' y='", d.y+d.h/2)
	s.e = &Node{Key: "e", Type: Text, Open: string(append(open, '\'')), Live: []byte(text)}
}

// drawMarks draws the view's annotations, which move with the data.
func (s *scrolling) drawMarks() *Node {
	g := &Node{Key: "m", Type: Group, Open: "<g data-k='m'"}
	d := s.layout.data
	for i, m := range s.head.view.Marks() {
		x := s.scale.far(m.T)
		b := appendAttr(nil, "<path class='sf' stroke-dasharray='40 30' d='M", x)
		b = appendAttr(b, " ", d.y)
		b = appendAttr(b, "V", d.bottom())
		at, class := x-4*unit, "ff me" // left of the line: right of one that has just come there is no room
		if !s.head.view.Live() && x < d.x+d.w/2 {
			at, class = x+4*unit, "ff ms"
		}
		if m.To != 0 && m.To > m.T {
			end := s.scale.far(m.To)
			b = appendAttr(b, "M", end)
			b = appendAttr(b, " ", d.y)
			b = appendAttr(b, "V", d.bottom())
			b = appendAttr(b, "'/><path class='band ff' d='M", x)
			b = appendAttr(b, " ", d.y)
			b = appendAttr(b, "H", end)
			b = appendAttr(b, "V", d.bottom())
			b = appendAttr(b, "H", x)
			b = append(b, 'Z')
			at, class = (x+end)/2, "ff"
		}
		b = appendAttr(b, "'/><text class='"+class+"' x='", at)
		b = appendAttr(b, "' y='", d.y+12*unit)
		b = append(AppendEscaped(append(b, "'>"...), []byte(m.Text)), "</text>"...)
		key := "m" + strconv.Itoa(i)
		g.Kids = append(g.Kids, &Node{Key: key, Type: Raw, Open: "<g data-k='" + key + "'", Live: b})
	}
	return g
}
