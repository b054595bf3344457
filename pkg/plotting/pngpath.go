package plotting

import (
	"math"
	"strconv"
	"strings"
)

func parseNumber(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return f
}

// xy maps the first two of p.
func (m matrix) xy(p []float64) (x, y float64) {
	if len(p) < 2 {
		return m.e, m.f
	}
	return m.a*p[0] + m.c*p[1] + m.e, m.b*p[0] + m.d*p[1] + m.f
}

// parseTransform reads translate(x), translate(x y) and rotate(deg), in
// sequence.
func parseTransform(s string) matrix {
	m := matrix{a: 1, d: 1}
	for s != "" {
		name, rest, _ := strings.Cut(s, "(")
		args, after, _ := strings.Cut(rest, ")")
		s = after
		n := strings.Fields(strings.ReplaceAll(args, ",", " "))
		switch {
		case name == "translate" && len(n) > 0:
			m = m.then(matrix{a: 1, d: 1, e: parseNumber(n[0]), f: parseNumber(n[len(n)-1]) * float64(len(n)-1)})
		case name == "rotate" && len(n) == 1:
			sin, cos := math.Sincos(parseNumber(n[0]) * math.Pi / 180)
			m = m.then(matrix{a: cos, b: sin, c: -sin, d: cos})
		}
	}
	return m
}

// walkPath reads a path's d and calls emit with absolute M, L, Q, C and Z;
// arcs come as C. It knows the commands that our frames have.
func walkPath(d string, emit func(op byte, p []float64)) {
	var cmd byte
	var x, y, startX, startY float64
	s := numbers{s: d}
	for {
		if c, ok := s.command(); ok {
			cmd = c
		} else if !s.more() || cmd == 0 {
			return
		}
		lower := cmd >= 'a'
		rel := func(v, at float64) float64 {
			if lower {
				return v + at
			}
			return v
		}
		switch cmd | 0x20 {
		case 'm':
			x, y = rel(s.next(), x), rel(s.next(), y)
			startX, startY = x, y
			emit('M', []float64{x, y})
			cmd = 'L' | cmd&0x20 // pairs that follow are lines
		case 'l':
			x, y = rel(s.next(), x), rel(s.next(), y)
			emit('L', []float64{x, y})
		case 'h':
			x = rel(s.next(), x)
			emit('L', []float64{x, y})
		case 'v':
			y = rel(s.next(), y)
			emit('L', []float64{x, y})
		case 'q', 'c':
			n := 4
			if cmd|0x20 == 'c' {
				n = 6
			}
			p := make([]float64, 0, 6)
			for i := 0; i < n; i += 2 {
				p = append(p, rel(s.next(), x), rel(s.next(), y))
			}
			x, y = p[n-2], p[n-1]
			emit(cmd&^0x20, p)
		case 'a':
			r := s.next()
			s.next()
			s.next()
			large, sweep := s.next() != 0, s.next() != 0
			toX, toY := rel(s.next(), x), rel(s.next(), y)
			arcTo(x, y, r, large, sweep, toX, toY, emit)
			x, y = toX, toY
		case 'z':
			x, y = startX, startY
			emit('Z', nil)
			cmd = 0
		default:
			return
		}
	}
}

// arcTo writes a circle's arc as cubic curves of at most a quarter turn. The
// centre follows SVG 1.1, appendix F.6.5, for a circle.
func arcTo(x0, y0, r float64, large, sweep bool, x1, y1 float64, emit func(byte, []float64)) {
	dx, dy := (x1-x0)/2, (y1-y0)/2
	half := math.Hypot(dx, dy)
	if half == 0 {
		return
	}
	r = max(r, half)
	k := math.Sqrt(max(0, r*r/(half*half)-1))
	if large == sweep {
		k = -k
	}
	cx, cy := x0+dx-k*dy, y0+dy+k*dx
	from := math.Atan2(y0-cy, x0-cx)
	turn := math.Mod(math.Atan2(y1-cy, x1-cx)-from, 2*math.Pi)
	if sweep && turn < 0 {
		turn += 2 * math.Pi
	}
	if !sweep && turn > 0 {
		turn -= 2 * math.Pi
	}
	n := math.Ceil(math.Abs(turn)/(math.Pi/2) - 1e-9)
	step := turn / n
	handle := 4.0 / 3 * math.Tan(step/4) * r
	for i := range int(n) {
		a, b := from+step*float64(i), from+step*float64(i+1)
		sa, ca := math.Sincos(a)
		sb, cb := math.Sincos(b)
		emit('C', []float64{
			cx + r*ca - handle*sa, cy + r*sa + handle*ca,
			cx + r*cb + handle*sb, cy + r*sb - handle*cb,
			cx + r*cb, cy + r*sb,
		})
	}
}

// numbers reads a path's commands and numbers.
type numbers struct {
	s string
	i int
}

func (n *numbers) skip() {
	for n.i < len(n.s) && (n.s[n.i] == ' ' || n.s[n.i] == ',') {
		n.i++
	}
}

func (n *numbers) more() bool {
	n.skip()
	return n.i < len(n.s)
}

// command reads a letter, if one comes next.
func (n *numbers) command() (byte, bool) {
	if n.more() {
		if c := n.s[n.i]; c|0x20 >= 'a' && c|0x20 <= 'z' {
			n.i++
			return c, true
		}
	}
	return 0, false
}

func (n *numbers) next() float64 {
	n.skip()
	start := n.i
	for n.i < len(n.s) && (n.s[n.i] >= '0' && n.s[n.i] <= '9' || n.s[n.i] == '.' || n.s[n.i] == '-' && n.i == start) {
		n.i++
	}
	if n.i == start {
		n.i = len(n.s) // not a number: nothing more can be read
	}
	return parseNumber(n.s[start:n.i])
}
