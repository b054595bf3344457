package plotting

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/chartd/chartd/pkg/store"
)

// MaxSpeed is how many times as fast as it was a replay may go.
const MaxSpeed = 60

// Replay is a view's own clock: what the view takes for now begins at At, when
// it is Since, and runs at Speed from there, until it has caught up with the
// present, where it stays. The view's window ends at that now, and shows nothing
// of what came later. The zero Replay is none: the view follows the present.
type Replay struct {
	// At is what is shown as now when the replay begins, in ms since the Unix
	// epoch; 0 ends a replay: the view is live again.
	At int64 `json:"at,omitempty" yaml:"at"`
	// Since is when the replay began by the server's clock, in ms since the Unix
	// epoch; 0: as soon as the server reads this.
	Since int64 `json:"since,omitempty" yaml:"since"`
	// Speed is how many times as fast as it was the past goes by: 0 to 60. 0
	// stands still.
	Speed float64 `json:"speed,omitempty" yaml:"speed"`
}

// check returns what is wrong with a replay.
func (r Replay) check() error {
	switch {
	case r.At < 0 || r.Since < 0:
		return fmt.Errorf("at %d, since %d; both are ms since 1970, and at 0 is live again", r.At, r.Since)
	case !(r.Speed >= 0 && r.Speed <= MaxSpeed): // NaN, too
		return fmt.Errorf("speed %v; 0 (stand still) to %d times", r.Speed, MaxSpeed)
	}
	return nil
}

// normal returns the one form of all replays that show the same.
func (r Replay) normal() Replay {
	switch {
	case r.At == 0:
		return Replay{}
	case r.Speed == 0:
		r.Since = 0
	}
	return r
}

// Dated returns c with a replay that does not say when it begins beginning now
// (ms since the Unix epoch). It is for whoever takes a change in; a View is made
// of dated ones.
func (c Change) Dated(now int64) Change {
	if c.Replay != nil && c.Replay.Since == 0 && c.Replay.Speed != 0 {
		dated := *c.Replay
		dated.Since = now
		c.Replay = &dated
	}
	return c
}

// replaying reports whether the view has a clock of its own.
func (v View) replaying() bool { return v.Replay.At != 0 }

// Now returns what the view takes for now when it is wall, both in ms since the
// Unix epoch: wall itself, unless a replay is behind it.
func (v View) Now(wall int64) int64 {
	r := v.Replay
	if r.At == 0 {
		return wall
	}
	passed := float64(max(0, wall-r.Since)) * r.Speed
	if r.At >= wall || passed >= float64(wall-r.At) {
		return wall
	}
	return r.At + int64(math.Round(passed))
}

// Pace returns the time between two draws of the view, 0 if it is drawn only
// when a callback asks: its refresh, and a second for a replay of a chart that
// has none, as that moves by itself.
func (v View) Pace() time.Duration {
	if v.Refresh == 0 && v.replaying() && v.Replay.Speed > 0 {
		return time.Second
	}
	return v.Refresh.Std()
}

// ended reports whether the view is one of the past, which shows nothing of
// what came later.
func (v View) ended() bool { return v.replaying() || !v.Live() }

// fast is how many ms of the view pass in one of the wall: 1 in a live view.
func (v View) fast() float64 {
	if v.replaying() {
		return v.Replay.Speed
	}
	return 1
}

// calm returns a time of the view so that differences of it are about those of
// the wall: what is done out of regard for who looks does not become hasty in a
// fast replay.
func (v View) calm(t int64) int64 {
	if v.replaying() && v.Replay.Speed > 0 {
		return v.Replay.At + int64(float64(t-v.Replay.At)/v.Replay.Speed)
	}
	return t
}

// span says in words what a view with a time axis shows.
func (v View) span(zone *time.Location) string {
	at := func(ms int64) string { return time.UnixMilli(ms).In(zone).Format(time.DateTime) }
	switch {
	case !v.Live():
		return "From " + at(v.From) + " to " + at(v.To)
	case !v.replaying():
		return "The last " + v.Window.String()
	case v.Replay.Speed == 0:
		return "The " + v.Window.String() + " before " + at(v.Replay.At)
	default:
		return "A replay from " + at(v.Replay.At) + " on, " + strconv.FormatFloat(v.Replay.Speed, 'g', -1, 64) +
			" times as fast as it was, " + v.Window.String() + " at a time"
	}
}

// oldest returns the time of the oldest sample that the store holds of what the
// chart shows, in ms: of the samples that a transform reads, not of its values,
// which are there as far as somebody looks.
func (l *Live) oldest() (t int64, ok bool) {
	look := func(series *store.Series) {
		if s, there := series.First(); there && (!ok || s.T < t) {
			t, ok = s.T, true
		}
	}
	if slices.ContainsFunc(l.spec.Series, func(s SeriesSpec) bool { return s.Transform != "" }) {
		for _, metric := range l.spec.Metrics() {
			for _, series := range l.q.Select(metric, nil) {
				look(series)
			}
		}
		return t, ok
	}
	for _, line := range l.lines {
		look(line.series)
	}
	return t, ok
}

// heldAttribute says on the <svg> of a replay how far back there is anything to
// see.
func (h header) heldAttribute() string {
	t, ok := h.oldest()
	if !ok {
		return ""
	}
	return " data-held='" + strconv.FormatInt(t, 10) + "'"
}

// nothingHeld says why a replay shows nothing where its now is to.
func (h header) nothingHeld(to int64) string {
	if t, ok := h.oldest(); ok && to < t {
		return "Nothing is held from before " + time.UnixMilli(t).In(h.zone).Format(time.DateTime)
	}
	return "Nothing is held from this time"
}
