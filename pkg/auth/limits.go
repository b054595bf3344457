package auth

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
)

// slack is how much older than allowed the begin of a range may be: the page
// asked a moment ago, by its own clock.
const slack = time.Minute

// View returns what the holder sees of a chart before asking for anything
// else: the chart's default view, with what a link pins, inside its limits.
// The error says that the link does not fit the chart (any more).
func (g *Grant) View(spec *plotting.Spec, chart string) (plotting.View, error) {
	v := spec.View(chart)
	if g.link == nil {
		return v, nil
	}
	v, err := spec.Change(v, g.link.View)
	if err != nil {
		return plotting.View{}, fmt.Errorf("the link does not fit the chart any more: %w", err)
	}
	if max := g.link.MaxWindow; max != 0 && v.Window > max {
		v.Window = max
	}
	return v, nil
}

// Change is [plotting.Spec.Change] within what the grant allows: it takes the
// place of that wherever a client asks for a different view. v must come from
// View or Change of this grant. A reset returns to View. The error names the
// field of c and what the link allows instead.
func (g *Grant) Change(spec *plotting.Spec, v plotting.View, c plotting.Change, now time.Time) (plotting.View, error) {
	c = c.Dated(now.UnixMilli())
	if g.link == nil {
		return spec.Change(v, c)
	}
	if c.Reset {
		base, err := g.View(spec, v.Chart)
		if err != nil {
			return plotting.View{}, err
		}
		v, c.Reset = base, false
	}
	if c.Window != nil && *c.Window == 0 {
		// The chart's own window may be more than the link's.
		base, err := g.View(spec, v.Chart)
		if err != nil {
			return plotting.View{}, err
		}
		c.Window = &base.Window
	}
	if g.link.View.Size != nil {
		c.Size = nil
	}
	next, err := spec.Change(v, c)
	if err != nil {
		return plotting.View{}, err
	}
	if next.Window == v.Window && next.From == v.From && next.To == v.To && next.Replay == v.Replay {
		// A range that was good when it was chosen stays, though it grows older.
		err = g.pinned(spec, next)
	} else {
		err = g.Fit(spec, next, now)
	}
	if err != nil {
		return plotting.View{}, err
	}
	return next, nil
}

// Fit returns an error if a view shows more than the grant allows. It is for a
// view that somebody else has chosen, as in a chart whose view is shared.
func (g *Grant) Fit(spec *plotting.Spec, v plotting.View, now time.Time) error {
	if g.link == nil {
		return nil
	}
	if err := g.pinned(spec, v); err != nil {
		return err
	}
	max := g.link.MaxWindow
	switch {
	case max == 0:
		return nil
	case v.Live() && v.Window > max:
		return fmt.Errorf("window: %v; this link shows at most %v", v.Window, max)
	case v.Live():
		// A clock that stands or runs may be behind as far as its window leaves room for.
		if v.Now(now.UnixMilli()) < now.Add(v.Window.Std()-max.Std()-slack).UnixMilli() {
			return fmt.Errorf("replay: %d is too long ago; this link shows the last %v", v.Replay.At, max)
		}
		return nil
	case v.From < now.Add(-max.Std()-slack).UnixMilli():
		return fmt.Errorf("from: %d is too long ago; this link shows the last %v", v.From, max)
	case v.To-v.From > (max.Std() + slack).Milliseconds():
		// It may end in the future, but must not grow beyond the limit until then.
		return fmt.Errorf("to: %d is too far from %d; this link shows at most %v", v.To, v.From, max)
	}
	return nil
}

// pinned returns an error if v differs from what the link pins.
func (g *Grant) pinned(spec *plotting.Spec, v plotting.View) error {
	for part := range parts(g.link.View) {
		same, err := spec.Change(v, part.change)
		if err != nil {
			return fmt.Errorf("the link does not fit the chart any more: %w", err)
		}
		if same != v {
			return fmt.Errorf("%s: cannot be altered; this link shows the chart as it is", part.field)
		}
	}
	return nil
}

// part is one field of a Change.
type part struct {
	field  string
	change plotting.Change
}

// parts yields the fields of a change that is pinned, each alone: applied to a
// view that has what is pinned, none alters it.
func parts(c plotting.Change) iter.Seq[part] {
	var ps []part
	add := func(there bool, field string, change plotting.Change) {
		if there {
			ps = append(ps, part{field, change})
		}
	}
	add(c.Window != nil, "window", plotting.Change{Window: c.Window})
	add(c.From != nil || c.To != nil, "from, to", plotting.Change{From: c.From, To: c.To})
	add(c.Replay != nil, "replay", plotting.Change{Replay: c.Replay})
	add(c.Hidden != nil, "hidden", plotting.Change{Hidden: c.Hidden})
	add(c.Size != nil, "size", plotting.Change{Size: c.Size})
	add(c.Refresh != nil, "refresh", plotting.Change{Refresh: c.Refresh})
	add(c.Title != nil, "title", plotting.Change{Title: c.Title})
	add(c.Marks != nil, "marks", plotting.Change{Marks: c.Marks})
	add(c.Thresholds != nil, "thresholds", plotting.Change{Thresholds: c.Thresholds})
	add(c.Timezone != nil, "timezone", plotting.Change{Timezone: c.Timezone})
	for _, name := range slices.Sorted(maps.Keys(c.Vars)) {
		add(true, "vars."+name, plotting.Change{Vars: map[string]string{name: c.Vars[name]}})
	}
	return slices.Values(ps)
}
