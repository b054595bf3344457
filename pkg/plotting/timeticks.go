package plotting

import (
	"math"
	"strconv"
	"time"
)

// timeTicks are the labels and grid lines of a time axis. They move with the
// data; one enters and one leaves now and then, the others stay as they are.
type timeTicks struct {
	step  timeStep
	zone  *time.Location
	data  box
	late  int64 // ms: how far from the right edge a label is whole
	nodes []*Node
	times []int64
	group *Node
	next  timeTick
	none  bool // no room for any
}

func newTimeTicks(window int64, data box, zone *time.Location) timeTicks {
	step := pickTimeStep(window, float64(data.w)/unit)
	// Half a label, without the room it has around it, and what of it does not
	// fit beside the data.
	over := max(step.labelWidth/2-12-rightEdge, 0)
	return timeTicks{step: step, zone: zone, data: data, late: window * int64(over) * unit / max(data.w, 1)}
}

// follow returns the group of the ticks that a range of time in ms shows. A
// tick comes and goes with its label whole.
func (tt *timeTicks) follow(s *scale, from, to int64) *Node {
	to -= tt.late
	changed := tt.group == nil
	if changed && tt.none {
		tt.next.t = math.MaxInt64
	} else if changed {
		tt.next = tt.step.next(from-1, tt.zone)
	}
	gone := 0
	for gone < len(tt.times) && tt.times[gone] < from {
		gone++
	}
	changed = changed || gone > 0 || tt.next.t <= to
	if !changed {
		return tt.group
	}
	tt.nodes, tt.times = append([]*Node(nil), tt.nodes[gone:]...), tt.times[gone:]
	for ; tt.next.t <= to; tt.next = tt.step.next(tt.next.t, tt.zone) {
		if tt.next.t >= from {
			tt.nodes, tt.times = append(tt.nodes, tt.draw(s)), append(tt.times, tt.next.t)
		}
	}
	tt.group = &Node{Key: "t", Type: Group, Open: "<g data-k='t' class='fm'", Kids: tt.nodes}
	return tt.group
}

// draw returns the node of the next tick: a grid line and a label.
func (tt *timeTicks) draw(s *scale) *Node {
	key := "t" + strconv.FormatInt(tt.next.t, 36)
	x := s.x(tt.next.t)
	b := appendAttr(nil, "<path class='sg' d='M", x)
	b = appendAttr(b, " ", tt.data.y)
	b = appendAttr(b, "V", tt.data.bottom())
	b = appendAttr(b, "'/><text x='", x)
	b = appendAttr(b, "' y='", tt.data.bottom()+16*unit)
	b = append(append(append(b, "'>"...), tt.next.label...), "</text>"...)
	return &Node{Key: key, Type: Raw, Open: "<g data-k='" + key + "'", Live: b}
}
