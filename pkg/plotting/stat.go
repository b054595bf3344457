package plotting

import "strconv"

// stats is the newest value of each line as a large number.
type stats struct {
	*readings
	places []box
}

func newStats(h header, lines []*line) body {
	s := &stats{readings: newReadings(h, lines, true, 1)}
	s.draw = s.stat
	return s
}

func (s *stats) begin(h header, _, _ int64) {
	ts, room := s.restart(h)
	s.places = s.cells(room, 2.2)
	s.names(ts, func(i int) (x, y, width, size int64) {
		c := s.places[i]
		size = max(min(c.h/7, 18*unit), 10*unit)
		return c.x + c.w/2, c.y + c.h/2 + s.size(c)/2 + size*9/10, c.w - 8*unit, size
	})
	s.nothing(room)
}

// size of the number in a cell: nine of its characters fit across.
func (s *stats) size(c box) int64 { return max(min(c.w*2/10, c.h*4/10), 10*unit) }

func (s *stats) stat(i int, old []*Node) []*Node {
	c, size := s.places[i], s.size(s.places[i])
	value := s.head.spec.Y.Unit.Value(s.values[i])
	class, ok := reached(s.limits, s.values[i], 'f')
	if !ok {
		class = "ff"
	}
	n := textNode("v"+strconv.Itoa(i), class+" b", c.x+c.w/2, c.y+c.h/2+size/4, fitting(value, size, c.w*95/100), value)
	return []*Node{kept(old[0], n)}
}
