package plotting

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Health says how those do that series come from.
type Health interface {
	// Trouble returns in a few words what is wrong with an origin, as
	// store.Series.Origin names it; "" if nothing is. Viewers see it. It is
	// asked for each line of each view at each tick, and is safe for concurrent
	// use.
	Trouble(origin string) string
	// Waiting returns in a few words what is wrong with an origin that has brought
	// nothing yet, so that no series names it; "" if there is none. It is asked for
	// each view without data at each tick, and is safe for concurrent use.
	Waiting() string
}

// Heed makes the chart say when what feeds it is not well, and returns l.
func (l *Live) Heed(h Health) *Live {
	l.health = h
	return l
}

// slack is how old, in ms, the newest sample of a source in trouble must be to
// be called stale: one that is back at once worries nobody.
const slack = 2000

// trouble returns what is said of a view at a time in ms: "stale for 42 s:
// connection refused", or nothing. Of several lines in trouble, the one that has
// been silent for longest is spoken of. A view that has no data at all waits for
// them, and nobody knows from where: it says what is wrong with whoever has
// brought nothing yet.
func (l *Live) trouble(now int64) string {
	if l.health == nil || l.view.ended() {
		return ""
	}
	oldest, why := now-slack, ""
	waits := true
	for _, ln := range l.lines {
		if ln.hidden {
			waits = false
			continue
		}
		last, ok := ln.series.Last()
		if ok {
			waits = false
		}
		if !ok || last.T > oldest {
			continue
		}
		if said := l.health.Trouble(ln.series.Origin()); said != "" {
			oldest, why = last.T, said
		}
	}
	if waits {
		if said := l.health.Waiting(); said != "" {
			return "waiting for data: " + said
		}
	}
	if why == "" {
		return ""
	}
	return "stale for " + age(now-oldest) + ": " + why
}

// age writes a time in ms as a reader would say it.
func age(ms int64) string {
	switch d := time.Duration(ms) * time.Millisecond; {
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	default:
		return strconv.Itoa(int(d.Hours()/24)) + " d"
	}
}

// tell appends to the nodes of a frame what is said of the view's sources, if
// anything is: quietly, where the newest data would be.
func (l *Live) tell(kids []*Node, now int64) []*Node {
	text := l.trouble(now)
	v := l.view
	if text == "" || (&layout{width: v.Width, height: v.Height}).bare() {
		l.told = nil
		return kids
	}
	// A letter is about half as wide as the font is high.
	most := max((v.Width-4*margin)*2/labelSize, 8)
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most-1]) + "…"
	}
	if l.told == nil || string(l.told.Live) != text {
		y := margin + labelSize
		if l.head.title != "" {
			y += titleSize + margin
		}
		open := appendAttr([]byte("<text data-k='z' class='fw' text-anchor='end' font-size='"), "", labelSize*unit)
		open = appendAttr(open, "' x='", int64(v.Width-rightEdge-4)*unit)
		open = append(appendAttr(open, "' y='", int64(y)*unit), '\'')
		l.told = &Node{Key: "z", Type: Text, Open: string(open), Live: cleanText(text)}
	}
	return append(kids, l.told)
}
