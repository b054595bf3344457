package transform

import "math"

// emaPast is how many of its states an ema remembers, so that a sample that is
// a little late does not make it begin anew.
const emaPast = 128

// ema is the exponential moving average of a value: each new value x moves it
// from y to y + w·(x-y). The weight w is a constant, or 1-exp(-Δt/τ) for the
// time Δt since the last one, so that uneven sampling does not matter; the
// weight of what is older than τ is then 1/e. (Eckner, "Algorithms for Unevenly
// Spaced Time Series: Moving Averages and Other Rolling Operators", where
// it is called EMA_next.) It begins with the first value, and again with the
// first one behind a gap.
type ema struct {
	of         node
	alpha, tau float64
	now        emaState
	past       [emaPast]emaState
	updates    int
	oldest     int // the first update that past still has
	begun      bool
	due        bool
}

type emaState struct {
	t  int64
	y  float64
	ok bool
}

// update takes in the value at time t, at which one of the leaves has a sample.
func (e *ema) update(t int64) {
	v, ok := e.of.at(t)
	next := emaState{t: t, y: v, ok: ok && !math.IsNaN(v)}
	if next.ok && e.now.ok {
		w := e.alpha
		if e.tau > 0 {
			w = -math.Expm1(-float64(t-e.now.t) / e.tau)
		}
		next.y = e.now.y + w*(v-e.now.y)
	}
	e.now = next
	e.past[e.updates%emaPast] = next
	e.updates++
	e.oldest = max(e.oldest, e.updates-emaPast)
	e.begun = true
}

func (e *ema) at(t int64) (float64, bool) {
	if _, ok := e.of.at(t); !ok {
		return 0, false
	}
	return e.now.y, e.now.ok
}

func (e *ema) kids(fn func(node)) { fn(e.of) }

// back returns to the state before time t, and reports whether it is known.
func (e *ema) back(t int64) bool {
	if !e.begun {
		return false
	}
	for n := e.updates; n > e.oldest; n-- {
		if s := e.past[(n-1)%emaPast]; s.t < t {
			e.now, e.updates = s, n
			return true
		}
	}
	if e.oldest > 0 {
		return false
	}
	e.now, e.updates = emaState{}, 0
	return true
}

// reset forgets everything.
func (e *ema) reset() {
	e.now, e.updates, e.oldest, e.begun, e.due = emaState{}, 0, 0, false, false
}
