package plotting

// kinds makes the body of each Kind. A new kind is one line here, one in Kinds,
// and a file if it draws in a way of its own.
var kinds = map[Kind]func(h header, lines []*line) body{
	Line: func(h header, lines []*line) body {
		return newScrolling(scrollStyle{
			classes: []string{"l"},
			shapes:  func(int64) []shape { return []shape{lineShape{}} },
		}, h, lines)
	},
	Step: func(h header, lines []*line) body {
		return newScrolling(scrollStyle{
			classes: []string{"l"},
			shapes:  func(int64) []shape { return []shape{stepShape{}} },
		}, h, lines)
	},
	Scatter: func(h header, lines []*line) body {
		return newScrolling(scrollStyle{
			classes: []string{"l p"},
			shapes:  func(int64) []shape { return []shape{dotShape{}} },
		}, h, lines)
	},
	Area: func(h header, lines []*line) body {
		if h.spec.Stack {
			return newScrolling(scrollStyle{
				classes: []string{"a k"}, zero: true, stack: true,
				shapes: func(base int64) []shape { return []shape{newFillShape(base)} },
			}, h, lines)
		}
		return newScrolling(scrollStyle{
			classes: []string{"a", "l"}, zero: true,
			shapes: func(base int64) []shape { return []shape{newFillShape(base), lineShape{}} },
		}, h, lines)
	},
	Bar:   newBars,
	Gauge: newGauges,
	Stat:  newStats,
}
