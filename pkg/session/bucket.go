package session

import (
	"math"
	"time"

	"github.com/chartd/chartd/pkg/quantity"
)

// bucket lets through rate events a second, and as many at once as burst. The
// zero bucket is full. It is not safe for concurrent use.
type bucket struct {
	tokens float64
	at     time.Time // when tokens was right; zero at first
}

// fill brings the bucket up to now.
func (b *bucket) fill(now time.Time, rate, burst float64) {
	if b.at.IsZero() {
		b.tokens = burst
	} else {
		b.tokens = min(burst, b.tokens+rate*max(0, now.Sub(b.at).Seconds()))
	}
	b.at = now
}

// take reports whether one more may pass at now.
func (b *bucket) take(now time.Time, rate, burst float64) bool {
	b.fill(now, rate, burst)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// wait returns how long it is until one more may pass, by what the bucket last
// held. It is rounded up to ms, and over what adding up may lose: it never says too
// little.
func (b *bucket) wait(rate float64) quantity.Duration {
	return quantity.Duration(math.Ceil(max(0, 1-b.tokens)/rate*1e3+0.5) * 1e6)
}

// owe lets one more pass on credit and returns what is left, below zero if it
// should not have come.
func (b *bucket) owe(now time.Time, rate, burst float64) float64 {
	b.fill(now, rate, burst)
	b.tokens--
	return b.tokens
}
