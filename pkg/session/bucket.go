package session

import "time"

// bucket lets through rate events a second, and as many at once. It is not safe
// for concurrent use.
type bucket struct {
	rate   float64
	tokens float64
	at     time.Time
}

func newBucket(rate int) bucket { return bucket{rate: float64(rate), tokens: float64(rate)} }

// take reports whether one more may pass at now.
func (b *bucket) take(now time.Time) bool {
	if !b.at.IsZero() {
		b.tokens = min(b.rate, b.tokens+b.rate*now.Sub(b.at).Seconds())
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
