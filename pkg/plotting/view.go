package plotting

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// View is a chart as one kind of viewer sees it: the chart's name and every
// parameter that changes the picture. It is a comparable value: equal views
// share one render, one diff and one encoding, however many sessions watch.
// Make one with Spec.View, change it with Spec.Change.
type View struct {
	// Chart is the chart's name.
	Chart string
	// Window is what the x axis spans when the view follows a clock.
	Window quantity.Duration
	// From and To (ms since the Unix epoch) fix the range; both 0: live.
	From, To int64
	// Width and Height are the picture's size in px.
	Width, Height int
	// Refresh is the time between two ticks; 0: only when a callback asks.
	Refresh quantity.Duration
	// Replay is the view's own clock; the zero value follows the present.
	Replay Replay
	// Title overrides the chart's own; empty keeps that.
	Title string
	// Timezone names the zone of the time axis (IANA); empty is the chart's own.
	Timezone string
	// hidden, vars and marks are canonical JSON, "" when empty, so that View
	// stays comparable.
	hidden, vars, marks string
	// thresholds is canonical JSON, too; "" is the chart's own, "[]" none.
	thresholds string
}

// Mark is an annotation: a vertical line at a time, or a band from one time to
// another, with a text.
type Mark struct {
	// T is the time in ms since the Unix epoch.
	T int64 `json:"t" yaml:"t"`
	// To is the end of a band, in ms since the Unix epoch; 0: a line at T.
	To int64 `json:"to,omitempty" yaml:"to"`
	// Text is written at the line's top.
	Text string `json:"text" yaml:"text"`
}

// Change says what to alter in a view. It is the one form in which a client's
// message, a YAML row, a query string and a Go handler ask for a different
// view; nil fields keep what is there.
type Change struct {
	// Reset first returns to the chart's default view.
	Reset bool `json:"reset,omitempty" yaml:"reset"`
	// Window is how much time is shown, up to now; 0 is the chart's own.
	Window *quantity.Duration `json:"window,omitempty" yaml:"window"`
	// From begins a fixed range, in ms since the Unix epoch; it comes with To.
	// Both 0: live again.
	From *int64 `json:"from,omitempty" yaml:"from"`
	// To ends the fixed range, in ms since the Unix epoch.
	To *int64 `json:"to,omitempty" yaml:"to"`
	// Replay shows the past as if it were now, standing still or moving.
	Replay *Replay `json:"replay,omitempty" yaml:"replay"`
	// Hidden are the names of series that are left out, as in the legend.
	Hidden *[]string `json:"hidden,omitempty" yaml:"hidden"`
	// Size is the picture's size in px: width, height.
	Size *[2]int `json:"size,omitempty" yaml:"size"`
	// Refresh is the time between two ticks; 0: only when a callback asks.
	Refresh *quantity.Duration `json:"refresh,omitempty" yaml:"refresh"`
	// Vars are new values of some of the chart's variables.
	Vars map[string]string `json:"vars,omitempty" yaml:"vars"`
	// Title takes the place of the chart's own; empty returns to that.
	Title *string `json:"title,omitempty" yaml:"title"`
	// Marks are the annotations: all of them, those that stay included.
	Marks *[]Mark `json:"marks,omitempty" yaml:"marks"`
	// Thresholds take the place of the chart's own; an empty list is none.
	Thresholds *[]Threshold `json:"thresholds,omitempty" yaml:"thresholds"`
	// Timezone names the zone of the time axis (IANA), such as "Europe/Berlin" or
	// "UTC"; empty is the chart's own.
	Timezone *string `json:"timezone,omitempty" yaml:"timezone"`
	// Paused stops the pushes to this one subscriber; it is not part of the
	// View, which goes on for others.
	Paused *bool `json:"paused,omitempty" yaml:"paused"`
}

// Limits of a view. What a client asks beyond them is refused.
const (
	MinWindow  = quantity.Duration(1e9)                // 1 s
	MaxWindow  = quantity.Duration(3660 * 24 * 3600e9) // ten years
	MinRefresh = quantity.Duration(50e6)               // 50 ms
	MinSide    = 40                                    // px
	MaxSide    = 4096                                  // px
	MaxHidden  = 64
	MaxMarks   = 64
	MaxText    = 256 // bytes of a title, a mark's text, a var's value

	// MaxTime is the end of the year 9999, in ms since the Unix epoch: no clock
	// and no calendar has to reckon with a later one.
	MaxTime = 253_402_300_799_999
)

// View returns the chart's default view.
func (s *Spec) View(chart string) View {
	return View{
		Chart: chart, Window: s.Window, Refresh: s.Refresh,
		Width: s.Size[0], Height: s.Size[1],
	}
}

// Change returns v altered as c says, or an error that names the field, what
// is wrong and what would be right. v must be a view of this chart.
func (s *Spec) Change(v View, c Change) (View, error) {
	if c.Reset {
		v = s.View(v.Chart)
	}
	var errs []error
	refuse := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: "+format, append([]any{field}, args...)...))
	}
	if c.Window != nil {
		v.Window = *c.Window
		if v.Window == 0 {
			v.Window = s.Window
		}
		if v.Window < MinWindow || v.Window > MaxWindow {
			refuse("window", "%v is not between %v and %v", v.Window, MinWindow, MaxWindow)
		}
		v.From, v.To, v.Replay = 0, 0, Replay{}
	}
	if c.From != nil || c.To != nil {
		v.Replay = Replay{}
		if c.From != nil {
			v.From = *c.From
		}
		if c.To != nil {
			v.To = *c.To
		}
		switch span := v.To - v.From; {
		case v.From == 0 && v.To == 0:
		case max(v.From, v.To) > MaxTime:
			refuse("from, to", "%d to %d lies behind the year 9999; give both in ms since 1970", v.From, v.To)
		case v.From < 0 || v.To < 0 || span < 1 || span > MaxWindow.Millis():
			refuse("from, to", "%d to %d is not a range of 1 ms to %v; give both in ms since 1970, or 0 and 0 for live", v.From, v.To, MaxWindow)
		}
	}
	if c.Replay != nil {
		if err := c.Replay.check(); err != nil {
			refuse("replay", "%w", err)
		} else if c.Replay.At != 0 && v.To != 0 && (c.From != nil || c.To != nil) {
			refuse("replay", "a range of time stands still; give from and to, or replay")
		}
		v.From, v.To, v.Replay = 0, 0, c.Replay.normal()
	}
	if c.Size != nil {
		v.Width, v.Height = c.Size[0], c.Size[1]
		if min(v.Width, v.Height) < MinSide || max(v.Width, v.Height) > MaxSide {
			refuse("size", "%d by %d px; each side must be %d to %d", v.Width, v.Height, MinSide, MaxSide)
		}
	}
	if c.Refresh != nil {
		v.Refresh = *c.Refresh
		if v.Refresh != 0 && v.Refresh < MinRefresh || v.Refresh > MaxWindow {
			refuse("refresh", "%v; at least %v, or 0 for only on demand", v.Refresh, MinRefresh)
		}
	}
	if c.Title != nil {
		v.Title = *c.Title
		if len(v.Title) > MaxText {
			refuse("title", "%d bytes; at most %d", len(v.Title), MaxText)
		}
	}
	if c.Hidden != nil {
		names := slices.Compact(slices.Sorted(slices.Values(*c.Hidden)))
		if len(names) > MaxHidden {
			refuse("hidden", "%d names; at most %d", len(names), MaxHidden)
		}
		for _, n := range names {
			if len(n) > MaxText {
				refuse("hidden", "a name of %d bytes; at most %d", len(n), MaxText)
			}
		}
		v.hidden = canonical(names, len(names) == 0)
	}
	if c.Marks != nil {
		marks := slices.Clone(*c.Marks)
		slices.SortStableFunc(marks, func(a, b Mark) int { return cmp.Compare(a.T, b.T) })
		if len(marks) > MaxMarks {
			refuse("marks", "%d marks; at most %d", len(marks), MaxMarks)
		}
		for _, m := range marks {
			if len(m.Text) > MaxText {
				refuse("marks", "a text of %d bytes; at most %d", len(m.Text), MaxText)
			}
			if m.To != 0 && m.To < m.T {
				refuse("marks", "a band from %d to %d; it ends after it begins, in ms since 1970", m.T, m.To)
			}
		}
		v.marks = canonical(marks, len(marks) == 0)
	}
	if c.Thresholds != nil {
		own, err := canonicalThresholds(*c.Thresholds)
		if err != nil {
			refuse("thresholds", "%w", err)
		}
		if def, _ := canonicalThresholds(s.Thresholds); own == def {
			own = "" // so that equal views are equal
		}
		v.thresholds = own
	}
	if c.Timezone != nil {
		v.Timezone = *c.Timezone
		if v.Timezone == "" || v.Timezone == s.Timezone {
			v.Timezone = "" // so that equal views are equal
		} else if _, err := zoneOf(v.Timezone); err != nil {
			refuse("timezone", "%w", err)
		}
	}
	if c.Vars != nil {
		vars := v.Vars()
		if vars == nil {
			vars = map[string]string{}
		}
		for name, val := range c.Vars {
			x, known := s.Vars[name]
			def, fixed := x.Initial()
			switch {
			case !known:
				refuse("vars", "the chart has no var %q; it has %q", name, slices.Sorted(maps.Keys(s.Vars)))
			case len(val) > MaxText:
				refuse("vars", "%s is %d bytes; at most %d", name, len(val), MaxText)
			case fixed && val == def, val == "" && x.listed():
				delete(vars, name)
			case !x.takes(val):
				refuse("vars", "%s cannot be %q; %s", name, val, x.choice(val))
			default:
				vars[name] = val
			}
		}
		v.vars = canonical(vars, len(vars) == 0)
	}
	if len(errs) > 0 {
		return View{}, errors.Join(errs...)
	}
	return v, nil
}

// TitleOf returns what stands above a view: its own title or the chart's, with
// the view's vars filled in. q is for vars whose values come from the store; it
// may be nil.
func (s *Spec) TitleOf(v View, q store.Querier) string {
	if v.Title != "" {
		return v.Title
	}
	return s.Picks(v, q).Text(s.Title)
}

// Diff returns the Change that turns the chart's default view into v, so that
// a client can ask for v again after a reconnect, on any node.
func (s *Spec) Diff(v View) Change {
	var c Change
	def := s.View(v.Chart)
	if v.Window != def.Window {
		c.Window = &v.Window
	}
	if v.From != 0 || v.To != 0 {
		c.From, c.To = &v.From, &v.To
	}
	if v.Replay != def.Replay {
		c.Replay = &v.Replay
	}
	if v.Width != def.Width || v.Height != def.Height {
		c.Size = &[2]int{v.Width, v.Height}
	}
	if v.Refresh != def.Refresh {
		c.Refresh = &v.Refresh
	}
	if v.Title != "" {
		c.Title = &v.Title
	}
	if h := v.Hidden(); len(h) > 0 {
		c.Hidden = &h
	}
	if m := v.Marks(); len(m) > 0 {
		c.Marks = &m
	}
	if v.thresholds != "" {
		c.Thresholds = new(parse[[]Threshold](v.thresholds))
	}
	if v.Timezone != "" {
		c.Timezone = &v.Timezone
	}
	c.Vars = v.Vars()
	return c
}

// Live reports whether the view follows a clock: the present, or that of a
// replay.
func (v View) Live() bool { return v.To == 0 }

// Hidden returns the names of the series that are not drawn, sorted.
func (v View) Hidden() []string { return parse[[]string](v.hidden) }

// Vars returns the vars that differ from the chart's defaults.
func (v View) Vars() map[string]string { return parse[map[string]string](v.vars) }

// Marks returns the annotations by time.
func (v View) Marks() []Mark { return parse[[]Mark](v.marks) }

// ID names the view on the wire: the chart's name, "~", and a hash of the
// rest. Equal views have equal ids, on every node and after a restart.
func (v View) ID() string {
	h := fnv.New64a()
	if v.replaying() {
		fmt.Fprintf(h, "%d %d %g ", v.Replay.At, v.Replay.Since, v.Replay.Speed)
	}
	fmt.Fprintf(h, "%d %d %d %d %d %d %q %q %q %q", v.Window, v.From, v.To, v.Width, v.Height, v.Refresh,
		v.Title, v.hidden, v.vars, v.marks)
	if v.thresholds != "" {
		fmt.Fprintf(h, " thresholds %q", v.thresholds)
	}
	if v.Timezone != "" {
		fmt.Fprintf(h, " timezone %q", v.Timezone)
	}
	// Six digits are short in every frame. A page that watches 100 views at
	// once has two of one id in one case of ten million.
	const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var id [6]byte
	for i, n := 0, h.Sum64(); i < len(id); i, n = i+1, n/uint64(len(digits)) {
		id[i] = digits[n%uint64(len(digits))]
	}
	return v.Chart + "~" + string(id[:])
}

// canonical writes a value so that equal values give equal strings.
func canonical(v any, empty bool) string {
	if empty {
		return ""
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // strings, ints and maps of strings always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func parse[T any](s string) (v T) {
	if s == "" {
		return v
	}
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		panic(err) // written by canonical
	}
	return v
}
