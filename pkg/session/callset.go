package session

import (
	"slices"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// AppendNow adds a sample of this moment to the store.
func (c *Call) AppendNow(metric string, labels store.Labels, v float64) error {
	return c.Append(metric, labels, time.Now().UnixMilli(), v)
}

// SetWindow makes the view follow the present over d.
func (c *Call) SetWindow(d time.Duration) error {
	return c.Set(plotting.Change{Window: new(quantity.Duration(d))})
}

// SetRange fixes the view to a range of time.
func (c *Call) SetRange(from, to time.Time) error {
	return c.Set(plotting.Change{From: new(from.UnixMilli()), To: new(to.UnixMilli())})
}

// SetTitle changes the title; "" is the chart's own.
func (c *Call) SetTitle(title string) error { return c.Set(plotting.Change{Title: &title}) }

// SetRefresh changes the time between two ticks; 0 is none.
func (c *Call) SetRefresh(d time.Duration) error {
	return c.Set(plotting.Change{Refresh: new(quantity.Duration(d))})
}

// SetVar gives one of the chart's variables a value.
func (c *Call) SetVar(name, value string) error {
	return c.Set(plotting.Change{Vars: map[string]string{name: value}})
}

// Mark adds an annotation. When there are plotting.MaxMarks already, the oldest
// goes.
func (c *Call) Mark(t time.Time, text string) error {
	return c.mark(plotting.Mark{T: t.UnixMilli(), Text: text})
}

// Band adds an annotation from one time to another. When there are
// plotting.MaxMarks already, the oldest goes.
func (c *Call) Band(from, to time.Time, text string) error {
	return c.mark(plotting.Mark{T: from.UnixMilli(), To: to.UnixMilli(), Text: text})
}

// mark adds an annotation.
func (c *Call) mark(m plotting.Mark) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	marks := append(c.view.Marks(), m)
	slices.SortStableFunc(marks, func(a, b plotting.Mark) int { return int(max(-1, min(1, a.T-b.T))) })
	marks = marks[max(0, len(marks)-plotting.MaxMarks):]
	return c.set(plotting.Change{Marks: &marks})
}

// SetThresholds replaces the thresholds; none takes away the chart's own, too.
func (c *Call) SetThresholds(ts ...plotting.Threshold) error {
	return c.Set(plotting.Change{Thresholds: &ts})
}

// Hide takes series, by their names in the legend, out of the picture.
func (c *Call) Hide(names ...string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	hidden := append(c.view.Hidden(), names...)
	return c.set(plotting.Change{Hidden: &hidden})
}

// Show brings hidden series back; all of them if none is named.
func (c *Call) Show(names ...string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	hidden := []string{}
	if len(names) > 0 {
		hidden = slices.DeleteFunc(c.view.Hidden(), func(n string) bool { return slices.Contains(names, n) })
	}
	return c.set(plotting.Change{Hidden: &hidden})
}
