package plotting

// farPx is how far from its corner, in px of the image, a PNG's lines are drawn:
// what rasterizes them reckons in 32 bits, and goes round and round beyond. It is
// far enough out that a line between two points behind it, wherever they were,
// does not come back into the picture.
const farPx = 1 << 20

// near returns a coordinate no further out than farPx.
func near(x float64) float64 { return max(-farPx, min(farPx, x)) }

// cutLine returns the part of a line that is no further out than farPx, on the
// line that it was. Of one that is further out from end to end it returns
// something that is out of sight as well.
func cutLine(x0, y0, x1, y1 float64) (ax, ay, bx, by float64) {
	if x0 == near(x0) && y0 == near(y0) && x1 == near(x1) && y1 == near(y1) {
		return x0, y0, x1, y1
	}
	dx, dy := x1-x0, y1-y0
	from, to := 0.0, 1.0
	for _, side := range [][2]float64{{-dx, x0 + farPx}, {dx, farPx - x0}, {-dy, y0 + farPx}, {dy, farPx - y0}} {
		switch d, room := side[0], side[1]; {
		case d < 0:
			from = max(from, room/d)
		case d > 0:
			to = min(to, room/d)
		}
	}
	if from > to {
		return near(x0), near(y0), near(x1), near(y1)
	}
	return near(x0 + from*dx), near(y0 + from*dy), near(x0 + to*dx), near(y0 + to*dy)
}
