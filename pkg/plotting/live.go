package plotting

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/store"
)

// Live draws one view again and again. It follows the store by what was
// appended since the last time, and shares with the last frame every node that
// did not change. It belongs to one loop: it is not safe for concurrent use.
type Live struct {
	spec *Spec
	q    store.Querier
	own  *time.Location // the chart's zone
	zone *time.Location // the view's

	view       View
	generation uint64
	lines      []*line
	body       body
	derived    transforms

	health    Health // nil: nobody knows
	told      *Node  // what was last said of it
	epoch     string
	head      header
	prev      *Frame
	described int64 // ms; when the description was last written
}

// body is how a kind fills a chart. One is made for a view, and made anew when
// the view or its lines change.
type body interface {
	// follow takes in what is new in the store for a range of time in ms, of
	// which to is now in a live view. It reports whether what stands still has
	// to be drawn again, so that a new epoch begins.
	follow(from, to int64) (restart bool)
	// begin draws what stands still, for a new epoch.
	begin(h header, from, to int64)
	// attributes are those of the <svg> by which a page reads values.
	attributes() string
	// nodes returns what is drawn now, in order; the same pointers as before
	// where nothing has changed.
	nodes(from, to int64) []*Node
}

// header is what every kind's layout starts with.
type header struct {
	spec    *Spec
	view    View
	picks   Picks
	zone    *time.Location
	title   string
	id      string // unique in a page; for references within the SVG
	entries []entry
	oldest  func() (t int64, ok bool) // see Live.oldest
}

// axis is the value axis of the view.
func (h header) axis() Axis {
	a := h.spec.Y
	a.Label = h.picks.Text(a.Label)
	return a
}

// NewLive returns a Live for views of a chart. The spec must be valid.
func NewLive(spec *Spec, q store.Querier) *Live {
	own := time.Local
	if spec.Timezone != "" {
		if z, err := time.LoadLocation(spec.Timezone); err == nil {
			own = z
		}
	}
	return &Live{spec: spec, q: q, own: own, zone: own, derived: transforms{q: q}}
}

// Close returns what the Live holds of the store's room. It cannot be used
// further.
func (l *Live) Close() { l.derived.close() }

// descriptionEvery is how often a description is brought up to date, in ms. It
// is for a screen reader, which nobody wants to hear every second, and it weighs
// as much as the samples of several ticks; chartd's own page says the newest
// values by itself.
const descriptionEvery = 60_000

// Render returns the frame that v shows at a time in ms since the Unix epoch:
// the very frame of the last call if nothing has changed.
func (l *Live) Render(v View, now int64) (*Frame, error) {
	restart, err := l.look(v)
	if err != nil {
		return nil, err
	}
	from, to := v.From, v.To
	if v.Live() {
		to = v.Now(now)
		from = to - v.Window.Millis()
	}
	if err := l.derived.follow(v, from, to); err != nil {
		return nil, err
	}
	if l.body.follow(from, to) || restart || l.prev == nil {
		return l.restart(from, to, now), nil
	}
	root := l.prev.Root
	kids := append(make([]*Node, 0, len(root.Kids)), root.Kids[:headNodes]...)
	if now >= l.described+descriptionEvery || now < l.described {
		l.described = now
		if text := cleanText(l.description(from, to)); !bytes.Equal(text, kids[1].Live) {
			kids[1] = &Node{Key: kids[1].Key, Type: Text, Open: kids[1].Open, Live: text}
		}
	}
	kids = l.tell(append(kids, l.body.nodes(from, to)...), now)
	if !slices.Equal(kids, root.Kids) {
		l.prev = &Frame{Epoch: l.epoch, Root: &Node{Type: Group, Open: root.Open, Kids: kids}}
	}
	return l.prev, nil
}

// look finds the view's series, and reports whether they or the view are
// others than before.
func (l *Live) look(v View) (changed bool, err error) {
	if gen := l.q.Generation(); l.body == nil || v != l.view || gen != l.generation {
		picks := l.spec.Picks(v, l.q)
		lines, err := resolve(l.spec, v, picks, l.q, &l.derived)
		if err != nil {
			return false, err
		}
		l.generation = gen
		title := cmp.Or(v.Title, picks.Text(l.spec.Title))
		if l.body != nil && v == l.view && title == l.head.title && sameSeries(lines, l.lines) {
			return false, nil
		}
		if l.zone = l.own; v.Timezone != "" {
			if l.zone, err = zoneOf(v.Timezone); err != nil {
				return false, err
			}
		}
		l.lines, l.view = lines, v
		l.head = header{oldest: l.oldest, spec: l.spec, view: v, picks: picks, zone: l.zone, title: title, id: "c" + v.ID()[len(v.Chart)+1:]}
		for i, ln := range lines {
			l.head.entries = append(l.head.entries, entry{name: ln.name, line: i, ink: i, hidden: ln.hidden})
		}
		l.body = kinds[l.spec.Kind](l.head, lines)
		return true, nil
	}
	return false, nil
}

// headNodes is how many nodes stand before a body's: title, desc, style.
const headNodes = 3

// restart begins a new epoch, at now by the wall's clock.
func (l *Live) restart(from, to, now int64) *Frame {
	h := l.head
	l.epoch = newEpoch()
	l.described = now
	l.body.begin(h, from, to)

	open := fmt.Appendf(nil, "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %d %d' class='chartd' role='img' aria-labelledby='%st %sd' data-kind='%s'",
		h.view.Width, h.view.Height, h.view.Width*unit, h.view.Height*unit, h.id, h.id, h.spec.Kind)
	open = append(open, l.body.attributes()...)
	if h.view.replaying() {
		open = append(open, h.heldAttribute()...)
	}
	name := h.title
	if name == "" {
		name = h.view.Chart
	}
	kids := []*Node{
		{Key: "title", Type: Text, Open: "<title data-k='title' id='" + h.id + "t'", Live: cleanText(name)},
		{Key: "desc", Type: Text, Open: "<desc data-k='desc' id='" + h.id + "d'", Live: cleanText(l.description(from, to))},
		{Key: styleKey, Type: Raw, Open: "<style data-k='" + styleKey + "'", Live: []byte(styleSheet)},
	}
	kids = l.tell(append(kids, l.body.nodes(from, to)...), now)
	l.prev = &Frame{Epoch: l.epoch, Root: &Node{Type: Group, Open: string(open), Kids: kids}}
	return l.prev
}

// newEpoch returns three random letters and digits. They stand in every patch,
// and are enough that a client that comes back does not take a new epoch for
// the one it knows: that, and a revision within the last few, by chance.
func newEpoch() string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // it never fails
	const digits = "0123456789" + letters + "-_"
	for i := range b {
		b[i] = digits[b[i]%byte(len(digits))]
	}
	return string(b[:])
}

// description says in words what the chart shows now.
func (l *Live) description(from, to int64) string {
	var b strings.Builder
	if d := l.head.picks.Text(l.spec.Description); d != "" {
		b.WriteString(strings.TrimSuffix(d, ".") + ". ")
	}
	switch {
	case len(l.lines) == 0:
		return b.String() + "No data yet."
	case l.spec.Kind == Gauge || l.spec.Kind == Stat || l.spec.Kind == Bar:
	default:
		b.WriteString(l.view.span(l.zone) + ". ")
	}
	const most = 8
	said := 0
	for _, ln := range l.lines {
		if ln.hidden {
			continue
		}
		if said == most {
			b.WriteString(", and " + strconv.Itoa(len(l.lines)-said) + " more")
			break
		}
		if said > 0 {
			b.WriteString(", ")
		}
		said++
		if v := ln.value(from, to); math.IsNaN(v) {
			b.WriteString(ln.name + " has no value")
		} else {
			b.WriteString(ln.name + " " + l.spec.Y.Unit.Value(v))
		}
	}
	return b.String() + "."
}
