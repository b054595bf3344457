package plotting

import (
	"sort"
	"time"
)

// timeStep is a distance of ticks on a time axis: a part of a day, or whole
// days, months or years.
type timeStep struct {
	d            time.Duration // below a day
	days, months int
	layout       string // of time.Format
	labelWidth   int    // px, roomy
}

// about is the step's usual length.
func (s timeStep) about() time.Duration {
	return s.d + time.Duration(s.days)*24*time.Hour + time.Duration(s.months)*730*time.Hour
}

var timeSteps = func() (steps []timeStep) {
	parts := func(layout string, width int, ds ...time.Duration) {
		for _, d := range ds {
			steps = append(steps, timeStep{d: d, layout: layout, labelWidth: width})
		}
	}
	const ms, s, m, h = time.Millisecond, time.Second, time.Minute, time.Hour
	parts("15:04:05.000", 90, ms, 2*ms, 5*ms, 10*ms, 20*ms, 50*ms)
	parts("15:04:05.0", 80, 100*ms, 200*ms, 500*ms)
	parts("15:04:05", 72, s, 2*s, 5*s, 10*s, 15*s, 30*s)
	parts("15:04", 56, m, 2*m, 5*m, 10*m, 15*m, 30*m, h, 2*h, 3*h, 6*h, 12*h)
	for _, n := range []int{1, 2, 4, 7, 14} {
		steps = append(steps, timeStep{days: n, layout: "Jan 2", labelWidth: 60})
	}
	for _, n := range []int{1, 2, 3, 6} {
		steps = append(steps, timeStep{months: n, layout: "Jan 2006", labelWidth: 76})
	}
	for _, n := range []int{1, 2, 5, 10, 20, 50, 100} {
		steps = append(steps, timeStep{months: 12 * n, layout: "2006", labelWidth: 56})
	}
	return steps
}()

// pickTimeStep returns the smallest step whose labels fit side by side when a
// window (ms) is width px wide.
func pickTimeStep(window int64, width float64) timeStep {
	i := sort.Search(len(timeSteps)-1, func(i int) bool {
		s := timeSteps[i]
		return float64(s.about().Milliseconds())/float64(window)*width >= float64(s.labelWidth)
	})
	return timeSteps[i]
}

// timeTick is a tick at a time in ms since the Unix epoch.
type timeTick struct {
	t     int64
	label string
}

// next returns the first tick later than t. Ticks lie where a clock on the
// wall shows round numbers, whatever the zone and the season, and depend on
// nothing but the step, so that a moving window keeps those it has.
func (s timeStep) next(t int64, loc *time.Location) timeTick {
	at := time.UnixMilli(t).In(loc)
	y, mon, d := at.Date()
	var n time.Time
	switch {
	case s.months > 0:
		months := (y*12 + int(mon) - 1) / s.months * s.months
		for n = at; !n.After(at); months += s.months {
			n = time.Date(0, time.Month(months+1), 1, 0, 0, 0, 0, loc)
		}
	case s.days > 0:
		// Days are counted from a Monday, so that weeks begin on one.
		first := time.Date(1970, 1, 5, 0, 0, 0, 0, time.UTC)
		day := int(time.Date(y, mon, d, 0, 0, 0, 0, time.UTC).Sub(first).Hours()) / 24
		day = floorDiv(day, s.days) * s.days
		for n = at; !n.After(at); day += s.days {
			n = time.Date(1970, 1, 5+day, 0, 0, 0, 0, loc)
		}
	case s.d < time.Hour:
		// Zones are whole quarters of an hour off, so that counting on the clock
		// is counting from the zone's own 1970.
		_, off := at.Zone()
		local := t + int64(off)*1000
		n = time.UnixMilli((floorDiv(local, s.d.Milliseconds())+1)*s.d.Milliseconds() - int64(off)*1000).In(loc)
	default:
		// Count on the clock's face from midnight; time.Date maps it to when
		// that was, on a day with an hour skipped or told twice too.
		for hour := at.Hour() / int(s.d/time.Hour) * int(s.d/time.Hour); ; hour += int(s.d / time.Hour) {
			if n = time.Date(y, mon, d, hour, 0, 0, 0, loc); n.After(at) {
				break
			}
		}
	}
	label := n.Format(s.layout)
	if s.d > 0 && n.Hour() == 0 && n.Minute() == 0 && n.Second() == 0 && n.Nanosecond() == 0 {
		label = n.Format("Jan 2")
	}
	return timeTick{n.UnixMilli(), label}
}

func floorDiv[T ~int | ~int64](a, b T) T {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
