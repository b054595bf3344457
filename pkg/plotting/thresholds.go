package plotting

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"gonum.org/v1/plot/vg"

	"github.com/chartd/chartd/pkg/problem"
)

// Threshold is a value that matters: a line across the charts that have a value
// axis; in a gauge and a stat, what has reached it is drawn in its level's
// colour.
type Threshold struct {
	// At is the value.
	At float64 `json:"at" yaml:"at"`
	// Level says what it means to reach it: "warn" (the default), "alarm", or
	// "note", which only is a line.
	Level Level `json:"level,omitempty" yaml:"level"`
	// Below says that it is reached from above, as the free room of a disk does.
	Below bool `json:"below,omitempty" yaml:"below"`
	// Text stands on the line.
	Text string `json:"text,omitempty" yaml:"text"`
}

// Level says what it means that a Threshold is reached.
type Level string

// The levels, by weight.
const (
	Note  Level = "note"
	Warn  Level = "warn"
	Alarm Level = "alarm"
)

// Levels lists every Level, by weight.
func Levels() []Level { return []Level{Note, Warn, Alarm} }

// MaxThresholds bounds the thresholds of a chart or a view.
const MaxThresholds = 16

// ink is the level's colour.
func (l Level) ink() Ink {
	switch l {
	case Alarm:
		return AlarmInk
	case Note:
		return MutedInk
	}
	return WarnInk
}

// check returns what is wrong with a threshold: the field, and what would be
// right.
func (t Threshold) check() (field string, err error) {
	switch {
	case math.IsNaN(t.At) || math.IsInf(t.At, 0):
		return "at", fmt.Errorf("%v is no value on an axis; want a number", t.At)
	case t.Level != "" && !slices.Contains(Levels(), t.Level):
		return "level", fmt.Errorf("there is no level %q; %s", t.Level, problem.OneOf(t.Level, Levels()))
	case len(t.Text) > MaxText || !utf8.ValidString(t.Text):
		return "text", fmt.Errorf("%d bytes, or no UTF-8; at most %d bytes of UTF-8", len(t.Text), MaxText)
	}
	return "", nil
}

// canonicalThresholds returns them as a View keeps them, or what is wrong.
func canonicalThresholds(ts []Threshold) (string, error) {
	if len(ts) > MaxThresholds {
		return "", fmt.Errorf("%d thresholds; at most %d", len(ts), MaxThresholds)
	}
	ts = append([]Threshold{}, ts...) // an empty list is not null: it takes the chart's own away
	var errs []error
	for i, t := range ts {
		if field, err := t.check(); err != nil {
			errs = append(errs, fmt.Errorf("%d, %s: %w", i+1, field, err))
		}
		if t.Level == Warn {
			ts[i].Level = ""
		}
	}
	slices.SortStableFunc(ts, func(a, b Threshold) int {
		switch {
		case a.At < b.At:
			return -1
		case a.At > b.At:
			return 1
		}
		return 0
	})
	if len(errs) > 0 {
		return "", errors.Join(errs...)
	}
	return canonical(ts, false), nil
}

// ThresholdsOf returns the thresholds of a view: its own, or the chart's.
func (s *Spec) ThresholdsOf(v View) []Threshold {
	if v.thresholds != "" {
		return parse[[]Threshold](v.thresholds)
	}
	return s.Thresholds
}

// reached returns the class that paints a value with how ('s' strokes, 'f'
// fills) in the colour of the weightiest threshold that it has reached; ok is
// false if it has reached none.
func reached(ts []Threshold, v float64, how byte) (class string, ok bool) {
	weight := 0 // a note has no colour of its own
	for _, t := range ts {
		if w := slices.Index(Levels(), t.level()); w > weight && (!t.Below && v >= t.At || t.Below && v <= t.At) {
			weight, ok = w, true
			class = string(t.level().ink().appendClass(nil, how))
		}
	}
	return class, ok
}

// level is the level, the default for none.
func (t Threshold) level() Level {
	if t.Level == "" {
		return Warn
	}
	return t.Level
}

// thresholdLines draws the lines of the thresholds that lie on the axis, across
// the data, each with its text at its left end:
// the newest data are on the right.
func thresholdLines(ts typesetter, list []Threshold, r valueRange, s *scale, d box) *Node {
	n := &Node{Key: "w", Type: Raw, Open: "<g data-k='w'"}
	sty := ts.style(labelSize, TextInk, false)
	const size, above = labelSize * unit, 4 * unit
	var texts []box
	for _, t := range list {
		if t.At < r.min || t.At > r.max {
			continue
		}
		y := s.y(t.At)
		ink := t.level().ink()
		b := append(n.Live, "<path class='"...)
		b = append(ink.appendClass(b, 's'), "' stroke-dasharray='60 40' d='M"...)
		b = appendXY(b, d.x, y)
		b = appendAttr(b, "H", d.right())
		b = append(b, "'/>"...)
		if text := ts.fit(string(cleanText(t.Text)), sty, vg.Length(d.w)/unit*0.6); t.Text != "" && d.w > 60*unit {
			line := y - above
			if line-size < d.y {
				line = y + size + above/2 // no room above the topmost
			}
			at := besideOthers(texts, box{d.x + above, line - size, round(float64(sty.Width(text)) * unit), size})
			if at.x == d.x+above || at.right() <= d.right() { // otherwise the line has to do
				texts = append(texts, at)
				b = append(b, "<text class='"...)
				b = append(ink.appendClass(b, 'f'), "' font-size='"...)
				b = appendAttr(b, "", size)
				b = appendAttr(b, "' x='", at.x)
				b = appendAttr(b, "' y='", line)
				b = append(AppendEscaped(append(b, "'>"...), []byte(text)), "</text>"...)
			}
		}
		n.Live = b
	}
	return n
}

// besideOthers moves a text to the right until it stands on none of the others:
// thresholds may lie close to each other.
func besideOthers(others []box, at box) box {
	const apart = 8 * unit
	for i := 0; i < len(others); i++ {
		o := others[i]
		if at.y < o.bottom() && o.y < at.bottom() && at.x < o.right()+apart && o.x < at.right()+apart {
			at.x, i = o.right()+apart, -1 // where it is now, there may be another
		}
	}
	return at
}
